"""Reports: pure functions from an outcome to text, one module per format.

Every format holds the same findings. Nothing is imported here that a run without findings would
not need: a pre-commit hook with nothing to say must not wait for rich or json.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drainlint.outcome import Outcome

_MODULES = {
    "text": "text",
    "concise": "concise",
    "sarif": "sarif",
    "json": "jsonreport",
    "github": "github",
    "gitlab": "gitlab",
}

FORMATS: tuple[str, ...] = tuple(_MODULES)
"""The names that `--output` takes."""


def render(format_name: str, outcome: "Outcome", *, color: bool = False, width: int = 80) -> str:
    """Render an outcome in one of `FORMATS`; the same outcome always gives the same text.

    Colour and width (in terminal cells) matter to text alone. What is returned ends with a newline
    and can be encoded as UTF-8: an undecodable byte in a file's name is escaped, in the way that
    JSON reads back. Raises KeyError for an unknown format.
    """
    module = import_module(f"drainlint.report.{_MODULES[format_name]}")
    text: str = (
        module.render(outcome, color=color, width=width)
        if format_name == "text"
        else module.render(outcome)
    )
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
