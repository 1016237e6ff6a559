"""Which failures of a model are news for the log; pure values.

A key that is refused, or a limit that is reached, fails every question in the same way.
That is said once, again each `REPEAT_SECONDS` while it stays so, and once more when it
is over. How often it happened is for the metrics.

Moments are seconds on a clock that never goes back (`time.monotonic`).
"""

import math
from dataclasses import dataclass

from va_assistant.errors import Reason

REPEAT_SECONDS = 300.0

MOST_LINES = 4
"""In that time, for a model that comes and goes; the next line is written when there is room."""


@dataclass(frozen=True, slots=True)
class News:
    """What the log says of one model."""

    reason: Reason | None = None
    """Why it fails, as the log has it; None where it says that it answers, or nothing yet."""

    unsaid: int = 0
    """Failures since the last line that told one."""

    _lines: tuple[float, ...] = (-math.inf,) * MOST_LINES
    """When the last lines were written, the newest last."""

    def failed(self, reason: Reason, now: float) -> "tuple[News, int | None]":
        """Return what is known after a failure, and how many a line would tell of.

        None where nothing is to be said.
        """
        failures = self.unsaid + 1
        is_due = now - self._lines[-1] >= REPEAT_SECONDS
        if is_due or (reason is not self.reason and self._has_room(now)):
            return News(reason, 0, self._with_line(now)), failures
        return News(self.reason, failures, self._lines), None

    def answered(self, now: float) -> "tuple[News, bool]":
        """Return what is known after an answer, and whether that is to be said."""
        if self.reason is None or not self._has_room(now):
            return self, False
        return News(None, 0, self._with_line(now)), True

    def _has_room(self, now: float) -> bool:
        return now - self._lines[0] >= REPEAT_SECONDS

    def _with_line(self, now: float) -> tuple[float, ...]:
        return (*self._lines[1:], now)
