"""The one deadline of a question, and how long each step of it may still take."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

CONNECT_SECONDS = 5.0
"""Longest time to find a host and connect to it."""


@dataclass(slots=True, kw_only=True)
class Deadline:
    """Seconds left for a question; shared by everything that waits for it."""

    ends: float
    """On the clock below."""

    gap: float
    """Longest silence once the answer has begun, in seconds."""

    clock: Callable[[], float] = time.monotonic
    begun: bool = field(default=False, init=False)

    @classmethod
    def after(cls, seconds: float, *, gap: float) -> "Deadline":
        """Return the deadline of a question that came now."""
        return cls(ends=time.monotonic() + seconds, gap=gap)

    def part(self, seconds: float) -> "Deadline":
        """Return a deadline of its own for one step, which ends no later than this one."""
        ends = min(self.ends, self.clock() + seconds)
        return Deadline(ends=ends, gap=self.gap, clock=self.clock)

    def left(self) -> float:
        """Seconds until the end, never less than 0."""
        return max(0.0, self.ends - self.clock())

    def connect_left(self) -> float:
        """Seconds that connecting may take."""
        return min(self.left(), CONNECT_SECONDS)

    def read_left(self) -> float:
        """Seconds that the next piece may take."""
        return min(self.left(), self.gap) if self.begun else self.left()

    def begin(self) -> None:
        """Take note that the answer has begun: from now on silence has its own limit."""
        self.begun = True
