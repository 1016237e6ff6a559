"""The queue of keys to reconcile.

A key is queued once however often it is added, is never worked on twice at the same time, and
comes back with growing pauses after a failure (client-go's workqueue).
"""

import asyncio
from collections import deque
from typing import Final, Generic, TypeVar

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
"""Seconds between tries of one key, doubled each time."""

K = TypeVar("K")


class WorkQueue(Generic[K]):
    """Keys, first in first out."""

    def __init__(self) -> None:
        self._waiting: deque[K] = deque()
        self._queued: set[K] = set()
        self._in_work: set[K] = set()
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: K) -> None:
        """Queue a key now."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if key in self._in_work:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._waiting.append(key)
            self._filled.set()

    async def take(self) -> K:
        """Wait for a key and take it into work; `done` or `failed` must follow."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        key = self._waiting.popleft()
        self._queued.discard(key)
        self._in_work.add(key)
        return key

    def done(self, key: K) -> None:
        """End the work on a key that went well."""
        self._failures.pop(key, None)
        self._end(key)

    def failed(self, key: K, *, retry_after: float | None = None) -> float:
        """End the work on a key that went wrong; return the pause before its next try.

        ``retry_after`` is the pause that the API server asks for, in seconds. News
        about the key ends the pause.
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        pause = max(min(FIRST_PAUSE * 2.0 ** min(failures, 16), LONGEST_PAUSE), retry_after or 0)
        again = key in self._again
        self._end(key)
        if not again:
            self._timers[key] = asyncio.get_running_loop().call_later(pause, self.add, key)
        return pause

    def _end(self, key: K) -> None:
        self._in_work.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
