"""The queue of keys to reconcile.

A key is queued once however often it is added, is never worked on twice at the same time, and
comes back with growing pauses after a failure (client-go's workqueue). What one event asks of many
waits behind what was asked of one (controller-runtime's priority queue).
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
"""Seconds between tries of one key, doubled each time."""
IN_FRONT: Final = 4
"""How many keys may be taken in front of one that waits behind: it is slowed, never starved."""

K = TypeVar("K")


class WorkQueue(Generic[K]):
    """Keys in two lanes, each first in first out."""

    def __init__(self, waited: Callable[[float], None] | None = None) -> None:
        """``waited`` is told for how many seconds each key has waited when it is taken."""
        self._waiting: OrderedDict[K, float] = OrderedDict()
        """Since when each waits."""
        self._behind: OrderedDict[K, float] = OrderedDict()
        """Since when each of those waits that came in a crowd."""
        self._in_front = 0
        """How many were taken since the last one from behind."""
        self._in_work: dict[K, float] = {}
        """Since when each is worked on."""
        self._waited = waited
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._held: dict[K, bool] = {}
        """Keys that the API server does not want to hear of yet; whether to try them then."""
        self._filled = asyncio.Event()
        self._taken_at = time.monotonic()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._behind)

    def add(self, key: K, *, behind: bool = False) -> None:
        """Queue a key now, or when the API server wants to hear of it again.

        ``behind`` is for a key that comes in a crowd: others are taken first.
        """
        if key in self._held:
            self._held[key] = True
            return
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if key in self._in_work:
            self._again.add(key)
        elif key not in self._waiting and not (behind and key in self._behind):
            lane = self._behind if behind else self._waiting
            lane[key] = self._behind.pop(key, time.monotonic())
            self._filled.set()

    async def take(self) -> K:
        """Wait for a key and take it into work; `done` or `failed` must follow."""
        while not len(self):
            self._filled.clear()
            await self._filled.wait()
        key, since = self._pop()
        now = time.monotonic()
        if self._waited is not None:
            self._waited(now - since)
        self._in_work[key] = self._taken_at = now
        return key

    def unmoved(self, now: float) -> float:
        """Return for how many seconds keys have waited and none was taken, 0 where none wait."""
        firsts = [next(iter(lane.values())) for lane in (self._waiting, self._behind) if lane]
        return now - max(self._taken_at, min(firsts)) if firsts else 0.0

    def longest_in_work(self, now: float) -> float:
        """Return for how many seconds one key has been worked on, 0 where none is."""
        return now - min(self._in_work.values(), default=now)

    @property
    def in_work(self) -> int:
        """Return how many keys are worked on."""
        return len(self._in_work)

    def done(self, key: K) -> None:
        """End the work on a key that went well."""
        self._failures.pop(key, None)
        self._end(key)

    def failed(self, key: K, *, retry_after: float | None = None) -> float:
        """End the work on a key that went wrong; return the pause before its next try.

        ``retry_after`` is the pause that the API server asks for, in seconds. News about
        the key ends a pause of our own, and not one that was asked for.
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        pause = min(FIRST_PAUSE * 2.0 ** min(failures, 16), LONGEST_PAUSE)
        again, later = key in self._again, asyncio.get_running_loop().call_later
        if retry_after:
            self._again.discard(key)
            self._held[key] = again or retry_after >= pause
            later(retry_after, self._release, key)
        self._end(key)
        if not (again or (retry_after and retry_after >= pause)):
            self._timers[key] = later(pause, self.add, key)
        return max(pause, retry_after or 0)

    def _pop(self) -> tuple[K, float]:
        if self._behind and (not self._waiting or self._in_front >= IN_FRONT):
            self._in_front = 0
            return self._behind.popitem(last=False)
        self._in_front += bool(self._behind)
        return self._waiting.popitem(last=False)

    def _release(self, key: K) -> None:
        if self._held.pop(key):
            self.add(key)

    def _end(self, key: K) -> None:
        self._in_work.pop(key, None)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
