"""How long a wait may take."""

from dataclasses import dataclass
from enum import Enum


class Bound(Enum):
    """What bounds a wait."""

    NONE = "none"
    """Nothing: it waits for ever."""
    CONSTANT = "constant"
    """A number of seconds that is known."""
    EXPRESSION = "expression"
    """A value that is only known at run time."""
    HANDED_ON = "handed on"
    """A parameter whose default is None: the caller decides, and by default nothing bounds it."""
    CALLER = "caller"
    """A parameter that is required, or has a real default: the caller decides."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The deadline of a wait."""

    bound: Bound
    seconds: float | None = None
    """Known only for `CONSTANT`; 0 does not wait at all."""
    text: str = ""
    """As written, for messages."""

    @property
    def is_none(self) -> bool:
        """Whether nothing bounds the wait."""
        return self.bound is Bound.NONE

    @property
    def polls(self) -> bool:
        """Whether it does not wait at all."""
        return self.seconds is not None and self.seconds <= 0

    @property
    def shown(self) -> str:
        """`none`, `5 s`, or the expression."""
        if self.bound in (Bound.CONSTANT, Bound.CALLER) and self.seconds is not None:
            return f"{self.seconds:g} s"
        return self.text if self.text and not self.is_none else self.bound.value


FOREVER = Deadline(Bound.NONE)
AT_ONCE = Deadline(Bound.CONSTANT, 0.0)
