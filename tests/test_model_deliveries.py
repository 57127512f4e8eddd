"""Deliveries: received, worked on, handed on, acknowledged; in which order."""

import textwrap

from drainlint.link.deliveries import deliveries
from drainlint.link.names import FunctionId
from drainlint.model.delivery import Delivery, Step
from tests.linked import program

IMPORTS = (
    "import json, logging, pika, queue, threading\nimport kafka\n"
    "from concurrent.futures import ThreadPoolExecutor\n\n"
    "def handle(order): ...\n\n"
)


def found(text: str, function: str) -> list[Delivery]:
    made = program(IMPORTS + textwrap.dedent(text))
    return list(deliveries(made, FunctionId("app.py", function)))


def delivery(text: str, function: str = "on_message") -> Delivery:
    (one,) = found(text, function)
    return one


def texts(steps: tuple[Step, ...]) -> list[str]:
    return [step.text for step in steps]


CALLBACK = """
    def listen(channel: pika.adapters.blocking_connection.BlockingChannel):
        channel.basic_consume("orders", on_message)

    def on_message(channel: pika.adapters.blocking_connection.BlockingChannel, method, _, body):
        {body}
"""


def callback(*lines: str) -> Delivery:
    return delivery(CALLBACK.replace("{body}", "\n        ".join(lines)))


def test_a_message_may_be_acknowledged_after_the_work() -> None:
    one = callback(
        "order = json.loads(body)",
        "logging.info('got %s', order)",
        "handle(order)",
        "channel.basic_ack(method.delivery_tag)",
    )
    assert (one.how, one.message, one.received.place.line) == ("callback", "body", 11)
    assert texts(one.worked_on) == ["handle(order)"]
    assert texts(one.acknowledged) == ["channel.basic_ack(method.delivery_tag)"]
    assert not one.is_acknowledged_first
    assert not one.is_acknowledged_while_worked_on
    assert one.may_stay_unacknowledged


def test_a_message_may_be_acknowledged_before_the_work() -> None:
    one = callback("channel.basic_ack(method.delivery_tag)", "handle(json.loads(body))")
    assert one.is_acknowledged_first


def test_reading_and_logging_a_message_is_no_work() -> None:
    one = callback(
        "order = json.loads(body)",
        "logging.info('got %s', order)",
        "channel.basic_ack(method.delivery_tag)",
        "handle(order)",
    )
    assert one.is_acknowledged_first
    assert texts(one.worked_on) == ["handle(order)"]


def test_a_message_may_be_acknowledged_right_after_it_is_handed_on() -> None:
    one = delivery(
        """
        def listen(channel: pika.adapters.blocking_connection.BlockingChannel):
            channel.basic_consume("orders", on_message)

        pool = ThreadPoolExecutor()

        def on_message(channel: pika.adapters.blocking_connection.BlockingChannel, tag, _, body):
            pool.submit(handle, body)
            channel.basic_ack(tag)
        """
    )
    assert texts(one.handed_to) == ["pool.submit(handle, body)"]
    assert one.is_acknowledged_while_worked_on
    assert not one.is_acknowledged_first


def test_an_acknowledgement_in_a_finally_is_never_skipped() -> None:
    one = callback(
        "try:",
        "    handle(body)",
        "finally:",
        "    channel.basic_ack(method.delivery_tag)",
    )
    assert not one.may_stay_unacknowledged
    assert not one.is_acknowledged_first


def test_a_loop_over_a_consumer_receives() -> None:
    one = delivery(
        """
        def consume():
            consumer = kafka.KafkaConsumer("orders", enable_auto_commit=False)
            for message in consumer:
                consumer.commit()
                handle(message.value)
        """,
        "consume",
    )
    assert (one.how, one.message) == ("loop", "message")
    assert [step.verb for step in one.acknowledged] == ["commit"]
    assert one.is_acknowledged_first


def test_a_job_taken_from_a_queue_is_done_with_at_the_end() -> None:
    text = """
        jobs = queue.Queue()

        def work():
            while True:
                job = jobs.get()
                {first}
                {then}
    """
    late = delivery(text.format(first="handle(job)", then="jobs.task_done()"), "work")
    early = delivery(text.format(first="jobs.task_done()", then="handle(job)"), "work")
    assert late.how == "take"
    assert not late.is_acknowledged_first
    assert early.is_acknowledged_first


def test_who_takes_without_acknowledging_receives_no_message() -> None:
    text = """
        jobs = queue.Queue()

        def work():
            handle(jobs.get())
            job = jobs.get()
            handle(job)
    """
    assert found(text, "work") == []


def test_whoever_is_called_by_others_receives_nothing() -> None:
    assert found("def serve(body):\n    handle(body)\n", "serve") == []
