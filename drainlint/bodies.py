"""The bodies of functions, read with libcst when somebody asks for them."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from drainlint.discover import SourceFile
from drainlint.gather import TOO_DEEP, FileFacts, Problem, text_of
from drainlint.index.entries import ModuleEntry
from drainlint.link.names import FunctionId
from drainlint.model.statement import Body

if TYPE_CHECKING:
    from drainlint.read.functions import Reader


class Bodies:
    """Reads bodies on demand, and keeps them.

    What is read depends only on what is asked for, never on what was asked before: so it does not
    matter which process judges which file.
    """

    def __init__(self, files: Mapping[str, SourceFile], facts: Mapping[str, FileFacts]) -> None:
        """Take the files of a project, and their facts, by path."""
        self._files = files
        self._facts = facts
        self._known: dict[FunctionId, Body | None] = {}
        self._readers: dict[str, Reader | None] = {}
        self.problems: dict[str, Problem] = {}
        """Files of which a body was asked for and could not be read, by path."""

    def get(self, key: FunctionId) -> Body | None:
        """The body of a function; None for a lambda's, which is part of its function's."""
        if key not in self._known:
            self.read(key.path, [key.name])
        return self._known[key]

    def read(self, path: str, names: Collection[str]) -> None:
        """Read several functions of a file at once, as they will be asked for."""
        # libcst takes half a second to import
        from drainlint.read.functions import UnreadableSyntaxError  # noqa: PLC0415

        reader = self._reader(path)
        try:
            found = {} if reader is None else reader.read(names)
        except (UnreadableSyntaxError, RecursionError) as fault:
            text = TOO_DEEP if isinstance(fault, RecursionError) else str(fault)
            self.problems[path] = Problem(path, 1, 1, text)
            self._readers[path] = None
            found = {}
        for name in names:
            self._known[FunctionId(path, name)] = found.get(name)

    def _reader(self, path: str) -> "Reader | None":
        if path not in self._readers:
            entry = self._facts[path].entry
            self._readers[path] = None if entry is None else self._opened(path, entry)
        return self._readers[path]

    def _opened(self, path: str, entry: ModuleEntry) -> "Reader | None":
        from drainlint.read.functions import Reader  # noqa: PLC0415

        try:
            return Reader(text_of(self._files[path]), entry)
        except (OSError, SyntaxError, ValueError) as fault:
            text = f"changed while it was checked: {fault}"
            self.problems[path] = Problem(path, 1, 1, text)
            return None
