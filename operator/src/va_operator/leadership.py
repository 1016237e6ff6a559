"""Holds the Lease, or waits for it; `lease` says when and why.

Opens the fence for what each renewal has earned. Where a renewal is late the fence stays shut until
one succeeds after all, which proves that nobody held the Lease between. Ends with LeaseLost
where another did, or may have: a process that starts anew is the surest standby.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from va_operator.api import Key, Manifest
from va_operator.errors import ClusterFailure, LeaseLost
from va_operator.fence import Fence
from va_operator.lease import (
    DEADLINE_SECONDS,
    LOOK_SECONDS,
    RETRY_SECONDS,
    TRY_SECONDS,
    Sighting,
    Step,
    claim,
    decide,
    pause,
    release,
    see,
)

logger = logging.getLogger(__name__)


class Leases(Protocol):
    """Where the Lease is kept. ``within``: seconds that one request may take."""

    async def read_lease(self, key: Key, *, within: float) -> Manifest | None:
        """Return the Lease, None where there is none."""

    async def write_lease(self, lease: Manifest, *, within: float) -> Manifest:
        """Create it, or replace the version that it names; 409 where another was quicker."""
        ...


@dataclass(slots=True, kw_only=True)
class Leadership:
    """One process' part in who acts. Times are those of ``now``, but ``wall`` is for people."""

    leases: Leases
    key: Key
    identity: str
    fence: Fence
    now: Callable[[], float]
    wall: Callable[[], datetime]
    active: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while the Lease is ours and was renewed in time."""
    lapsed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a renewal is late, for whoever must look anew when the Lease is renewed after all;
    they clear it."""
    trouble: str = ""
    """Why the Lease cannot be read or written now, "" where it can."""
    _seen: Sighting | None = None
    _current: bool = False
    """Whether ``_seen`` is the version in the cluster, as far as we know."""
    _held_until: float | None = None

    @property
    def holder(self) -> str:
        """Return who holds the Lease as far as is known, "" for nobody."""
        return self._seen.holder if self._seen is not None else ""

    async def run(self) -> None:
        """Wait, take the Lease, and renew it. Raises LeaseLost where another came between."""
        while True:
            try:
                await self._round()
            except ClusterFailure as failure:
                self._tell(failure)
                wait = RETRY_SECONDS if self.active.is_set() else LOOK_SECONDS
            else:
                self.trouble = ""
                wait = pause(self._seen, held_until=self._held_until, now=self.now())
            await asyncio.sleep(min(wait, self._left()))

    async def give_up(self) -> None:
        """Let another take over at once; nothing may be under way that writes."""
        self.fence.shut()
        if self._held_until is None:
            return
        try:
            if not self._current:
                await self._look()
            if self._seen is not None and self.holder == self.identity:
                freed = release(self._seen, self.key, at=self.wall())
                await self.leases.write_lease(freed, within=TRY_SECONDS)
                logger.info("the Lease is released")
        except ClusterFailure as failure:
            logger.warning("the Lease is not released and has to run out: %s", failure)

    async def _round(self) -> None:
        # A standby looks before each decision. The holder need not: its write fails if another
        # came between. One that is late does, lest it tries for ever where only writes hang.
        step = self._check()
        if not (self.active.is_set() and self._current):
            await self._look()
            step = self._check()
        if step is Step.CLAIM:
            await self._claim()

    def _check(self) -> Step:
        now = self.now()
        step = decide(self._seen, self.identity, held_until=self._held_until, now=now)
        if step is Step.LOST:
            self.fence.shut()
            self._held_until = None
            other = self.holder not in {self.identity, ""}
            who = f"{self.holder} holds it" if other else "another may have held it meanwhile"
            raise LeaseLost(f"the Lease is lost: {who}")
        if self._is_late(now) and self.active.is_set():
            logger.warning(
                "the Lease was not renewed in %s s: nothing is written until it is",
                DEADLINE_SECONDS,
            )
            self.fence.shut()
            self.active.clear()
            self.lapsed.set()
        return step

    async def _look(self) -> None:
        body = await self.leases.read_lease(self.key, within=self._limit())
        if body is not None:
            self._seen = see(body, self._seen, now=self.now())
        elif self._seen is not None:
            # It is to be created anew; what it said last still counts.
            self._seen = Sighting(body={"metadata": {}, "spec": self._seen.spec},
                                  since=self._seen.since)  # fmt: skip
        self._current = True

    async def _claim(self) -> None:
        wanted = claim(self._seen, self.key, self.identity, at=self.wall())
        sent = self.now()
        try:
            written = await self.leases.write_lease(wanted, within=self._limit())
        except ClusterFailure as failure:
            # 409: another was quicker, or an earlier try of ours arrived after all.
            self._current = failure.status not in {404, 409}
            raise
        self._seen = see(written, self._seen, now=self.now())
        self._current = True
        self._held_until = sent + DEADLINE_SECONDS
        self.fence.open(self._held_until)
        if not self.active.is_set():
            logger.info("leading: the Lease %s is held as %s", self.key, self.identity)
            self.active.set()

    def _is_late(self, now: float) -> bool:
        """Tell whether we held the Lease, and what the last renewal has earned is over."""
        return self._held_until is not None and now >= self._held_until

    def _left(self) -> float:
        """Return the seconds until what the last renewal has earned is over, if it is not yet."""
        now = self.now()
        return (
            math.inf if self._held_until is None or self._is_late(now) else self._held_until - now
        )

    def _limit(self) -> float:
        return min(TRY_SECONDS, self._left())

    def _tell(self, failure: ClusterFailure) -> None:
        if str(failure) != self.trouble:
            logger.warning("the Lease %s: %s", self.key, failure)
        self.trouble = str(failure)
