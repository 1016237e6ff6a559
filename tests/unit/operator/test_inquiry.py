"""Asking the pods: at once, soon again, slowly, within a budget, and never for ever."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from support.builders import a_pod, a_report
from va_operator.api import Key, Manifest
from va_operator.errors import ClusterFailure
from va_operator.inquiry import AT_ONCE, Inquiry, Pace
from va_operator.observed import Pod

READY = json.loads((Path(__file__).parents[2] / "support" / "contract" / "ready.json").read_text())
FAILED = {
    **READY,
    "ready": False,
    "models": [
        {"name": "m", "state": "Failed", "lastError": {"reason": "KeyMissing", "message": ""}}
    ],
}
PACE = Pace(unsettled=2, settled=30, budget=20)


class Pods:
    """Pods that say what they are told to, and note when they were asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.heard: list[Key] = []
        self.over = asyncio.Event()

    async def ask(self, pod: Pod, port: int, path: str) -> Manifest:
        assert (port, path) == (8001, "/ready")
        self.asked.append(pod.key.name)
        if not self.answers:
            self.over.set()
            await asyncio.Event().wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        body: Manifest = answer
        return body


def inquire(
    pods: Pods, test: Callable[[Inquiry], Awaitable[None]], pace: Pace | None = None
) -> None:
    fast = pace or Pace(unsettled=0, settled=0, budget=1e9)

    async def run() -> None:
        inquiry = Inquiry(ask=pods.ask, pace=fast, heard=pods.heard.append)
        running = asyncio.ensure_future(inquiry.run())
        async with asyncio.timeout(5):
            await test(inquiry)
        running.cancel()

    asyncio.run(run())


PACES = {
    "a pod of which nothing is known": (None, 1, 2),
    "a pod whose model fails": (a_report("Failed", "KeyMissing"), 1, 2),
    "a pod whose model is overloaded": (a_report("Degraded", "RateLimited"), 1, 2),
    "a settled pod": (a_report(), 1, 30),
    "one of many settled pods": (a_report(), 2000, 100),
    "one of many unsettled pods": (None, 2000, 25),
}


@pytest.mark.parametrize(("report", "pods", "seconds"), PACES.values(), ids=PACES)
def test_the_pace_fits_the_state_and_the_budget(report: Any, pods: int, seconds: float) -> None:
    assert PACE.next_in(report, pods) == seconds


def test_a_new_pod_is_asked_at_once_and_its_assistant_told() -> None:
    pods = Pods(READY)

    async def test(inquiry: Inquiry) -> None:
        inquiry.follow(a_pod())
        await pods.over.wait()
        report = inquiry.reports[a_pod().uid]
        assert report is not None
        assert report.revision == "3f2a91c0de"

    inquire(pods, test)
    assert pods.heard == [Key("shop", "ada")]


def test_only_news_are_told() -> None:
    pods = Pods(READY, READY, FAILED, FAILED, READY)

    async def test(inquiry: Inquiry) -> None:
        inquiry.follow(a_pod())
        await pods.over.wait()

    inquire(pods, test)
    assert len(pods.asked) == 6
    assert len(pods.heard) == 3


def test_the_silence_of_a_pod_that_starts_is_forgotten_when_it_changes() -> None:
    pods = Pods(ClusterFailure(0, "connection refused"))

    async def test(inquiry: Inquiry) -> None:
        inquiry.follow(a_pod(ready=False))
        await pods.over.wait()
        assert inquiry.reports == {a_pod().uid: None}
        inquiry.follow(a_pod(version=6))
        assert inquiry.reports == {}

    inquire(pods, test)


def test_the_word_of_a_pod_is_not_forgotten_when_it_changes() -> None:
    pods = Pods(READY)

    async def test(inquiry: Inquiry) -> None:
        inquiry.follow(a_pod())
        await pods.over.wait()
        inquiry.follow(a_pod(version=6))
        assert inquiry.reports[a_pod().uid] is not None

    inquire(pods, test)


def test_one_failure_is_forgiven_two_are_not() -> None:
    gone = ClusterFailure(0, "no answer")
    pods = Pods(READY, gone, READY, gone, gone)
    seen: list[bool] = []

    async def test(inquiry: Inquiry) -> None:
        def heard(_: Key) -> None:
            seen.append(inquiry.reports[a_pod().uid] is not None)

        inquiry.heard = heard
        inquiry.follow(a_pod())
        await pods.over.wait()

    inquire(pods, test)
    assert seen == [True, False]


def test_a_silent_pod_is_known_as_silent_and_that_is_told() -> None:
    pods = Pods(ClusterFailure(0, "refused"))

    async def test(inquiry: Inquiry) -> None:
        inquiry.follow(a_pod())
        await pods.over.wait()
        assert inquiry.reports == {a_pod().uid: None}

    inquire(pods, test)
    assert pods.heard == [Key("shop", "ada")]


def test_nonsense_counts_as_no_answer() -> None:
    pods = Pods({"ready": "perhaps"})

    async def test(inquiry: Inquiry) -> None:
        inquiry.follow(a_pod())
        await pods.over.wait()
        assert inquiry.reports == {a_pod().uid: None}

    inquire(pods, test)


@pytest.mark.parametrize("given", [{"started": False}, {"ip": None}, {"deleting": True}])
def test_a_pod_that_cannot_answer_is_not_asked_and_not_believed(given: dict[str, Any]) -> None:
    pods = Pods(READY)

    async def test(inquiry: Inquiry) -> None:
        inquiry.follow(a_pod())
        await pods.over.wait()
        inquiry.follow(a_pod(version=6, **given))
        assert inquiry.reports == {}

    inquire(pods, test)


def test_the_answer_of_a_pod_that_went_meanwhile_is_dropped() -> None:
    pods = Pods()
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(pod: Pod, port: int, path: str) -> Manifest:
        asked.set()
        await answer.wait()
        body: Manifest = READY
        return body

    async def test(inquiry: Inquiry) -> None:
        inquiry.ask = slow
        inquiry.follow(a_pod())
        await asked.wait()
        inquiry.leave(a_pod())
        answer.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert inquiry.reports == {}

    inquire(pods, test)
    assert pods.heard == []


def test_nothing_is_kept_of_a_pod_that_went_before_it_failed_to_answer() -> None:
    pods = Pods()
    asked, gone = asyncio.Event(), asyncio.Event()

    async def fail(pod: Pod, port: int, path: str) -> Manifest:
        asked.set()
        await gone.wait()
        raise ClusterFailure(0, "no answer")

    async def test(inquiry: Inquiry) -> None:
        inquiry.ask = fail
        inquiry.follow(a_pod())
        await asked.wait()
        inquiry.leave(a_pod())
        gone.set()
        while inquiry._asking:
            await asyncio.sleep(0)
        assert inquiry._failures == {}

    inquire(pods, test)


def test_a_list_that_shows_pods_as_they_are_known_asks_nobody_anew() -> None:
    pods = Pods(READY, ClusterFailure(0, "refused"), READY)

    async def test(inquiry: Inquiry) -> None:
        crowd = [a_pod(name="ada-1"), a_pod(name="ada-2")]
        for pod in crowd:
            inquiry.follow(pod)
        while len(inquiry.reports) < 2:
            await asyncio.sleep(0)
        due, said = dict(inquiry._due), dict(inquiry.reports)

        for pod in crowd:
            inquiry.follow(pod)
        assert (inquiry._due, inquiry.reports) == (due, said)

        inquiry.follow(a_pod(name="ada-3"))
        while len(inquiry.reports) < 3:
            await asyncio.sleep(0)

    inquire(pods, test, Pace(unsettled=60, settled=60, budget=1e9))
    assert pods.asked == ["ada-1", "ada-2", "ada-3"]


def test_no_more_than_so_many_are_asked_at_once_and_leaving_the_line_harms_nobody() -> None:
    pods = Pods()
    waiting, most = 0, 0
    full, go_on, last = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(pod: Pod, port: int, path: str) -> Manifest:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        if waiting == AT_ONCE:
            full.set()
        if pod.key.name == "last":
            last.set()
        await go_on.wait()
        waiting -= 1
        body: Manifest = READY
        return body

    async def test(inquiry: Inquiry) -> None:
        inquiry.ask = slow
        crowd = [a_pod(name=f"ada-{number}") for number in range(AT_ONCE + 5)]
        for pod in crowd:
            inquiry.follow(pod)
        await full.wait()
        for pod in crowd[AT_ONCE:]:
            inquiry.leave(pod)
        inquiry.follow(a_pod(name="last"))
        go_on.set()
        await last.wait()
        assert most == AT_ONCE

    inquire(pods, test, PACE)


def test_a_change_of_a_pod_brings_the_question_forward() -> None:
    pods = Pods(READY)

    async def test(inquiry: Inquiry) -> None:
        told = asyncio.Event()
        inquiry.heard = lambda _: told.set()
        inquiry.follow(a_pod())
        await told.wait()
        inquiry.follow(a_pod(version=6))
        await pods.over.wait()

    inquire(pods, test, PACE)
    assert pods.asked == ["ada-1", "ada-1"]


def test_a_pod_is_asked_one_question_at_a_time_so_no_older_answer_comes_last() -> None:
    pods = Pods()
    under_way: list[asyncio.Future[Manifest]] = []

    async def ask(pod: Pod, port: int, path: str) -> Manifest:
        under_way.append(asyncio.get_running_loop().create_future())
        return await under_way[-1]

    async def test(inquiry: Inquiry) -> None:
        inquiry.ask = ask
        pod = a_pod()
        inquiry.follow(pod)
        while not under_way:
            await asyncio.sleep(0)
        inquiry.follow(a_pod(version=6))
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(under_way) == 1

        under_way[0].set_result(READY)
        while len(under_way) < 2:
            await asyncio.sleep(0)
        under_way[1].set_result(FAILED)
        while (report := inquiry.reports[pod.uid]) is None or report.ready:
            await asyncio.sleep(0)

    inquire(pods, test, Pace(unsettled=60, settled=60, budget=1e9))


def test_a_settled_pod_that_falls_silent_is_asked_again_soon() -> None:
    pods = Pods(READY, ClusterFailure(0, "silence"), ClusterFailure(0, "silence"))

    async def test(inquiry: Inquiry) -> None:
        pod = a_pod()
        inquiry.follow(pod)
        while pod.uid not in inquiry.reports:
            await asyncio.sleep(0)
        inquiry.follow(a_pod(version=6))  # It changed; it gives no answer any more.
        while inquiry.reports[pod.uid] is not None:
            await asyncio.sleep(0)

    inquire(pods, test, Pace(unsettled=0, settled=1000, budget=1e9))
