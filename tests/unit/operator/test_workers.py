"""Workers: one key's failure is only its own, and each is counted."""

import asyncio
import logging

import pytest

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
        assert set(queue._timers) == {BAD}
        assert count(*counted) == 1
        assert count("succeeded", "") == 1
        worker.cancel()

    with caplog.at_level(logging.INFO, "va_operator"):
        asyncio.run(run())
    [record] = caplog.records
    assert record.levelname == level
    assert words in record.getMessage()
    assert bool(record.exc_info) == (level == "ERROR")
