"""Says what is being done and for how long, on a terminal and in a log."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

TERMINAL_PERIOD = 1.0
# Continuous integration ends jobs that say nothing for minutes.
PLAIN_PERIOD = 20.0


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s` or `4 min 03 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s"


class Progress:
    """Reports steps, which may overlap, on one stream."""

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._terminal = self._stream.isatty()
        self._running: dict[str, float] = {}
        self._lock = threading.Lock()
        self._drawn = 0
        self._ticking = False

    def say(self, text: str) -> None:
        """One line that stays."""
        with self._lock:
            self._erase()
            self._stream.write(f"{text}\n")
            self._stream.flush()

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Report that `text` is being done until the block ends."""
        started = self._clock()
        with self._lock:
            self._running[text] = started
            idle, self._ticking = not self._ticking, True
        if not self._terminal:
            self.say(f"{text} ...")
        if idle:
            threading.Thread(target=self._tick, daemon=True).start()
        try:
            yield
        except BaseException:
            self._forget(text)
            self.say(f"{text}: failed after {duration(self._clock() - started)}")
            raise
        self._forget(text)
        self.say(f"{text}: done in {duration(self._clock() - started)}")

    def _forget(self, text: str) -> None:
        with self._lock:
            self._running.pop(text, None)

    def _tick(self) -> None:
        period = TERMINAL_PERIOD if self._terminal else PLAIN_PERIOD
        due = self._clock() + (0.0 if self._terminal else period)
        while True:
            with self._lock:
                if not self._running:
                    self._ticking = False
                    return
            if self._clock() >= due:
                due += period
                self._draw()
            time.sleep(0.1)

    def _draw(self) -> None:
        with self._lock:
            now = self._clock()
            parts = [f"{text} ({duration(now - at)})" for text, at in self._running.items()]
            if not parts:
                return
            if self._terminal:
                self._erase()
                line = "; ".join(parts)[:118]
                self._stream.write(line)
                self._drawn = len(line)
            else:
                self._stream.write(f"  still: {'; '.join(parts)}\n")
            self._stream.flush()

    def _erase(self) -> None:
        if self._drawn:
            self._stream.write("\r" + " " * self._drawn + "\r")
            self._drawn = 0
