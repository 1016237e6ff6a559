"""Holds the Lease, or waits for it; `lease` says when and why.

Opens the fence for what each renewal has earned. Ends with LeaseLost where a held Lease
could not be renewed in time: a process that starts anew is the surest standby.
"""

import asyncio
import logging
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
    """Set when the Lease is ours for the first time; there is no way back but a new process."""
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
        """Wait, take the Lease, and renew it. Raises LeaseLost where that fails for too long."""
        while True:
            try:
                await self._round()
            except ClusterFailure as failure:
                self._tell(failure)
                wait = LOOK_SECONDS if self._held_until is None else RETRY_SECONDS
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
        # came between.
        if self._held_until is None or not self._current:
            self._check()
            await self._look()
        if self._check() is Step.CLAIM:
            await self._claim()

    def _check(self) -> Step:
        now = self.now()
        step = decide(self._seen, self.identity, held_until=self._held_until, now=now)
        if step is Step.LOST:
            self.fence.shut()
            self._held_until = None
            late = f"not renewed in {DEADLINE_SECONDS} s"
            other = self.holder not in {self.identity, ""}
            raise LeaseLost(f"the Lease is lost: {self.holder + ' holds it' if other else late}")
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

    def _left(self) -> float:
        """Return the seconds until what we hold is lost."""
        return float("inf") if self._held_until is None else self._held_until - self.now()

    def _limit(self) -> float:
        return min(TRY_SECONDS, max(self._left(), 0.001))

    def _tell(self, failure: ClusterFailure) -> None:
        if str(failure) != self.trouble:
            logger.warning("the Lease %s: %s", self.key, failure)
        self.trouble = str(failure)
