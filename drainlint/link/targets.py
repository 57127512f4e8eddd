"""Which functions of the project a call enters."""

from collections.abc import Iterator

from drainlint.link.callables import Callables
from drainlint.link.names import ClassId, FunctionId, Library
from drainlint.model.expression import Call, Subscript
from drainlint.model.kind import Kind

MANY = 16
"""A table with more functions than this says too little about which of them a call enters."""


class Targets(Callables):
    """Answers what a call enters: by names and kinds, by tables, by names put together."""

    def targets(self, scope: FunctionId, call: Call) -> tuple[FunctionId, ...]:
        """The functions of the project that a call may enter."""
        return self._entered(scope, call) or self._dispatched(scope, call)

    def _entered(self, scope: FunctionId, call: Call) -> tuple[FunctionId, ...]:
        """What a call enters by names and kinds."""
        receiver = call.receiver
        if isinstance(receiver, Call) and receiver.func.path == "super":
            return tuple(self._super(scope, call.method))
        path = call.func.path
        resolved = self.names.resolve(scope, path) if path else None
        if resolved is not None and not resolved.rest:
            match resolved.symbol:
                case FunctionId() as function:
                    return (function,)
                case ClassId() as key:
                    return self._constructors(key)
                case Library():
                    return ()
        if receiver is not None:
            if call.method not in self.classes.member_names:
                return ()
            return self.methods(self.kinds.of(scope, receiver), call.method)
        if isinstance(call.func, Subscript | Call):
            return ()
        return self._called_kind(self.kinds.of(scope, call.func))

    def _dispatched(self, scope: FunctionId, call: Call) -> tuple[FunctionId, ...]:
        """What a call enters that takes its function out of a table, or looks it up by name."""
        if call.receiver is not None:
            return ()
        found = self.possible(scope, call.func)
        if not found and isinstance(call.func, Subscript | Call):
            return self._called_kind(self.kinds.of(scope, call.func))
        return found if len(found) <= MANY else ()

    def _constructors(self, key: ClassId) -> tuple[FunctionId, ...]:
        found = (self.classes.method(key, n) for n in ("__init__", "__post_init__", "__new__"))
        return tuple(f for f in found if f is not None)

    def _called_kind(self, kind: Kind | None) -> tuple[FunctionId, ...]:
        if kind is None or not kind.is_project:
            return ()
        path, name = kind.definition
        if kind.nature == "function":
            return (FunctionId(path, name),)
        if kind.nature == "class":
            return self._constructors(ClassId(path, name))
        return self.methods(kind, "__call__")

    def _super(self, scope: FunctionId, method: str) -> Iterator[FunctionId]:
        owner = self.classes.owner(scope)
        if owner is None:
            return
        for one in list(self.classes.project_line(owner))[1:]:
            found = FunctionId(one.path, f"{one.name}.{method}")
            if found.name in self.names.modules[one.path].functions:
                yield found
                return
