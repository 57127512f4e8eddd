"""On whose `self` a chain of calls is: a method of one heir does not lead to one of another."""

from collections.abc import Container
from functools import cache

from drainlint.index.entries import FunctionEntry
from drainlint.link.classes import Classes
from drainlint.link.names import ClassId, FunctionId
from drainlint.model.expression import Call


class Objects:
    """Follows calls object by object: what `self` is on the way, as the most special class known.

    A base's `close` calls `self._delete()`, which may enter every heir's; where `close` was
    entered from one heir, by `super().close()`, it can only enter that heir's.
    """

    def __init__(self, classes: Classes) -> None:
        """Take the project's classes."""
        self._classes = classes
        self.after = cache(self._after)

    def of(self, key: FunctionId) -> ClassId | None:
        """What `self` is at least where a chain begins; None in a plain function."""
        return self._classes.owner(key)

    def _after(
        self, caller: FunctionId, me: ClassId | None, callee: FunctionId
    ) -> tuple[ClassId | None] | None:
        """What `self` is in a callee; None where a call on this object cannot enter it."""
        owner = self._classes.owner(callee)
        if me is None or owner is None or owner == me:
            return (owner,)
        if callee.name.startswith(f"{caller.name}."):
            return (me,)
        own, up = self._on_self(caller, callee)
        if not own:
            return (owner,)
        if owner in self._classes.project_line(me):
            return (me,) if up or self._is_seen_by(me, callee) else None
        if me in self._classes.project_line(owner):
            return (owner,)
        both = (owner in self._classes.project_line(one) for one in self._classes.children(me))
        return (me,) if any(both) else None

    def _on_self(self, caller: FunctionId, callee: FunctionId) -> tuple[bool, bool]:
        """Whether all calls that enter a callee are upon this very object; whether by `super()`."""
        name = self._entry(callee).short_name
        me = self._classes.self_name(caller)
        calls = [call for call in self._entry(caller).calls if call.method == name]
        ups = [_is_super(call) for call in calls]
        own = [
            up or (call.receiver is not None and call.receiver.path == me)
            for call, up in zip(calls, ups, strict=True)
        ]
        return bool(me) and bool(own) and all(own), any(ups)

    def _is_seen_by(self, me: ClassId, callee: FunctionId) -> bool:
        """Whether instances of a class, or of an heir of it, have this very method."""
        name = self._entry(callee).short_name
        heirs = (me, *self._classes.children(me))
        return any(self._classes.method(one, name) == callee for one in heirs)

    def _entry(self, key: FunctionId) -> FunctionEntry:
        return self._classes.names.function(key)

    def covers(self, seen: Container[ClassId | None], me: ClassId | None) -> bool:
        """Whether one of the classes seen so far stands for every object that this one does."""
        if me is None:
            return None in seen
        return any(one in seen for one in self._classes.project_line(me))


def _is_super(call: Call) -> bool:
    return isinstance(call.receiver, Call) and call.receiver.func.path == "super"
