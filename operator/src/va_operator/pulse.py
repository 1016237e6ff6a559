"""How late the event loop is: whatever blocks it blocks everything."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

BEAT_SECONDS: Final = 1.0


@dataclass(slots=True)
class Pulse:
    """Beats once a second, and remembers by how much it was late."""

    lag: float = 0.0
    """Seconds by which the last beat was late."""

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            due = time.monotonic() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self.lag = max(time.monotonic() - due, 0.0)
