"""The command: declares options, prints what comes of them, and turns errors into one line each.

Reports go to standard output, everything else to standard error. Exit codes: 0 nothing at or above
`--fail-on`, 1 findings, 2 usage, configuration, something that could not be read, or a fault of
our own.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from drainlint import __version__
from drainlint.cache import default_folder
from drainlint.config import FAIL_ON, ConfigError, Overrides, RuleNames
from drainlint.discover import absolute
from drainlint.report import FORMATS, render
from drainlint.report.pages import page, table
from drainlint.run import STDIN, Plan, Request, Target, chart, check, exit_code, plan, write
from drainlint.spelling import closest

if TYPE_CHECKING:
    from drainlint.discover import SourceFile
    from drainlint.finding import Notice
    from drainlint.outcome import Outcome

PLAIN_WIDTH = 80
"""Cells of a line where the terminal does not say, and in files."""
_INTERRUPTED = 130


def _names(
    context: click.Context, option: click.Parameter, texts: Iterable[str]
) -> tuple[str, ...]:
    """The names that an option brings, each time with commas between them."""
    words = tuple(word.strip() for text in texts for word in text.split(","))
    if not all(words):
        raise click.BadParameter("a name is empty", context, option)
    return words


_COMMON = (
    click.version_option(__version__, message="drainlint %(version)s"),
    click.option(
        "--color",
        type=click.Choice(("auto", "always", "never")),
        default="auto",
        metavar="WHEN",
        help="auto (the default: on a terminal), always or never.",
    ),
    click.option(
        "--debug", is_flag=True, help="Show the traceback of a fault in drainlint itself."
    ),
)
_CONFIG = (
    click.option(
        "--config",
        multiple=True,
        metavar="FILE|KEY=VALUE",
        help="A configuration file for every file, or one setting in TOML. Repeatable.",
    ),
    click.option("--isolated", is_flag=True, help="Heed no configuration file."),
)
_FACTS = (
    click.option(
        "--context",
        type=click.Choice(("project", "files")),
        default="project",
        help="Where facts come from: the whole project (the default), or the PATHs alone.",
    ),
    click.option("--jobs", "-j", type=click.IntRange(min=1), metavar="N", help="Processes to use."),
    click.option("--no-cache", is_flag=True, help="Neither use nor keep facts between runs."),
    click.option(
        "--cache-dir", metavar="DIR", envvar="DRAINLINT_CACHE_DIR", help="Where facts are kept."
    ),
)
_CHECK = (
    click.argument("paths", nargs=-1, metavar="PATH..."),
    click.option(
        "--select",
        multiple=True,
        metavar="NAMES",
        callback=_names,
        help="Only these rules: names, codes, families (DRN3 or waiting) or ALL, with commas.",
    ),
    click.option(
        "--extend-select",
        multiple=True,
        metavar="NAMES",
        callback=_names,
        help="These rules as well.",
    ),
    click.option(
        "--ignore", multiple=True, metavar="NAMES", callback=_names, help="Not these rules."
    ),
    click.option("--strict", is_flag=True, help="Show notes too."),
    click.option(
        "--budget",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="Seconds between SIGTERM and SIGKILL, less a margin (default 25).",
    ),
    click.option(
        "--output",
        multiple=True,
        metavar="FORMAT[=FILE]",
        help=f"Repeatable; FORMAT is one of {', '.join(FORMATS)}. Without FILE: standard output.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(FAIL_ON),
        help="The lowest level that gives exit code 1 (default warning; note implies --strict).",
    ),
    click.option("--exit-zero", is_flag=True, help="The same as --fail-on never."),
    click.option("--quiet", "-q", is_flag=True, help="Say nothing but findings and errors."),
    click.option("--verbose", "-v", is_flag=True, help="Say what is left out, and why."),
    click.option("--statistics", is_flag=True, help="Count the findings of each rule."),
    click.option("--no-progress", is_flag=True, help="Never show progress."),
    *_CONFIG,
    click.option("--no-ignores", is_flag=True, help="Heed no comment that ignores a finding."),
    click.option("--show-ignored", is_flag=True, help="Show ignored findings too, marked."),
    click.option("--show-files", is_flag=True, help="List the files to check, and check none."),
    click.option("--show-settings", is_flag=True, help="Show the settings, and check nothing."),
    *_FACTS,
    click.option(
        "--stdin-filename",
        metavar="FILE",
        help="Where the code from standard input (PATH -) is to be judged as if it stood.",
    ),
)


def _with(options: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Several options as one decorator."""

    def decorate(function: Any) -> Any:  # noqa: ANN401  click's decorators are untyped
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


@click.command(
    epilog="""PATH is a file, a folder, or - for standard input. Other commands, each with its own
    --help: `drainlint explain NAME|CODE` shows a rule's page, `drainlint rules` lists all rules,
    `drainlint map PATH` draws what drainlint knows of a program."""
)
@_with((*_CHECK, *_COMMON))
def _check(**options: Any) -> int:  # noqa: ANN401  click hands over every option by name
    """Find the code that keeps a Python service from draining when it is told to stop."""
    targets = _targets(options["output"])
    made = plan(_request(options))
    if not options["quiet"]:
        _say("warning", *made.warnings)
    if options["verbose"]:
        _say("left out", *(f"{file.path}: {file.reason}" for file in made.found.skipped))
    if options["show_files"] or options["show_settings"]:
        _say("error", *_notices(made.found.notices))
        lines = _settings(made) if options["show_settings"] else ()
        files = (file.relative for file in made.found.files) if options["show_files"] else ()
        _print("".join(f"{line}\n" for line in (*lines, *files)))
        return 2 if made.found.notices else 0
    outcome = check(made)
    _say("error", *_notices(outcome.notices))
    code = exit_code(outcome, made.fail_on)
    if options["statistics"]:
        _tell("".join(f"{line}\n" for line in _statistics(outcome)))
    color, width = _looks(options["color"])
    written = {
        target.file: render(target.format, outcome, color=options["color"] == "always")
        for target in targets
        if target.file
    }
    printed = [render(t.format, outcome, color=color, width=width) for t in targets if not t.file]
    write(written)
    said = outcome.findings or outcome.notices or not options["quiet"]
    for target, text in zip((t for t in targets if not t.file), printed, strict=True):
        if said or target.format not in {"text", "concise"}:
            _print(text)
    return code


@click.command()
@click.argument("name", metavar="NAME|CODE")
@_with(_COMMON)
def _explain(name: str, color: str, **_: object) -> int:
    """Show a rule's page: what it finds, why that matters, and the way out."""
    from drainlint.rules import cards  # noqa: PLC0415  only where rules are spoken of

    names = RuleNames(cards())
    code = names.rule(name)
    chosen = [card for card in names.cards if card.code in names.codes(name)]
    if not chosen:
        raise ConfigError(*names.unknown((name,)))
    colored, width = _looks(color)
    paint = click.style if colored else _plain
    lines = page(chosen[0], width, paint) if code else table(chosen, paint)
    _print("".join(f"{line}\n" for line in lines))
    return 0


@click.command()
@click.option("--output", type=click.Choice(("text", "json")), default="text")
@_with(_COMMON)
def _rules(output: str, color: str, **_: object) -> int:
    """List all rules."""
    from drainlint.rules import cards  # noqa: PLC0415  only where rules are spoken of

    if output == "json":
        import json  # noqa: PLC0415
        from dataclasses import asdict  # noqa: PLC0415

        values = [{**asdict(card), "level": card.level.word} for card in cards()]
        _print(json.dumps(values, indent=2) + "\n")
    else:
        paint = click.style if _looks(color)[0] else _plain
        _print("".join(f"{line}\n" for line in table(cards(), paint)))
    return 0


_ONLY_FOR_CHECK = {
    **dict.fromkeys(("select", "extend_select", "ignore"), ()),
    **dict.fromkeys(("strict", "exit_zero", "show_ignored", "no_ignores"), False),
    **dict.fromkeys(("budget", "fail_on", "stdin_filename")),
}
"""What `_request` is told for options that a map has no use for."""


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--all", "everything", is_flag=True, help="Leave out nothing that says little.")
@click.option(
    "--output",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="Repeatable; FORMAT is text or json. Without FILE: standard output.",
)
@_with((*_CONFIG, *_FACTS, *_COMMON))
def _map(everything: bool, output: tuple[str, ...], color: str, **options: Any) -> int:  # noqa: ANN401, FBT001  click hands over every option by name
    """Draw what drainlint knows: entries, services, and drain paths with their waits."""
    from drainlint.report import mapjson, maptext  # noqa: PLC0415  only for maps

    targets = _targets(output, ("text", "json"))
    made = plan(_request({**_ONLY_FOR_CHECK, **options}))
    _say("warning", *made.warnings)
    drawn, notices = chart(made, everything=everything)
    _say("error", *_notices(notices))
    colored, width = _looks(color)

    def text(target: Target) -> str:
        if target.format == "json":
            return mapjson.render(drawn)
        shown = color == "always" if target.file else colored
        return maptext.render(drawn, color=shown, width=PLAIN_WIDTH if target.file else width)

    write({target.file: text(target) for target in targets if target.file})
    for target in targets:
        if not target.file:
            _print(text(target))
    return 2 if notices else 0


_VERBS = {"check": _check, "explain": _explain, "rules": _rules, "map": _map}


def command(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code; raises nothing unless `--debug` is given."""
    try:
        return _dispatch(list(arguments))
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        _say("error", error.format_message())
    except ConfigError as error:
        _say("error", *error.problems)
    except KeyboardInterrupt:
        _say("error", "interrupted")
        return _INTERRUPTED
    except Exception as error:
        if "--debug" in arguments:
            raise
        fault = f"{type(error).__name__}: {error}"
        _say("error", f"drainlint itself failed ({fault}); please report what --debug shows")
    return 2


def _dispatch(arguments: list[str]) -> int:
    """Choose the verb by the first argument that is no option, and run it."""
    if not arguments:
        arguments = ["--help"]
    verb = "check"
    index = _first(arguments)
    if index is not None and arguments[index] in _VERBS:
        verb = arguments.pop(index)
    elif index is not None and not os.path.lexists(arguments[index]):
        near = closest(arguments[index], _VERBS)
        if near:
            raise ConfigError(f"there is no file, folder or command `{arguments[index]}`{near}")
    shown = "drainlint [check]" if verb == "check" else f"drainlint {verb}"
    with _VERBS[verb].make_context(shown, arguments) as context:
        code: int = _VERBS[verb].invoke(context)
    return code


def _first(arguments: Sequence[str]) -> int | None:
    """Where the first argument stands that is neither an option nor an option's value."""
    options = {
        name: not param.is_flag
        for command in _VERBS.values()
        for param in command.params
        if isinstance(param, click.Option)
        for name in param.opts
    }
    skip = False
    for index, argument in enumerate(arguments):
        if skip:
            skip = False
        elif argument == "--":
            return None
        elif argument == STDIN or not argument.startswith("-"):
            return index
        else:
            skip = options.get(argument, False)
    return None


def _request(options: dict[str, Any]) -> Request:
    """What the options ask for."""
    paths = tuple(options["paths"]) or (".",)
    files = [text for text in options["config"] if not _is_setting(text)]
    filename = options["stdin_filename"]
    if len(files) > 1:
        raise ConfigError("`--config` takes one file at most")
    if filename is not None and STDIN not in paths:
        raise ConfigError("`--stdin-filename` wants `-` among the paths")
    return Request(
        paths=paths,
        overrides=Overrides(
            select=options["select"] or None,
            extend_select=options["extend_select"],
            ignore=options["ignore"],
            budget=options["budget"],
            file=Path(files[0]) if files else None,
            values=tuple(text for text in options["config"] if _is_setting(text)),
            isolated=options["isolated"],
        ),
        strict=options["strict"],
        fail_on="never" if options["exit_zero"] else options["fail_on"],
        show_ignored=options["show_ignored"],
        heed_comments=not options["no_ignores"],
        whole_project=options["context"] == "project",
        jobs=options["jobs"],
        cache=_cache(options),
        stdin=_read_stdin() if STDIN in paths else None,
        stdin_filename=filename,
    )


def _cache(options: dict[str, Any]) -> Path | None:
    """The folder in which facts are kept, if any are to be."""
    if options["no_cache"]:
        return None
    return Path(absolute(options["cache_dir"])) if options["cache_dir"] else default_folder()


def _is_setting(text: str) -> bool:
    """Whether a `--config` is KEY=VALUE: a `=` before any slash."""
    head, equals, _ = text.partition("=")
    return bool(equals) and "/" not in head


def _read_stdin() -> bytes:
    if sys.stdin is None:
        raise ConfigError("standard input is closed")
    return sys.stdin.buffer.read()


def _targets(outputs: Sequence[str], formats: Sequence[str] = FORMATS) -> list[Target]:
    """The reports that are asked for; raises ConfigError for what cannot be written."""
    targets: list[Target] = []
    problems: list[str] = []
    for text in outputs or ("text",):
        form, equals, file = text.partition("=")
        target = Target(form, Path(file) if equals and file != STDIN else None)
        if form not in formats:
            known = closest(form, formats) or f"; there are {', '.join(formats)}"
            problems.append(f"--output: unknown format `{form}`{known}")
        elif equals and not file:
            problems.append(f"--output {text}: there is no file behind the `=`")
        elif target.fault:
            problems.append(f"--output {text}: {target.fault}")
        elif target.file in [other.file for other in targets]:
            where = f"`{file}`" if target.file else "standard output"
            problems.append(f"--output {text}: another report goes to {where} already")
        targets.append(target)
    if problems:
        raise ConfigError(*problems)
    return targets


def _looks(color: str) -> tuple[bool, int]:
    """Whether standard output takes colour, and how many cells wide it is."""
    terminal = sys.stdout is not None and sys.stdout.isatty()
    if color == "auto":
        colored = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    else:
        colored = color == "always"
    try:
        width = os.get_terminal_size(sys.stdout.fileno()).columns if terminal else 0
    except OSError:
        width = 0
    return colored, width or PLAIN_WIDTH


def _plain(text: str, **_: object) -> str:
    """Stands in for `click.style` where there is no colour."""
    return text


def _settings(made: Plan) -> Iterator[str]:
    """What the files asked for are judged by, one block for each configuration they obey."""
    yield f"root = {made.root}"
    yield f"context = {'project' if made.whole_project else 'files'}"
    yield f"fail-on = {made.fail_on}"
    yield f"jobs = {made.jobs}"
    blocks: dict[tuple[str, ...], list[str]] = {}
    for file in made.found.files:
        blocks.setdefault(tuple(_judged_by(made, file)), []).append(file.relative)
    for block, files in blocks.items():
        others = f" and {len(files) - 1} more" if len(files) > 1 else ""
        yield f"\n{files[0]}{others}:"
        yield from (f"  {line}" for line in block)


def _judged_by(made: Plan, file: "SourceFile") -> Iterator[str]:
    """What one file is judged by."""
    settings = made.settings(file.relative)
    config = made.configs.of(file.path.parent.as_posix())
    yield f"configuration = {config.file or 'none'}"
    yield f"budget = {settings.budget:g}"
    yield f"min-sleep = {settings.min_sleep:g}"
    yield f"side code = {'yes' if settings.side_code(file.relative) else 'no'}"
    yield f"levels = {dict(sorted(settings.levels.items()))}"
    yield f"rules = {', '.join(sorted(settings.rules))}"


def _statistics(outcome: "Outcome") -> Iterator[str]:
    """How many findings each rule has, the most frequent first."""
    counts = Counter((f.code, f.name) for f in outcome.findings if f.suppression is None)
    for (code, name), number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"{number:7}  {code}  {name}"


def _notices(notices: Iterable["Notice"]) -> Iterator[str]:
    return (f"{notice.path}: {notice.text}" for notice in notices)


def _say(kind: str, *lines: str) -> None:
    """One line on standard error for each thing to say."""
    _tell("".join(f"{kind}: {' '.join(line.split())}\n" for line in lines))


def _tell(text: str) -> None:
    """Write to standard error, if anybody listens."""
    if sys.stderr is not None and text:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            _silence(sys.stderr)


def _print(text: str) -> None:
    """Write to standard output; a reader that has gone away is no error."""
    out = sys.stdout
    if out is None:
        raise ConfigError("standard output is closed")
    encoding = out.encoding if out.isatty() else "utf-8"
    try:
        out.flush()
        out.buffer.write(text.encode(encoding, "backslashreplace"))
        out.flush()
    except BrokenPipeError:
        _silence(out)
    except OSError as error:
        _silence(out)
        raise ConfigError(f"cannot write to standard output: {error.strerror}") from None


def _silence(stream: TextIO) -> None:
    """Send what is left in a stream's buffer nowhere, so that leaving does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
