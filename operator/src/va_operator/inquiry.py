"""Asks the pods how they are, and remembers what they said.

A pod is asked at once when it is first seen and when Kubernetes tells of a change in it, soon
again while it is not settled, and slowly otherwise, within a budget. So at the start, or when the
Lease is taken, all are asked once, at most `AT_ONCE` at the same time.
"""

import asyncio
import heapq
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from va_operator.api import Key, Manifest
from va_operator.errors import ClusterFailure
from va_operator.observed import Pod
from va_operator.reports import Report, parse_report
from va_operator.resources.pod_template import PROBES_PORT

logger = logging.getLogger(__name__)

PATH: Final = "/ready"
FAILURES_BELIEVED: Final = 2
"""A pod that gives no answer this often in a row is no longer believed its last one."""
AT_ONCE: Final = 32

Ask = Callable[[Pod, int, str], Awaitable[Manifest]]
"""Fetches ``(pod, port, path)`` as JSON; raises ClusterFailure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often to ask. Seconds, and questions a second."""

    unsettled: float
    settled: float
    budget: float

    def next_in(self, report: Report | None, pods: int) -> float:
        """Return after how long to ask a pod again, among so many pods."""
        if report is None or not report.settled:
            return max(self.unsettled, pods / self.budget / 4)
        return max(self.settled, pods / self.budget)


@dataclass(slots=True, kw_only=True)
class Inquiry:
    """The questions to all pods."""

    ask: Ask
    pace: Pace
    heard: Callable[[Key], None]
    """Told the assistant of a pod that said something new."""
    reports: dict[str, Report | None] = field(default_factory=dict)
    """What each pod last said, by its UID: None where it said nothing, absent before it was
    asked."""
    _pods: dict[str, Pod] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)
    _asking: set[str] = field(default_factory=set)
    """Pods with a question under way: one at a time, so that no older answer comes last."""
    _again: set[str] = field(default_factory=set)
    """Those of them that changed meanwhile."""
    _heap: list[tuple[float, str]] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def follow(self, pod: Pod) -> None:
        """Take in a pod; ask it where it is new or changed, and not where a list only names it.

        The silence of one that just started says nothing of one that is ready.
        """
        if not pod.can_be_asked:
            self.leave(pod)
            return
        if self._pods.get(pod.uid) == pod:
            return  # Its next question is under way or due.
        if self.reports.get(pod.uid, self) is None:
            del self.reports[pod.uid]
        self._pods[pod.uid] = pod
        self._schedule(pod.uid, 0)

    def leave(self, pod: Pod) -> None:
        """Forget a pod that is gone, or has nobody to answer."""
        for known in (self._pods, self._failures, self._due, self.reports):
            known.pop(pod.uid, None)

    async def run(self) -> None:
        """Ask for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is None or wait > 0:
                    try:
                        async with asyncio.timeout(wait):
                            await self._changed.wait()
                    except TimeoutError:
                        pass
                    continue
                due, uid = heapq.heappop(self._heap)
                if self._due.get(uid) != due:
                    continue
                del self._due[uid]
                if uid in self._asking:
                    self._again.add(uid)
                    continue
                await self._slots.acquire()
                if pod := self._pods.get(uid):
                    self._asking.add(uid)
                    group.create_task(self._question(pod))
                else:  # It went while it waited for its turn.
                    self._slots.release()

    async def _question(self, pod: Pod) -> None:
        try:
            report: Report | None = parse_report(await self.ask(pod, PROBES_PORT, PATH))
        except (ClusterFailure, ValueError) as error:
            logger.debug("pod %s gives no report: %s", pod.key, error)
            report = self._unheard(pod)
        else:
            self._failures.pop(pod.uid, None)
        finally:
            self._slots.release()
            self._asking.discard(pod.uid)
        again = pod.uid in self._again
        self._again.discard(pod.uid)
        if pod.uid not in self._pods:
            return
        news = pod.uid not in self.reports or self.reports[pod.uid] != report
        self.reports[pod.uid] = report
        if news:
            self.heard(pod.assistant)
        if again:
            self._schedule(pod.uid, 0)
        elif pod.uid not in self._due:
            believed = None if pod.uid in self._failures else report
            self._schedule(pod.uid, self.pace.next_in(believed, len(self._pods)))

    def _unheard(self, pod: Pod) -> Report | None:
        if pod.uid not in self._pods:
            return None  # It went meanwhile: nothing of it is kept.
        failures = self._failures.get(pod.uid, 0) + 1
        self._failures[pod.uid] = failures
        return None if failures >= FAILURES_BELIEVED else self.reports.get(pod.uid)

    def _schedule(self, uid: str, seconds: float) -> None:
        due = time.monotonic() + seconds
        self._due[uid] = due
        heapq.heappush(self._heap, (due, uid))
        self._changed.set()
