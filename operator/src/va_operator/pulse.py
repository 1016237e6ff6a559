"""How late the event loop is: whatever blocks it blocks everything."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

BEAT_SECONDS: Final = 1.0
BEATS_KEPT: Final = 60
"""A minute's: as long as anybody waits between two looks at the metrics."""


@dataclass(slots=True)
class Pulse:
    """Beats once a second, and remembers by how much it was late."""

    lag: float = 0.0
    """Seconds by which the last beat was late."""
    _lags: deque[float] = field(default_factory=lambda: deque(maxlen=BEATS_KEPT))

    @property
    def worst(self) -> float:
        """Seconds by which the latest beat of the last minute was late."""
        return max(self._lags, default=0.0)

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            due = time.monotonic() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self.beat(max(time.monotonic() - due, 0.0))

    def beat(self, lag: float) -> None:
        """Take in a beat that was late by so many seconds."""
        self.lag = lag
        self._lags.append(lag)
