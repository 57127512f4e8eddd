"""Values that are made by the million: what the index keeps of source code.

To type checkers `value(frozen=True, slots=True)` is `dataclass(frozen=True, slots=True)`, so nobody
changes one. When it runs nothing watches over that, since a frozen dataclass sets each of its
fields by a call: made without it, a value comes to life in half the time, and comes out of a pickle
in a fifth of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ("value",)

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:

    def value(*, frozen: bool, slots: bool) -> Callable[[type[T]], type[T]]:
        """Make a class one of values: compared and hashed by their fields, pickled as a call."""

        def made(cls: type[T]) -> type[T]:
            as_dataclass = dataclass(slots=slots, unsafe_hash=frozen)(cls)
            as_dataclass.__reduce__ = _reduction(as_dataclass)
            return as_dataclass

        return made


def _reduction(cls: type[Any]) -> Callable[[Any], tuple[object, tuple[object, ...]]]:
    """What a value is pickled as: the call of its class that makes it again."""
    names = [field.name for field in fields(cls) if field.init]
    if len(names) > 1:
        several = attrgetter(*names)
        return lambda self: (cls, several(self))
    return lambda self: (cls, tuple(getattr(self, name) for name in names))
