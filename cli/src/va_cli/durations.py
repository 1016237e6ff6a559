"""Spans of time as people write and read them."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Return the seconds in '90', '90s', '1m30s' or '2h'.

    Raises ValueError, with the rule.
    """
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    else:
        parts = _PART.findall(text)
        if not parts or "".join(number + unit for number, unit in parts) != text:
            raise ValueError(f"must be a duration such as '60s', '1m30s' or '2h'; got '{text}'")
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds <= 0:
        raise ValueError(f"must be more than 0; got '{text}'")
    return seconds


def duration_text(seconds: float) -> str:
    """Write it shortly: '0.5s', '90s', '5m'."""
    return f"{seconds / 60:.0f}m" if seconds >= 300 else f"{seconds:g}s"


def age(since: datetime | None, now: datetime) -> str:
    """Return how long ago that was, as kubectl's AGE says it."""
    if since is None:
        return "<unknown>"
    seconds = max(0, int((now - since).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    steps = (
        (seconds < 120, f"{seconds}s"),
        (minutes < 10, f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"),
        (hours < 3, f"{minutes}m"),
        (hours < 8, f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"),
        (hours < 48, f"{hours}h"),
        (days < 8, f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"),
        (days < 730, f"{days}d"),
    )
    return next((text for holds, text in steps if holds), f"{days // 365}y")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A moment after which nothing more is waited for."""

    seconds: float
    at: float
    clock: Callable[[], float]

    @classmethod
    def after(cls, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """Return the moment that many seconds from now."""
        return cls(seconds=seconds, at=clock() + seconds, clock=clock)

    @property
    def remaining(self) -> float:
        """Seconds that are left, never less than 0."""
        return max(0.0, self.at - self.clock())

    @property
    def is_over(self) -> bool:
        """Say whether it has passed."""
        return self.remaining == 0.0
