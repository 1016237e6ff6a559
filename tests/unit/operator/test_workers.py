"""Workers: one key's failure is only its own, and each is counted."""

import asyncio
import logging

import pytest

from va_operator import workers
from va_operator.api import Key
from va_operator.errors import ChildRefused, ClusterFailure
from va_operator.metrics import Metrics
from va_operator.work_queue import WorkQueue
from va_operator.workers import work

BAD, GOOD = Key("shop", "bad"), Key("shop", "good")


class Scripted:
    """Fails for the bad key, and ends the test with the good one."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure
        self.reconciled = asyncio.Event()

    async def reconcile(self, key: Key) -> None:
        if key == BAD:
            raise self.failure
        self.reconciled.set()


@pytest.mark.parametrize(
    ("failure", "level", "words", "counted"),
    [
        (
            ChildRefused("NameConflict", "taken"),
            "WARNING",
            "shop/bad: NameConflict: taken",
            ("refused", "NameConflict"),
        ),
        (
            ClusterFailure(503, "busy", retry_after=7),
            "WARNING",
            "next try in 7.0 s",
            ("failed", "503"),
        ),
        (KeyError("x"), "ERROR", "shop/bad: unforeseen", ("broken", "KeyError")),
    ],
)
def test_a_failure_is_logged_and_counted_and_the_next_key_is_taken(
    failure: Exception,
    level: str,
    words: str,
    counted: tuple[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()

    def count(result: str, reason: str) -> float | None:
        labels = {"result": result, "reason": reason}
        return metrics.registry.get_sample_value("va_operator_reconciles_total", labels)

    async def run() -> None:
        queue = WorkQueue[Key]()
        scripted = Scripted(failure)
        queue.add(BAD)
        queue.add(GOOD)
        worker = asyncio.ensure_future(work(queue, scripted, metrics))
        async with asyncio.timeout(5):
            await scripted.reconciled.wait()
            while queue.in_work:
                await asyncio.sleep(0)
        assert {*queue._timers, *queue._held} == {BAD}
        assert count(*counted) == 1
        assert count("succeeded", "") == 1
        worker.cancel()

    with caplog.at_level(logging.INFO, "va_operator"):
        asyncio.run(run())
    [record] = caplog.records
    assert record.levelname == level
    assert words in record.getMessage()
    assert bool(record.exc_info) == (level == "ERROR")


def test_a_reconcile_that_takes_for_ever_is_given_up_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "RECONCILE_SECONDS", 0.01)

    class Hanging:
        async def reconcile(self, key: Key) -> None:
            await asyncio.Event().wait()

    metrics = Metrics()

    async def run() -> None:
        queue = WorkQueue[Key]()
        queue.add(BAD)
        worker = asyncio.ensure_future(work(queue, Hanging(), metrics))
        async with asyncio.timeout(5):
            while BAD not in queue._timers:
                await asyncio.sleep(0)
        worker.cancel()

    asyncio.run(run())
    assert "shop/bad: not done within 0 s; next try" in caplog.text
    labels = {"result": "failed", "reason": "0"}
    assert metrics.registry.get_sample_value("va_operator_reconciles_total", labels) == 1


def test_a_timeout_within_a_reconcile_is_not_taken_for_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()

    async def run() -> None:
        queue, scripted = WorkQueue[Key](), Scripted(TimeoutError("inner"))
        queue.add(BAD)
        worker = asyncio.ensure_future(work(queue, scripted, metrics))
        async with asyncio.timeout(5):
            while BAD not in queue._timers:
                await asyncio.sleep(0)
        worker.cancel()

    asyncio.run(run())
    assert "shop/bad: unforeseen" in caplog.text
