"""Who runs a function: what libraries call on classes, tables of handlers, names put together."""

import textwrap

import pytest

from drainlint.finding import Level
from drainlint.link.entries import Entries
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from tests.conftest import findings_in
from tests.linked import program


def roles(made: Program, function: str, path: str = "app.py") -> frozenset[str]:
    """The roles of a function, those that callers bring included."""
    return made.function(FunctionId(path, function)).roles


# Methods that a library calls


HANDLERS = {
    "http.server": ("from http.server import BaseHTTPRequestHandler as Base", "do_GET"),
    "socketserver": ("from socketserver import StreamRequestHandler as Base", "handle"),
    "tornado": ("from tornado.web import RequestHandler as Base", "post"),
    "tornado's sockets": ("from tornado.websocket import WebSocketHandler as Base", "on_message"),
    "tornado's sockets, first": ("from tornado.websocket import WebSocketHandler as Base", "get"),
    "aiohttp": ("from aiohttp.web import View as Base", "get"),
    "twisted": ("from twisted.web.resource import Resource as Base", "render_GET"),
    "flask": ("from flask.views import MethodView as Base", "delete"),
    "flask, one method for all": ("from flask.views import View as Base", "dispatch_request"),
    "django": ("from django.views import View as Base", "get"),
    "rest framework": ("from rest_framework.viewsets import ModelViewSet as Base", "retrieve"),
    "grpc": ("from shop.orders_pb2_grpc import OrdersServicer as Base", "PlaceOrder"),
}
CLASS = """
{imports}

class Handler(Base):
    def {method}(self, *args):
        self.answer()

    def answer(self): ...

    def _other(self): ...
"""


@pytest.mark.parametrize("framework", HANDLERS)
def test_a_method_that_a_server_calls_for_each_request_is_a_request_handler(
    framework: str,
) -> None:
    imports, method = HANDLERS[framework]
    made = program(CLASS.format(imports=imports, method=method))
    assert "request-handler" in roles(made, f"Handler.{method}")
    assert "request-handler" in roles(made, "Handler.answer")
    assert roles(made, "Handler._other") == frozenset()


def test_a_method_of_that_name_on_any_other_class_is_none() -> None:
    made = program(CLASS.format(imports="class Base: ...", method="do_GET"))
    assert roles(made, "Handler.do_GET") == frozenset()


def test_a_base_in_another_module_passes_the_role_on() -> None:
    made = program(
        {
            "base.py": """
                import tornado.web

                class Common(tornado.web.RequestHandler):
                    def prepare(self): ...
            """,
            "app.py": """
                from base import Common

                class Items(Common):
                    def get(self): ...
            """,
        }
    )
    assert roles(made, "Items.get") == {"request-handler"}
    assert roles(made, "Common.prepare", "base.py") == {"request-handler"}


def test_a_mixed_in_method_is_called_like_its_own() -> None:
    made = program("""
        from http.server import BaseHTTPRequestHandler

        class Answers:
            def do_GET(self): ...

            def close(self): ...

        class Handler(Answers, BaseHTTPRequestHandler): ...
    """)
    assert roles(made, "Answers.do_GET") == {"request-handler"}
    assert roles(made, "Answers.close") == frozenset()


def test_a_servicer_generated_into_the_project_is_a_base_as_well() -> None:
    made = program(
        {
            "shop/__init__.py": "",
            "shop/orders_pb2_grpc.py": """
                class OrdersServicer(object):
                    def PlaceOrder(self, request, context):
                        raise NotImplementedError
            """,
            "app.py": """
                from shop import orders_pb2_grpc

                class Orders(orders_pb2_grpc.OrdersServicer):
                    def PlaceOrder(self, request, context): ...
            """,
        }
    )
    assert roles(made, "Orders.PlaceOrder") == {"request-handler"}


@pytest.mark.parametrize(
    ("imports", "method"),
    [
        ("from socketserver import BaseRequestHandler as Base", "finish"),
        ("from rest_framework.viewsets import ModelViewSet as Base", "destroy"),
        ("from channels.generic.websocket import WebsocketConsumer as Base", "disconnect"),
    ],
)
def test_the_end_of_a_request_is_not_the_end_of_the_program(imports: str, method: str) -> None:
    made = program(CLASS.format(imports=imports, method=method))
    assert not made.drain_paths.roots
    other = program(CLASS.format(imports="class Base: ...", method=method))
    assert other.drain_paths.roots


def test_what_a_framework_stops_is_a_shutdown_hook() -> None:
    made = program("""
        from twisted.application.service import Service

        class Poller(Service):
            def startService(self): ...

            def stopService(self):
                self.wind_up()

            def wind_up(self): ...
    """)
    found = made.drain(FunctionId("app.py", "Poller.wind_up"), 11)
    assert found is not None
    assert (found.sort, found.by_name) == ("shutdown-hook", False)


def test_a_pause_in_a_request_handler_is_an_error() -> None:
    text = """
        import time
        {imports}

        class Handler({base}):
            def do_GET(self):
                time.sleep(5)
    """
    served = text.format(
        imports="from http.server import BaseHTTPRequestHandler", base="BaseHTTPRequestHandler"
    )
    plain = text.format(imports="", base="object")
    assert [f.level for f in findings_in(textwrap.dedent(served))] == [Level.ERROR]
    assert [f.level for f in findings_in(textwrap.dedent(plain))] == [Level.WARNING]


# Tables of handlers


TABLES = {
    "a loop over a table": """
        HANDLERS = {signal.SIGTERM: on_term, signal.SIGHUP: on_hup}

        def install():
            for number, handler in HANDLERS.items():
                signal.signal(number, handler)
    """,
    "a loop over pairs": """
        def install():
            for number, handler in [(signal.SIGTERM, on_term), (signal.SIGHUP, on_hup)]:
                signal.signal(number, handler)
    """,
    "a table that is filled later": """
        HANDLERS = {}
        HANDLERS[signal.SIGTERM] = on_term
        HANDLERS[signal.SIGHUP] = on_hup

        def install():
            for number in HANDLERS:
                signal.signal(number, HANDLERS[number])
    """,
    "a table looked up with get": """
        HANDLERS = dict(SIGTERM=on_term, SIGHUP=on_hup)

        def install(names):
            for name in names:
                signal.signal(getattr(signal, name), HANDLERS.get(name))
    """,
    "a class that keeps handlers": """
        class Signals:
            def __setitem__(self, name, handler):
                signal.signal(getattr(signal, name), handler)

            def update(self, **handlers):
                for name, handler in handlers.items():
                    self[name] = handler

        signals = Signals()
        signals.update(SIGTERM=on_term)
        signals["SIGHUP"] = on_hup
    """,
    "a helper that binds the signal to the handler it is given": """
        from functools import partial

        class Worker:
            def __init__(self):
                self.add(signal.SIGTERM, on_term)
                self.add(signal.SIGHUP, on_hup)

            def add(self, number, handler):
                signal.signal(number, partial(handler, number))
    """,
    "the values of a class's own table": """
        class Server:
            handlers = {signal.SIGTERM: on_term, signal.SIGHUP: on_hup}

            def install(self):
                for number, handler in self.handlers.items():
                    signal.signal(number, handler)
    """,
}


@pytest.mark.parametrize("how", TABLES)
def test_the_functions_in_a_table_of_handlers_are_handlers(how: str) -> None:
    text = "import signal\n\ndef on_term(*_): ...\n\ndef on_hup(*_): ...\n\ndef other(): ...\n"
    made = program(text + textwrap.dedent(TABLES[how]))
    assert roles(made, "on_term") == {"signal-handler"}
    assert roles(made, "on_hup") == {"signal-handler"}
    assert roles(made, "other") == frozenset()


def test_a_handler_of_a_table_is_registered_for_its_own_signal() -> None:
    made = program(
        "import signal\n\ndef on_term(*_): ...\n\ndef on_hup(*_): ...\n"
        + textwrap.dedent(TABLES["a loop over a table"])
    )
    entries = Entries(made.graph, made.roles)
    assert {r.target.name: [*entries.triggers(r)] for r in made.graph.registrations} == {
        "on_term": ["SIGTERM"],
        "on_hup": ["SIGHUP"],
    }


def callees(made: Program, function: str) -> set[str]:
    return {key.name for key in made.graph.callees.get(FunctionId("app.py", function), ())}


LOOKED_UP = {
    "by adding": 'getattr(self, "handle_" + name)',
    "by a template": 'getattr(self, "handle_%s" % name)',
    "by format": 'getattr(self, "handle_{}".format(name))',
    "by an f-string": 'getattr(self, f"handle_{name}", None)',
}


@pytest.mark.parametrize("how", LOOKED_UP)
def test_a_name_that_is_put_together_means_every_method_with_that_beginning(how: str) -> None:
    made = program(f"""
        class Arbiter:
            def run(self, name):
                handler = {LOOKED_UP[how]}
                handler()

            def at_once(self, name):
                {LOOKED_UP[how]}()

            def handle_term(self): ...

            def handle_hup(self): ...

            def stop(self): ...

        class Special(Arbiter):
            def handle_usr1(self): ...
    """)
    expected = {"Arbiter.handle_term", "Arbiter.handle_hup", "Special.handle_usr1"}
    assert callees(made, "Arbiter.run") == expected
    assert callees(made, "Arbiter.at_once") == expected


def test_a_name_without_a_beginning_means_nothing() -> None:
    made = program("""
        class Arbiter:
            def run(self, name):
                getattr(self, name)()

            def handle_term(self): ...
    """)
    assert callees(made, "Arbiter.run") == set()


def test_a_constant_key_of_a_table_means_one_function() -> None:
    made = program("""
        def first(): ...

        def second(): ...

        STEPS = {"first": first, "second": second}

        def one():
            STEPS["first"]()

        def any_(name):
            STEPS[name]()
    """)
    assert callees(made, "one") == {"first"}
    assert callees(made, "any_") == {"first", "second"}


DISPATCHED = """
    import atexit

    class Service:
        def begin(self):
            atexit.register(self.leave)

        def leave(self):
            for name in ("flush", "save"):
                getattr(self, "do_" + name)()
            self.say_goodbye()

        def do_flush(self): ...

        def do_save(self): ...

        def say_goodbye(self): ...
"""


def test_what_one_of_several_calls_may_enter_is_on_the_path_with_less_certainty() -> None:
    made = program(DISPATCHED)
    flush = made.drain(FunctionId("app.py", "Service.do_flush"), 13)
    goodbye = made.drain(FunctionId("app.py", "Service.say_goodbye"), 17)
    assert flush is not None
    assert flush.by_name
    assert goodbye is not None
    assert not goodbye.by_name


def test_a_guess_is_none_where_the_function_is_also_called_by_its_name() -> None:
    made = program(DISPATCHED.replace("self.say_goodbye()", "self.do_save()"))
    save = made.drain(FunctionId("app.py", "Service.do_save"), 15)
    assert save is not None
    assert not save.by_name


# Classes chosen from a table, or by a string


ENGINES = {
    "engines.py": """
        import threading

        class Polling(threading.Thread):
            def wind_up(self): ...

        class Watching(threading.Thread):
            def wind_up(self): ...

        ENGINES = {"poll": Polling, "watch": Watching}
        PATHS = {"poll": "engines.Polling", "watch": "engines:Watching"}
    """,
    "loading.py": """
        import importlib

        def load(path):
            module, _, name = path.rpartition(".")
            return getattr(importlib.import_module(module), name)
    """,
}
CHOSEN = {
    "by a table": "ENGINES[name]",
    "by a table, with a default": "ENGINES.get(name, Polling)",
    "by a table of strings": "import_string(PATHS[name])",
    "by a table of strings and a function of the project": "load(PATHS.get(name))",
}


@pytest.mark.parametrize("how", CHOSEN)
def test_a_class_chosen_from_a_table_is_any_of_them(how: str) -> None:
    made = program({**ENGINES, "app.py": APP.format(chosen=CHOSEN[how])})
    assert callees(made, "Service.stop") == {"Polling.wind_up", "Watching.wind_up"}
    drained = made.drain(FunctionId("engines.py", "Watching.wind_up"), 8)
    assert drained is not None
    assert drained.by_name
    lifetime = made.lifetimes.of_function(FunctionId("app.py", "Service.stop"))
    assert lifetime is not None
    assert [held.name for held in lifetime.own_workers] == ["engine"]


APP = """
    from django.utils.module_loading import import_string

    from engines import ENGINES, PATHS, Polling
    from loading import load

    class Service:
        def __init__(self, name):
            engine_class = {chosen}
            self.engine = engine_class()

        def stop(self):
            self.engine.wind_up()
"""


def test_a_class_named_by_a_constant_is_that_one() -> None:
    made = program({**ENGINES, "app.py": APP.format(chosen='import_string("engines.Watching")')})
    assert callees(made, "Service.stop") == {"Watching.wind_up"}
    drained = made.drain(FunctionId("engines.py", "Watching.wind_up"), 8)
    assert drained is not None
    assert not drained.by_name
