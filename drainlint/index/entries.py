"""What the index keeps of a file: names, and nothing that judges a wait, a loop or a try."""

from collections.abc import Mapping
from dataclasses import field

from drainlint.model.expression import Call, Expression
from drainlint.model.place import Place
from drainlint.model.value import value

MODULE = "<module>"
"""The qualified name of a module's own statements."""
MAIN = "<main>"
"""The qualified name of what stands under `if __name__ == "__main__":`."""


@value(frozen=True, slots=True)
class Parameter:
    """One parameter of a function; `star` is `*` or `**` for the collecting ones."""

    name: str
    annotation: Expression | None = None
    default: Expression | None = None
    star: str = ""
    keyword_only: bool = False


@value(frozen=True, slots=True)
class Binding:
    """One way in which a name or attribute gets its value."""

    value: Expression
    how: str = "assign"
    """`assign`, `each` (an element of the value), `enter` (what `with value as` gives), `element`
    (the value is put into the named container), `annotation`, `caught`, `import`, `augment`."""
    items: tuple[int, ...] = ()
    """Where an unpacking assignment takes it from: `a, (b, c) = ...` gives c (1, 1)."""
    line: int = 0


@value(frozen=True, slots=True)
class Region:
    """Lines of a function that tell what runs when it is on its way out."""

    sort: str
    """`final` (a `finally` block), `interrupt` (an `except` for KeyboardInterrupt, SystemExit,
    CancelledError, or for all where it does not go on with the loop), `yielded` (what follows a
    `yield`), `left` (a branch of an `if` that ends with a `return` or `raise`), `arm` (a branch of
    an `if` that has two: they come in pairs)."""
    first_line: int
    last_line: int


@value(frozen=True, slots=True)
class Turn:
    """A `while` loop."""

    test: Expression
    first_line: int
    last_line: int
    left_by: frozenset[str] = frozenset()
    """What the tests in its body read after which it is left: `if self.stopping: break`."""

    @property
    def paths(self) -> frozenset[str]:
        """The names that decide whether it goes on."""
        return self.left_by | {part.path for part in self.test.walk() if part.path}


@value(frozen=True, slots=True)
class Entered:
    """What a `with` enters, and the lines on which it is held."""

    value: Expression
    first_line: int
    last_line: int


@value(frozen=True, slots=True)
class Awaited:
    """A name that is awaited: `await self.task`; an awaited call is among the calls."""

    value: Expression
    place: Place


@value(frozen=True, slots=True)
class FunctionEntry:
    """A function, method or lambda, or the statements of a module; nested ones are entries too."""

    name: str
    """Qualified name in the module, without `<locals>`: `Pool.close`, `main.on_term`."""
    owner: str
    """Qualified name of the class it is a method of, or empty."""
    line: int
    """Of its `def`."""
    first_line: int
    """Of its first decorator."""
    end_line: int
    parameters: tuple[Parameter, ...] = ()
    decorators: tuple[Expression, ...] = ()
    returns: Expression | None = None
    is_async: bool = False
    is_generator: bool = False
    bindings: Mapping[str, tuple[Binding, ...]] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()
    results: tuple[Expression, ...] = ()
    """What it returns (for a lambda its body)."""
    asked: tuple[str, ...] = ()
    """Names and attributes that the tests of its loops read."""
    shared: tuple[str, ...] = ()
    """Names declared `global` or `nonlocal`."""
    regions: tuple[Region, ...] = ()
    column: int = 1
    """Of its `def` or `lambda`."""
    raises: tuple[str, ...] = ()
    """The dotted names of what it raises itself; empty for what bears none."""
    entered: tuple[Entered, ...] = ()
    """What its `with` statements enter, in source order."""
    turns: tuple[Turn, ...] = ()
    """Its `while` loops, in source order."""
    awaits: tuple[Awaited, ...] = ()
    """The names that it awaits, in source order."""
    checkpoints: tuple[Expression, ...] = ()
    """Everything that it awaits, what `async with` and `async for` wait for included."""

    @property
    def short_name(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]

    @property
    def is_definition(self) -> bool:
        """Whether it has a `def`: it is no lambda, and not the statements of a module."""
        return not self.short_name.startswith("<")

    @property
    def parent(self) -> str:
        """The qualified name of what it is nested in, empty at the top."""
        return self.name.rpartition(".")[0]


@value(frozen=True, slots=True)
class ClassEntry:
    """A class: its bases, and what its own body binds."""

    name: str
    line: int
    first_line: int
    end_line: int
    bases: tuple[Expression, ...] = ()
    decorators: tuple[Expression, ...] = ()
    bindings: Mapping[str, tuple[Binding, ...]] = field(default_factory=dict)
    methods: tuple[str, ...] = ()


@value(frozen=True, slots=True)
class ModuleEntry:
    """A file."""

    path: str
    """Relative to the project's root, with forward slashes."""
    imports: Mapping[str, str]
    """Local name -> dotted target; a leading dot for each level of a relative import."""
    stars: tuple[str, ...]
    """Modules imported with `*`."""
    functions: Mapping[str, FunctionEntry]
    classes: Mapping[str, ClassEntry]
    lines: int = 0

    def reader(self, name: str) -> str:
        """The function whose body is read for a function's: a lambda is read with what is around.

        What stands in the body of a class, outside of methods, counts for the module.
        """
        outer = name.partition(".<lambda")[0]
        return outer if outer in self.functions and not outer.startswith("<lambda") else MODULE
