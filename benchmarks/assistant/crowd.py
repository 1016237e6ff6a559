"""Clients that are waited for."""

import asyncio
from contextlib import suppress


class Crowd:
    """Who of the clients still lacks how many answers, and the waiting for them."""

    def __init__(self, clients: int) -> None:
        self._present = set(range(clients))
        self._lacking: dict[int, int] = {}
        self._complete = asyncio.Event()

    async def all_had(self, number: int, *, within: float) -> None:
        """Wait until each client has had so many answers from now on, or until time is over."""
        if not number or not self._present:
            return
        self._lacking = dict.fromkeys(self._present, number)
        self._complete.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._complete.wait(), within)

    def had(self, client: int) -> None:
        """Take note of an answer, good or not."""
        if client in self._lacking:
            self._lacking[client] -= 1
            if not self._lacking[client]:
                self._lacks_no_more(client)

    def gone(self, client: int) -> None:
        """Wait no more for a client."""
        self._present.discard(client)
        self._lacks_no_more(client)

    def _lacks_no_more(self, client: int) -> None:
        self._lacking.pop(client, None)
        if not self._lacking:
            self._complete.set()
