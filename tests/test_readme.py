"""What the README shows works: its commands, options, configuration and hooks exist as it says."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from drainlint import rules
from drainlint.config import Configs, Overrides, RuleNames
from tests.conftest import GIT, PROJECT, working_tree

README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^ *```(?P<language>\w+)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [block["text"] for block in BLOCK.finditer(README) if block["language"] == language]


def commands() -> Iterator[list[str]]:
    """Every drainlint command line that the README shows, as words without the program."""
    lines = [line for text in (*blocks("console"), *blocks("yaml")) for line in text.splitlines()]
    lines += re.findall(r"`(drainlint [^`]+)`", README)
    for line in lines:
        for command in line.split("&&"):
            words = command.strip().removeprefix("- ").removeprefix("run: ").split()
            if words and Path(words[0]).name == "drainlint":
                yield words[1:]


def drainlint(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drainlint", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_option_of_every_command_exists() -> None:
    known = drainlint("check", "--help").stdout + drainlint("rules", "--help").stdout

    named = {
        word.split("=")[0] for words in commands() for word in words if word.startswith("--")
    } | set(re.findall(r"`(--[a-z-]+)", README))

    assert named
    assert not {option for option in named if not re.search(rf"{option}(?![\w-])", known)}


def test_every_verb_exists() -> None:
    verbs = {words[0] for words in commands() if words and words[0].isalpha()}

    assert {"explain", "rules"} <= verbs
    for verb in verbs - {"PATH"}:
        assert drainlint(verb, "--help").returncode == 0, verb


def test_every_format_exists(tmp_path: Path) -> None:
    formats = set(re.findall(r"--output ([a-z]+)", README))
    clean = tmp_path / "clean.py"
    clean.write_text("")

    assert {"sarif", "github", "gitlab", "json", "text"} <= formats
    for name in formats:
        assert drainlint("--output", name, str(clean)).returncode == 0, name


def test_the_configuration_is_accepted_whole(tmp_path: Path) -> None:
    (text,) = blocks("toml")
    file = tmp_path / "pyproject.toml"
    file.write_text(text, encoding="utf-8")

    configs = Configs(tmp_path, RuleNames(rules.cards()), Overrides(file=file))

    assert configs.main.problems == ()
    assert list(configs.warnings) == []
    assert configs.settings("service.py").rules


def test_the_configuration_shows_every_key() -> None:
    (text,) = blocks("toml")
    shown = set(tomllib.loads(text)["tool"]["drainlint"])

    assert shown >= {
        "select",
        "ignore",
        "extend-select",
        "per-file-ignores",
        "exclude",
        "extend-exclude",
        "budget",
        "min-sleep",
        "side-code",
        "levels",
        "fail-on",
        "jobs",
    }


def test_the_defaults_are_told_as_they_are() -> None:
    (text,) = blocks("toml")
    shown = tomllib.loads(text)["tool"]["drainlint"]
    default = Configs(PROJECT, RuleNames(rules.cards()), Overrides(isolated=True)).main

    assert shown["budget"] == default.budget
    assert shown["min-sleep"] == default.min_sleep
    assert shown["fail-on"] == default.fail_on


def test_every_rule_that_is_named_exists() -> None:
    names = RuleNames(rules.cards())
    suppressed = re.findall(r"drainlint: ignore(?:-file)?\[([^\]]+)\]", README)
    found = re.findall(r"^(?:error|warning|note)\[([^\]]+)\]", README, re.MULTILINE)
    expected = re.findall(r"# expect: ([a-z-]+)", README)
    explained = [words[1] for words in commands() if words[:1] == ["explain"]]

    said = [
        *(part for text in suppressed for part in text.split(",")),
        *found,
        *expected,
        *explained,
    ]

    assert said
    assert list(names.unknown(said)) == []


def test_the_hooks_are_those_of_this_repository() -> None:
    offered = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    shown: list[dict[str, Any]] = [yaml.safe_load(text) for text in blocks("yaml")]
    named = {hook["id"] for c in shown for repo in c.get("repos", ()) for hook in repo["hooks"]}

    assert {hook["id"] for hook in offered} == {"drainlint", "drainlint-repo"}
    assert named <= {hook["id"] for hook in offered}
    assert "`id: drainlint-repo`" in README


def test_the_python_is_python() -> None:
    for text in blocks("python"):
        lines = text.splitlines()
        indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        ast.parse("\n".join(line[indent:] for line in lines))


@pytest.mark.network
@pytest.mark.skipif(GIT is None, reason="git is not installed")
def test_the_command_that_installs_and_runs_works_in_a_fresh_clone(tmp_path: Path) -> None:
    command = next(
        line
        for text in blocks("console")
        for line in text.splitlines()
        if "pip install" in line and "drainlint path" in line
    )
    clone = working_tree(tmp_path / "drainlint")
    service = clone / "path" / "to" / "your" / "service"
    service.mkdir(parents=True)
    (service / "worker.py").write_text("def stop(thread):\n    thread.join()\n")
    path = os.pathsep.join([str(Path(sys.base_prefix) / "bin"), os.environ["PATH"]])

    done = subprocess.run(
        [shutil.which("bash") or "sh", "-c", command],
        cwd=clone,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "unbounded-join" in done.stdout
