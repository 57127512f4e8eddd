"""The engine: files to findings, in the stages of the design."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from drainlint.cache import pack
from drainlint.discover import SourceFile
from drainlint.gather import FileFacts, gather, gather_packed, uncollected
from drainlint.index.screen import Vocabulary
from drainlint.knowledge import Knowledge, load
from drainlint.memory import Judged as Kept
from drainlint.metadata import metadata, package
from drainlint.recall import Analysis, Options, asked_first, choice, state
from drainlint.rules import words
from drainlint.verdict import Jury, conditions

if TYPE_CHECKING:
    from drainlint.judge import Judged, Linked
    from drainlint.link.sharing import Sharing

__all__ = ("Analysis", "Options", "analyse", "link")


def analyse(files: Sequence[SourceFile], asked: frozenset[str], options: Options) -> Analysis:
    """Find what is wrong in the `asked` files (relative paths), with facts from all `files`.

    Where nothing can be found in the asked files, the others are not even looked for.
    """
    with uncollected():
        analysis = _analysed(files, asked, options)
    if options.memory is not None:
        options.memory.keep()
    return analysis


def _analysed(files: Sequence[SourceFile], asked: frozenset[str], options: Options) -> Analysis:
    own = _gathered(asked_first(files, asked), _vocabulary(_known(options)), options)
    if own and not any(facts.may_matter for facts in own.values()):
        return _outcome(own)
    memory = options.memory
    before = _state(files, options)
    facts = _all_gathered(files, options, own)
    judged = _judged(files, facts, sorted(asked & facts.keys()), options)
    analysis = _outcome(facts, *judged)
    if memory is not None and not analysis.crashes and _state(files, options) == before:
        memory.judge(_kept(before, judged, analysis, options))
    return analysis


def _judged(
    files: Sequence[SourceFile],
    facts: Mapping[str, FileFacts],
    paths: Sequence[str],
    options: Options,
) -> list["Judged"]:
    """What comes out of judging some files, in several processes where that pays."""
    from drainlint.judge import Judge, shares  # noqa: PLC0415  not where nothing can be found
    from drainlint.team import Team  # noqa: PLC0415

    parts = shares(facts, paths, options.jobs)
    weights = {path: one.entry.lines for path, one in facts.items() if one.entry is not None}
    team: Team[Judged] = Team(weights, len(parts))
    jury = Jury(options.settings, options.rules, keeping=options.memory is not None)

    def prepare() -> Callable[[int], "Judged"]:
        judge = Judge(_linked(files, facts, options, team), jury)
        return lambda number: judge.judged(parts[number])

    return team.together(prepare)


def link(files: Sequence[SourceFile], options: Options) -> "Linked":
    """Index every file and join what they tell."""
    return _linked(files, _all_gathered(files, options, {}), options, None)


def _linked(
    files: Sequence[SourceFile],
    facts: Mapping[str, FileFacts],
    options: Options,
    sharing: "Sharing | None",
) -> "Linked":
    from drainlint.bodies import Bodies  # noqa: PLC0415  not where nothing can be found
    from drainlint.judge import Linked  # noqa: PLC0415
    from drainlint.link.program import Layout, Program  # noqa: PLC0415
    from drainlint.link.scripts import scripts  # noqa: PLC0415

    known = _known(options)
    modules = {path: f.entry for path, f in facts.items() if f.entry is not None}
    bodies = Bodies({file.relative: file for file in files}, facts)
    layout = Layout(
        tuple(scripts(metadata(options.root), modules)),
        package(options.root),
        lambda path: options.settings(path).side_code(path),
    )
    program = Program(modules, known, bodies, layout, sharing)
    return Linked(program, facts, bodies, _vocabulary(known))


def _all_gathered(
    files: Sequence[SourceFile], options: Options, own: Mapping[str, FileFacts]
) -> dict[str, FileFacts]:
    """The facts of every file; `own` are those of some that are known."""
    others = [file for file in files if file.relative not in own]
    return {**own, **_gathered(others, _vocabulary(_known(options)), options)}


def _gathered(
    files: Sequence[SourceFile], vocabulary: Vocabulary, options: Options
) -> dict[str, FileFacts]:
    """The facts of each file by path, in the order of the files, from memory where it has them."""
    memory = options.memory
    if memory is None:
        return {f.path: f for f in gather(files, vocabulary, options.jobs)}
    memory.look(files)
    known: dict[str, FileFacts] = dict(memory.facts(file.relative for file in files))
    others = [file for file in files if file.relative not in known]
    for facts, packed in gather_packed(others, vocabulary, options.jobs):
        known[facts.path] = facts
        if packed and facts.unreadable is None and facts.crash is None:
            memory.learn(facts.path, packed, idle=facts.idle)
    return {file.relative: known[file.relative] for file in files}


def _known(options: Options) -> Knowledge:
    """What libraries do, as far as drainlint and its user know."""
    if options.memory is None:
        return load(options.knowledge)
    return options.memory.knowledge(lambda: load(options.knowledge))


def _vocabulary(knowledge: Knowledge) -> Vocabulary:
    """The words of every rule, whether it is active or not: facts do not depend on options."""
    return Vocabulary.of(words().values(), knowledge)


def _outcome(facts: Mapping[str, FileFacts], *judged: "Judged") -> Analysis:
    ordered = [facts[path] for path in sorted(facts)]
    unread = {problem.path: problem for share in judged for problem in share.problems}
    unparsable = [f.unparsable for f in ordered if f.unparsable is not None]
    crashes = [f.crash for f in ordered if f.crash is not None]
    return Analysis(
        tuple(sorted((f for share in judged for f in share.findings), key=lambda f: f.order)),
        (*unparsable, *(unread[path] for path in sorted(unread))),
        tuple(f.unreadable for f in ordered if f.unreadable is not None),
        (*crashes, *dict.fromkeys(c for share in judged for c in share.crashes)),
    )


def _state(files: Sequence[SourceFile], options: Options) -> bytes:
    """A digest of all that nouns rest on, where they are to be kept."""
    if options.memory is None:
        return b""
    options.memory.look(files)
    return state(options, options.memory)


def _kept(now: bytes, shares: Sequence["Judged"], analysis: Analysis, options: Options) -> Kept:
    """What rules spoke of in the files asked for, to be kept.

    A file that libcst refuses may have been opened for the sake of another: what was found then
    serves the same choice of files only.
    """
    judged = {path: packed for share in shares for path, packed in share.spoken.items()}
    refused = any(share.problems for share in shares)
    return Kept(
        now,
        {path: (conditions(path, options.settings(path)), it) for path, it in judged.items()},
        pack((analysis.unparsable, analysis.unreadable)),
        choice(judged) if refused else b"",
    )
