"""Programs that do one thing after the other have nothing to drain."""

import textwrap
from collections.abc import Mapping

import pytest

from drainlint.finding import Level
from tests.conftest import findings_in
from tests.linked import program

TOOL = {
    "fetch.py": """
        import urllib.request

        def fetch(address):
            return urllib.request.urlopen(address)
    """,
    "app.py": """
        import sys

        from fetch import fetch

        def main():
            {more}
            print(fetch(sys.argv[1]))

        if __name__ == "__main__":
            main()
    """,
}
MORE = {
    "a thread": "import threading; threading.Thread(target=print).start()",
    "a pool": "import concurrent.futures as f; f.ThreadPoolExecutor().submit(print)",
    "an event loop": "import asyncio; asyncio.run(asyncio.sleep(1))",
    "a signal handler": "import signal; signal.signal(signal.SIGTERM, print)",
    "an ignored signal": "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)",
    "a server": "import http.server as h; h.HTTPServer(('', 1), None).serve_forever()",
    "something loaded by its name": "import importlib; importlib.import_module(sys.argv[2])",
    "something unknown that runs": "import elsewhere; elsewhere.make(sys.argv).run()",
}


def tool(more: str = "pass", **others: str) -> dict[str, str]:
    return {path: text.replace("{more}", more) for path, text in {**TOOL, **others}.items()}


def levels(files: Mapping[str, str], path: str = "fetch.py") -> list[Level]:
    dedented = {name: textwrap.dedent(text) for name, text in files.items()}
    found = findings_in(dedented, select=["DRN308", "DRN309", "DRN302"])
    return [finding.level for finding in found if finding.path == path]


def test_a_program_without_workers_is_alone_with_all_that_it_reaches() -> None:
    made = program(tool())
    assert made.programs.is_alone("app.py")
    assert made.programs.is_alone("fetch.py")


@pytest.mark.parametrize("what", MORE)
def test_a_program_with_anything_beside_its_main_flow_is_not_alone(what: str) -> None:
    made = program(tool(MORE[what]))
    assert not made.programs.is_alone("app.py")
    assert not made.programs.is_alone("fetch.py")


def test_a_file_that_no_program_reaches_is_library_code() -> None:
    assert not program({"fetch.py": TOOL["fetch.py"]}).programs.is_alone("fetch.py")


def test_a_file_of_two_programs_is_judged_by_the_one_with_workers() -> None:
    service = """
        import threading

        from fetch import fetch

        def main():
            threading.Thread(target=fetch).start()

        if __name__ == "__main__":
            main()
    """
    made = program(tool(**{"service.py": service}))
    assert made.programs.is_alone("app.py")
    assert not made.programs.is_alone("fetch.py")


def test_a_file_that_starts_something_where_no_program_leads_is_judged_in_full() -> None:
    beside = """
        import threading
        import urllib.request

        def fetch(address):
            return urllib.request.urlopen(address)

        class Poller:
            def start(self):
                threading.Thread(target=fetch).start()
    """
    made = program({**tool(), "fetch.py": beside})
    assert made.programs.is_alone("app.py")
    assert not made.programs.is_alone("fetch.py")


def test_an_object_may_have_any_of_its_methods_called() -> None:
    made = program("""
        import threading

        class Tool:
            def run(self):
                getattr(self, input())()

            def watch(self):
                threading.Thread(target=print).start()

        if __name__ == "__main__":
            Tool().run()
    """)
    assert not made.programs.is_alone("app.py")


def test_waits_of_a_program_without_workers_are_notes() -> None:
    assert levels(tool()) == [Level.NOTE]
    assert levels(tool(MORE["a thread"])) == [Level.WARNING]
    assert levels({"fetch.py": TOOL["fetch.py"]}) == [Level.WARNING]


def test_what_only_an_example_reaches_is_library_code() -> None:
    files = tool()
    assert levels({"fetch.py": files["fetch.py"], "examples/app.py": files["app.py"]}) == [
        Level.WARNING
    ]
