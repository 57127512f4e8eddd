import re

import pytest

from drainlint.report.linehash import line_hashes

# The vectors that github/codeql-action publishes in src/fingerprints.test.ts.
GREETINGS = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]
VECTORS = [
    ("", ["c129715d7a2bc9a3:1"]),
    (
        " a\nb\n  \t\tc\n d",
        ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
    ),
    (
        " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End",
        [
            "8b7cf3e952e7aeb2:1",
            "b1ae1287ec4718d9:1",
            "bff680108adb0fcc:1",
            "c6805c5e1288b612:1",
            "b86d3392aea1be30:1",
            "e6ceba753e1a442:1",
        ],
    ),
    (" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", GREETINGS),
    (" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", GREETINGS),
    (" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", GREETINGS),
    (" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", GREETINGS),
    (
        "Lorem ipsum dolor sit amet.\n" * 10,
        [
            "a7f2ff13bc495cf2:1",
            "a7f2ff13bc495cf2:2",
            "a7f2ff13bc495cf2:3",
            "a7f2ff13bc495cf2:4",
            "a7f2ff13bc495cf2:5",
            "a7f2ff13bc495cf2:6",
            "a7f2ff1481e87703:1",
            "a9cf91f7bbf1862b:1",
            "55ec222b86bcae53:1",
            "cc97dc7b1d7d8f7b:1",
            "c129715d7a2bc9a3:1",
        ],
    ),
]


def lines_of(text: str) -> tuple[str, ...]:
    return tuple(re.split(r"\r\n|\r|\n", text))


@pytest.mark.parametrize(("text", "expected"), VECTORS)
def test_the_hashes_are_those_that_github_publishes(text: str, expected: list[str]) -> None:
    lines = lines_of(text)
    hashes = line_hashes(lines, range(1, len(lines) + 1))
    assert [hashes[number] for number in range(1, len(lines) + 1)] == expected


def test_a_line_has_the_same_hash_whether_or_not_others_are_wanted() -> None:
    lines = lines_of("Lorem ipsum dolor sit amet.\n" * 10)
    assert line_hashes(lines, {3}) == {3: "a7f2ff13bc495cf2:3"}


def test_lines_that_do_not_exist_have_no_hash() -> None:
    assert line_hashes(("a",), {0, 2, -1}) == {}
    assert line_hashes((), {1}) == {}


def rolling(text: str) -> list[str]:
    """The published algorithm in its plainest form: one unit after the other, all lines."""
    data = text.encode("utf-16-le")
    units = [low + 256 * high for low, high in zip(data[::2], data[1::2], strict=True)]
    normal: list[tuple[int, bool]] = []
    fresh = True
    after_return = False
    for unit in [*units, 65535]:
        if unit in (32, 9) or (after_return and unit == 10):
            after_return = False
            continue
        after_return = unit == 13
        kept = 10 if after_return else unit
        normal.append((kept, fresh))
        fresh = kept == 10
    padded = [unit for unit, _ in normal] + [0] * 100
    seen: dict[str, int] = {}
    result = []
    for start, (_, begins) in enumerate(normal):
        if begins:
            value = 0
            for unit in padded[start : start + 100]:
                value = (value * 37 + unit) % 2**64
            word = f"{value:x}"
            seen[word] = seen.get(word, 0) + 1
            result.append(f"{word}:{seen[word]}")
    return result


@pytest.mark.parametrize(
    "text",
    [
        "x = '😀'\ny = '日本語'\n",
        "\ufeffimport os\r\n\r\n\tpass \r \nend",
        "\n\n\n",
        "a" * 300 + "\n" + "a" * 300,
        "form\x0cfeed\x85and\u2028others\nend no line here\n",
    ],
)
def test_hashes_of_awkward_texts_agree_with_the_plain_algorithm(text: str) -> None:
    lines = lines_of(text)
    hashes = line_hashes(lines, range(1, len(lines) + 1))
    assert list(hashes.values()) == rolling(text)
