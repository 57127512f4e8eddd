"""Lifetimes: who creates, starts, stops and joins what a class holds, and what tells it to stop."""

from drainlint.link.names import ClassId
from drainlint.model.deadline import Bound
from drainlint.model.service import Act, Held, Lifetime, StopSignal
from tests.linked import program


def lifetime(text: str, name: str = "Service") -> Lifetime:
    """The lifetime of a class in `app.py`."""
    found = program("import asyncio, queue, socket, subprocess, threading\n" + text)
    made = found.lifetimes.of(ClassId("app.py", name))
    assert made is not None, f"{name} is no service"
    return made


def held(made: Lifetime, name: str) -> Held:
    found = made.attribute(name)
    assert found is not None, f"{name} is not held"
    return found


def signal(made: Lifetime, name: str) -> StopSignal:
    found = made.signal(name)
    assert found is not None, f"{name} is no stop signal"
    return found


def functions(acts: tuple[Act, ...]) -> list[str]:
    return [act.short_function for act in acts]


WORKER = """
class Service:
    def __init__(self):
        self.done = threading.Event()
        self.worker = threading.Thread(target=self.run)

    def start(self):
        self.worker.start()

    def run(self):
        while not self.done.is_set():
            self.done.wait(5)

    def stop(self):
        self.done.set()
        self.worker.join(timeout=5)
"""


def test_a_worker_is_created_started_and_joined_somewhere() -> None:
    worker = held(lifetime(WORKER), "worker")
    assert (worker.sort, worker.nature, worker.type) == ("worker", "thread", "Thread")
    assert functions(worker.created) == ["__init__"]
    assert functions(worker.started) == ["start"]
    assert functions(worker.joined) == ["stop"]
    assert worker.is_joined
    assert not worker.is_left_behind


def test_a_join_knows_its_deadline() -> None:
    deadline = held(lifetime(WORKER), "worker").joined[0].deadline
    assert deadline is not None
    assert (deadline.bound, deadline.seconds) == (Bound.CONSTANT, 5)
    assert not held(lifetime(WORKER), "worker").joined_without_deadline


def test_a_join_without_a_deadline_is_endless() -> None:
    made = lifetime(WORKER.replace("join(timeout=5)", "join()"))
    assert held(made, "worker").joined_without_deadline
    assert functions(made.endless_joins) == ["stop"]


def test_a_deadline_from_a_parameter_is_an_expression_of_the_caller() -> None:
    text = WORKER.replace("def stop(self)", "def stop(self, left=3)").replace("timeout=5", "left")
    (join,) = held(lifetime(text), "worker").joined
    assert join.deadline is not None
    assert (join.deadline.bound, join.deadline.seconds) == (Bound.CALLER, 3)


def test_a_stop_signal_is_set_by_methods_and_read_by_loops() -> None:
    made = lifetime(WORKER)
    done = signal(made, "done")
    assert made.has_stop_signal
    assert (done.nature, done.can_be_waited_for) == ("event", True)
    assert functions(done.set_by) == ["stop"]
    assert functions(done.read_by) == ["run", "run"]


def test_a_worker_that_nobody_joins_is_unjoined() -> None:
    made = lifetime(WORKER.replace("self.worker.join(timeout=5)", "pass"))
    assert [one.name for one in made.unjoined_workers] == ["worker"]
    assert held(made, "worker").is_left_behind


def test_a_worker_that_is_made_elsewhere_is_only_used() -> None:
    made = lifetime("""
class Service:
    def __init__(self, worker: threading.Thread):
        self.worker = worker
""")
    assert held(made, "worker").is_given
    assert made.is_only_a_user
    assert made.unjoined_workers == ()


def test_workers_in_a_list_are_followed_through_loops() -> None:
    made = lifetime("""
class Service:
    def start(self):
        self.workers = []
        for _ in range(3):
            worker = threading.Thread(target=print)
            worker.start()
            self.workers.append(worker)

    def stop(self):
        for worker in reversed(self.workers):
            worker.join(2)
""")
    workers = held(made, "workers")
    assert workers.several
    assert functions(workers.created) == functions(workers.started) == ["start"]
    assert functions(workers.joined) == ["stop"]


def test_a_worker_is_followed_through_a_local_name() -> None:
    made = lifetime("""
class Service:
    def start(self):
        self.worker = threading.Thread(target=print)

    def stop(self):
        worker, self.worker = self.worker, None
        worker.join()
""")
    assert functions(held(made, "worker").joined) == ["stop"]


def test_an_object_made_under_two_names_at_once_is_one() -> None:
    made = lifetime("""
class Service:
    def run(self):
        stopped = self.stopped = threading.Event()
        while not stopped.is_set():
            pass

    def stop(self):
        self.stopped.set()
""")
    assert functions(signal(made, "stopped").read_by) == ["run"]


def test_a_method_that_is_kept_under_a_name_counts_as_used() -> None:
    text = WORKER.replace(
        "while not self.done.is_set():",
        "is_done = self.done.is_set\n        while not is_done():",
    )
    made = lifetime(text)
    assert functions(signal(made, "done").read_by) == ["run", "run"]


def test_two_attributes_in_one_list_are_both_joined() -> None:
    made = lifetime("""
class Service:
    def __init__(self):
        self.one = threading.Thread(target=print)
        self.two = threading.Thread(target=print)

    def stop(self):
        for worker in [self.one] + [self.two]:
            worker.join()
""")
    assert functions(held(made, "one").joined) == functions(held(made, "two").joined) == ["stop"]


def test_a_helper_joins_what_it_is_given() -> None:
    made = lifetime("""
def finish(workers, patience):
    for worker in workers:
        worker.join(patience)

class Service:
    def __init__(self):
        self.workers = [threading.Thread(target=print)]

    def stop(self):
        finish(self.workers, 3)
""")
    assert functions(held(made, "workers").joined) == ["finish"]


def test_a_thread_of_another_class_is_joined_from_outside() -> None:
    made = lifetime("""
class Service:
    def __init__(self):
        self.worker = threading.Thread(target=print)

class Owner:
    def __init__(self):
        self.service = Service()

    def stop(self):
        self.service.worker.join(timeout=1)
""")
    (join,) = held(made, "worker").joined
    assert join.function == "Owner.stop"


def test_tasks_are_stopped_by_cancelling_and_joined_by_awaiting() -> None:
    made = lifetime("""
class Service:
    async def start(self):
        self.task = asyncio.create_task(self.run())
        self.others = {asyncio.create_task(self.run())}

    async def run(self):
        pass

    async def stop(self):
        self.task.cancel()
        await self.task
        await asyncio.wait_for(asyncio.gather(*self.others), 3)
""")
    task, others = held(made, "task"), held(made, "others")
    assert functions(task.started) == ["start"]  # a task runs from the moment it is made
    assert functions(task.stopped) == functions(task.joined) == ["stop"]
    assert task.joined_without_deadline
    assert [join.text for join in others.joined] == ["asyncio.gather(*self.others)"]
    assert not others.joined_without_deadline  # `wait_for` bounds what it waits for


def test_an_executor_is_stopped_and_joined_by_one_call() -> None:
    made = lifetime("""
from concurrent.futures import ThreadPoolExecutor

class Service:
    def __init__(self):
        self.pool = ThreadPoolExecutor()

    def submit(self, job):
        self.pool.submit(job)

    def stop(self):
        self.pool.shutdown()
""")
    pool = held(made, "pool")
    assert functions(pool.stopped) == functions(pool.joined) == ["stop"]
    assert functions(made.submits) == ["submit"]


def test_an_executor_that_is_shut_down_without_waiting_is_not_joined() -> None:
    made = lifetime("""
from concurrent.futures import ThreadPoolExecutor

class Service:
    def __init__(self):
        self.pool = ThreadPoolExecutor()

    def stop(self):
        self.pool.shutdown(wait=False)
""")
    assert held(made, "pool").is_stopped
    assert not held(made, "pool").is_joined


def test_an_executor_under_with_is_joined_there() -> None:
    made = lifetime("""
from concurrent.futures import ThreadPoolExecutor

class Service:
    def __init__(self):
        self.pool = ThreadPoolExecutor()

    def run(self):
        with self.pool:
            pass
""")
    assert functions(held(made, "pool").joined) == ["run"]


def test_a_resource_is_created_and_closed() -> None:
    made = lifetime("""
class Service:
    def connect(self):
        self.connection = socket.create_connection(("localhost", 80), 5)

    def close(self):
        self.connection.close()
""")
    connection = held(made, "connection")
    assert connection.sort == "resource"
    assert functions(connection.created) == ["connect"]
    assert functions(connection.stopped) == ["close"]
    assert not connection.is_left_behind


def test_what_a_library_hands_out_is_not_created() -> None:
    made = lifetime("""
class Service:
    def __init__(self):
        self.loop = asyncio.get_event_loop()
        self.done = threading.Event()
""")
    assert held(made, "loop").is_given


def test_a_flag_is_set_where_it_gets_the_value_that_ends_the_loop() -> None:
    made = lifetime("""
class Service:
    def __init__(self):
        self.running = False

    def run(self):
        self.running = True
        while self.running:
            pass

    def stop(self):
        self.running = False
""")
    running = signal(made, "running")
    assert (running.nature, running.can_be_waited_for) == ("flag", False)
    assert functions(running.set_by) == ["stop"]
    assert functions(running.read_by) == ["run"]


def test_a_flag_may_be_set_from_outside() -> None:
    made = lifetime("""
class Service:
    def __init__(self):
        self.running = True

    def run(self):
        while self.running:
            pass

    def stop(self):
        self.running = False

def on_term(service: Service):
    service.running = False
""")
    assert functions(signal(made, "running").set_by) == ["stop", "on_term"]


def test_a_queue_that_takes_an_end_marker_is_a_stop_signal() -> None:
    made = lifetime("""
class Service:
    def __init__(self):
        self.jobs = queue.Queue()
        self.worker = threading.Thread(target=self.run)

    def submit(self, job):
        self.jobs.put(job)

    def run(self):
        while self.jobs.get() is not None:
            pass

    def stop(self):
        self.jobs.put(None)
""")
    jobs = signal(made, "jobs")
    assert jobs.nature == "queue"
    assert functions(jobs.set_by) == ["stop"]
    assert functions(jobs.read_by) == ["run"]
    assert functions(made.submits) == ["submit"]


def test_an_event_that_is_handed_to_a_signal_handler_is_set_there() -> None:
    made = lifetime("""
import signal

class Service:
    def __init__(self):
        self.stopping = asyncio.Event()

    async def run(self):
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stopping.set)
        await self.stopping.wait()
""")
    assert functions(signal(made, "stopping").set_by) == ["run"]


def test_what_a_base_binds_belongs_to_the_base() -> None:
    made = lifetime(
        WORKER
        + """
class Special(Service):
    def __init__(self):
        super().__init__()
        self.extra = threading.Thread(target=print)

    def stop(self):
        super().stop()
        self.extra.join()
""",
        "Special",
    )
    assert held(made, "worker").owner == "Service"
    assert held(made, "extra").owner == "Special"
    assert signal(made, "done").owner == "Service"


def test_a_thread_subclass_is_its_own_worker() -> None:
    made = lifetime(
        """
class Ticker(threading.Thread):
    def run(self):
        pass

class Owner:
    def __init__(self):
        self.ticker = Ticker()

    def start(self):
        self.ticker.start()

    def stop(self):
        self.ticker.join()
""",
        "Ticker",
    )
    own = held(made, "self")
    assert [act.function for act in own.started] == ["Owner.start"]
    assert [act.function for act in own.joined] == ["Owner.stop"]


def test_asking_whether_a_worker_runs_is_no_join() -> None:
    made = lifetime("""
class Service:
    def __init__(self):
        self.worker = threading.Thread(target=print)

    def stop(self):
        while self.worker.is_alive():
            pass
""")
    assert functions(held(made, "worker").asked) == ["stop"]
    assert not held(made, "worker").is_joined


def test_services_that_hold_each_other_are_services_whoever_is_asked_first() -> None:
    text = """
import threading

class A:
    def __init__(self, b: "B"):
        self.b = b
        self.worker = threading.Thread(target=print)

class B:
    def __init__(self, a: A):
        self.a = a
"""
    keys = [ClassId("app.py", "A"), ClassId("app.py", "B")]
    for order in (keys, keys[::-1]):
        services = program(text).services
        assert all(services.of(key) is not None for key in order)


def test_a_class_object_is_no_instance() -> None:
    made = program("""
import threading

class Worker(threading.Thread):
    pass

class Registry:
    worker_class = Worker
""")
    assert made.services.of(ClassId("app.py", "Registry")) is None


def test_a_class_without_a_lifetime_is_no_service() -> None:
    made = program("class Plain:\n    def __init__(self):\n        self.name = 'plain'\n")
    assert made.lifetimes.of(ClassId("app.py", "Plain")) is None
