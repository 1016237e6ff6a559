"""The queue: every key once, never twice at the same time, again after a pause."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from va_operator.work_queue import FIRST_PAUSE, LONGEST_PAUSE, WorkQueue


def runs(test: Callable[[WorkQueue[str]], Awaitable[None]]) -> None:
    async def run() -> None:
        await test(WorkQueue[str]())

    asyncio.run(run())


async def idle(queue: WorkQueue[str]) -> bool:
    """Tell whether nothing can be taken."""
    taking = asyncio.ensure_future(queue.take())
    for _ in range(3):
        await asyncio.sleep(0)
    if taking.done():
        return False
    taking.cancel()
    return True


def test_keys_come_in_the_order_in_which_they_were_added() -> None:
    async def test(queue: WorkQueue[str]) -> None:
        queue.add("a")
        queue.add("b")
        assert [await queue.take(), await queue.take()] == ["a", "b"]

    runs(test)


def test_a_key_waits_once_however_often_it_is_added() -> None:
    async def test(queue: WorkQueue[str]) -> None:
        for _ in range(5):
            queue.add("a")
        assert len(queue) == 1

    runs(test)


def test_a_key_in_work_is_not_given_to_a_second_worker() -> None:
    async def test(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await queue.take()
        queue.add("a")
        queue.add("a")
        assert await idle(queue)

        queue.done("a")
        assert await queue.take() == "a"
        queue.done("a")
        assert await idle(queue)

    runs(test)


def test_a_waiting_worker_is_woken() -> None:
    async def test(queue: WorkQueue[str]) -> None:
        first, second = (asyncio.ensure_future(queue.take()) for _ in range(2))
        await asyncio.sleep(0)
        queue.add("a")
        queue.add("b")
        assert {await first, await second} == {"a", "b"}

    runs(test)


def test_pauses_double_up_to_a_limit_and_start_again_after_success() -> None:
    async def test(queue: WorkQueue[str]) -> None:
        pauses = []
        for _ in range(10):
            queue.add("a")
            pauses.append(queue.failed(await queue.take()))
        assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]

        queue.add("a")
        queue.done(await queue.take())
        queue.add("a")
        assert queue.failed(await queue.take()) == FIRST_PAUSE

    runs(test)


def test_a_thousand_failures_pause_no_longer_than_the_longest() -> None:
    async def test(queue: WorkQueue[str]) -> None:
        for _ in range(1000):
            queue.add("a")
            assert queue.failed(await queue.take()) <= LONGEST_PAUSE

    runs(test)


@pytest.mark.parametrize(("asked", "pause"), [(10, 10), (0.1, FIRST_PAUSE), (None, FIRST_PAUSE)])
def test_a_server_may_ask_for_a_longer_pause_but_not_for_a_shorter(
    asked: float | None, pause: float
) -> None:
    async def test(queue: WorkQueue[str]) -> None:
        queue.add("a")
        assert queue.failed(await queue.take(), retry_after=asked) == pause

    runs(test)


def test_a_failed_key_comes_back_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("va_operator.work_queue.FIRST_PAUSE", 0.001)

    async def test(queue: WorkQueue[str]) -> None:
        queue.add("a")
        queue.failed(await queue.take())
        async with asyncio.timeout(5):
            assert await queue.take() == "a"

    runs(test)


def test_news_end_the_pause_and_the_key_comes_once() -> None:
    async def test(queue: WorkQueue[str]) -> None:
        queue.add("a")
        queue.failed(await queue.take())
        assert await idle(queue)

        queue.add("a")
        assert await queue.take() == "a"
        queue.done("a")
        assert await idle(queue)
        assert queue._timers == {}

    runs(test)


def test_news_during_the_work_come_before_any_pause() -> None:
    async def test(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await queue.take()
        queue.add("a")
        queue.failed("a")
        assert await queue.take() == "a"
        assert queue._timers == {}

    runs(test)


def test_one_keys_failure_does_not_hold_another_up() -> None:
    async def test(queue: WorkQueue[str]) -> None:
        queue.add("bad")
        queue.add("good")
        queue.failed(await queue.take(), retry_after=60)
        assert await queue.take() == "good"

    runs(test)


def test_news_does_not_end_a_pause_that_the_api_server_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("va_operator.work_queue.FIRST_PAUSE", 0.001)

    async def test(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await queue.take()
        queue.add("a")
        queue.failed("a", retry_after=0.05)
        queue.add("a")
        assert len(queue) == 0
        async with asyncio.timeout(5):
            assert await queue.take() == "a"
        queue.done("a")
        queue.add("a")
        assert len(queue) == 1

    runs(test)


def test_the_time_that_each_key_has_waited_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("va_operator.work_queue.time.monotonic", lambda: now)
    told: list[float] = []

    async def test() -> None:
        nonlocal now
        queue = WorkQueue[str](told.append)
        queue.add("a")
        now += 3
        queue.add("a")
        await queue.take()
        assert told == [3]

    asyncio.run(test())


def test_a_queue_that_does_not_move_says_since_when(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("va_operator.work_queue.time.monotonic", lambda: now)

    async def test(queue: WorkQueue[str]) -> None:
        nonlocal now
        now = 500
        assert queue.unmoved(now) == 0  # nothing waits
        queue.add("a")
        queue.add("b")
        now = 510
        assert queue.unmoved(now) == 10  # since the first came, not since the start
        assert queue.longest_in_work(now) == 0
        await queue.take()
        now = 530
        assert queue.unmoved(now) == 20  # since one was taken
        assert (queue.longest_in_work(now), queue.in_work) == (20, 1)
        queue.done("a")
        assert (queue.longest_in_work(now), queue.in_work) == (0, 0)

    runs(test)


def taken(queue: WorkQueue[str]) -> list[str]:
    async def all_of_them() -> list[str]:
        return [await queue.take() for _ in range(len(queue))]

    return asyncio.run(all_of_them())


def test_a_crowd_waits_behind_a_single_one_and_is_not_starved_by_many() -> None:
    queue = WorkQueue[str]()
    for number in range(3):
        queue.add(f"crowd-{number}", behind=True)
    for number in range(6):
        queue.add(f"single-{number}")
    assert len(queue) == 9

    found = taken(queue)
    assert found[:4] == [f"single-{number}" for number in range(4)]
    assert found[4:7] == ["crowd-0", "single-4", "single-5"]
    assert found[7:] == ["crowd-1", "crowd-2"]


def test_one_of_a_crowd_comes_forward_by_news_of_its_own_and_comes_once() -> None:
    queue = WorkQueue[str]()
    for name in ("ada", "bob", "eve"):
        queue.add(name, behind=True)
    queue.add("bob")
    queue.add("bob", behind=True)

    assert taken(queue) == ["bob", "ada", "eve"]


def test_news_waits_for_the_pause_that_was_asked_for_and_no_longer() -> None:
    async def test(queue: WorkQueue[str]) -> None:
        for _ in range(6):  # Now our own pause would be 16 s and more.
            queue.add("a")
            queue.failed(await queue.take())
        queue.add("a")
        queue.failed(await queue.take(), retry_after=0.05)
        queue.add("a")
        assert len(queue) == 0
        async with asyncio.timeout(2):
            assert await queue.take() == "a"

    runs(test)
