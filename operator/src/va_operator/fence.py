"""The fence before all writes: none is sent by a process whose Lease another may hold by now.

It opens for the seconds that a renewal of the Lease has earned, and shuts by itself. Whoever sends
looks at it in the very step in which the bytes go out, so a process that was suspended meets
it first when it wakes.
"""

import math
import time
from collections.abc import Callable

from va_operator.errors import Fenced


def clock() -> float:
    """Return seconds that never jump, and that count while the machine is suspended if they can."""
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)  # Linux alone has it
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Fence:
    """Shut at first; `open` opens it until a moment of its clock."""

    def __init__(self, now: Callable[[], float] = clock) -> None:
        self._now = now
        self._until = -math.inf

    def open(self, until: float = math.inf) -> None:
        """Let writes pass until then; for ever where there is no Lease to lose."""
        self._until = until

    def shut(self) -> None:
        """Let no write pass."""
        self._until = -math.inf

    def remaining(self) -> float:
        """Return for how many seconds writes may pass, infinite where they always may.

        Raises Fenced where none may.
        """
        left = self._until - self._now()
        if left <= 0:
            raise Fenced
        return left
