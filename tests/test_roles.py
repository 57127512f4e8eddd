"""Who runs a function: what libraries call on classes, tables of handlers, names put together."""

import textwrap

import pytest

from drainlint.finding import Level
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
