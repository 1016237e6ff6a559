"""Room for so many questions at once, and a short line before the door."""

import threading

WAIT_SECONDS = 1.0
"""Enough for a peak to pass. Whoever would wait longer is served better by asking again, of
another pod perhaps."""

LONGEST_LINE = 32
"""Each who waits holds a thread."""


class Seats:
    """Seats that any thread may take and leave."""

    def __init__(self, count: int) -> None:
        self.line = min(count, LONGEST_LINE)
        """How many may wait."""

        self.waiting = 0
        """How many do."""

        self._free = threading.BoundedSemaphore(count)
        self._lock = threading.Lock()

    def take(self, *, wait_seconds: float = WAIT_SECONDS) -> bool:
        """Take a seat and return True; False where none came free in time or the line is full."""
        if self._free.acquire(blocking=False):
            return True
        with self._lock:
            if self.waiting >= self.line:
                return False
            self.waiting += 1
        try:
            return self._free.acquire(timeout=wait_seconds)
        finally:
            with self._lock:
                self.waiting -= 1

    def leave(self) -> None:
        """Give the seat to the next."""
        self._free.release()
