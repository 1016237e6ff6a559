"""The slow resync: lists all assistants, corrects the store, and proves that the watch is alive.

Each namespace that is watched is proved by itself, so that one that may not be listed (it
was deleted, its binding with it) hides nothing of the others.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol, TypeVar

from va_operator.api import Key, Manifest, VirtualAssistant, key_of, parse
from va_operator.errors import ClusterFailure, WatchDead
from va_operator.kinds import ASSISTANTS, Resource

logger = logging.getLogger(__name__)

WATCH_DELAY: Final = 85.0
"""Seconds within which the watch must deliver what a list has shown. kopf opens a watch anew that
was silent for 70 seconds (`watching.inactivity_timeout`): it gets the time to do so."""

SOON_SECONDS: Final = 10.0
"""Seconds to the resync after whatever may have harmed the watch: time for it to catch up."""

T = TypeVar("T")


class Lister(Protocol):
    """What a resync needs of the API server."""

    async def list(
        self, resource: Resource, namespace: str | None, *, read: Callable[[Manifest], T]
    ) -> tuple[list[T], str]:
        """Return all objects as they are read, and their common version."""
        ...


class Listed(NamedTuple):
    """What a list shows of an assistant."""

    key: Key
    uid: str
    version: int
    assistant: VirtualAssistant | None
    """None where it cannot be read."""


def read_listed(body: Manifest) -> Listed:
    """Read an assistant out of a list."""
    metadata = body["metadata"]
    version = int(metadata["resourceVersion"])
    return Listed(key_of(body), metadata["uid"], version, read_assistant(body))


def read_assistant(body: Manifest) -> VirtualAssistant | None:
    """Read an assistant; None for one from before a rule of the API, which harms nobody."""
    try:
        return parse(body)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        logger.error("%s cannot be read: %r", key_of(body), error)  # noqa: TRY400 - no trace
        return None


@dataclass(slots=True)
class Deliveries:
    """Which version of each assistant the watch delivered last."""

    _versions: dict[Key, tuple[str, int]] = field(default_factory=dict)
    _lists: dict[str | None, int] = field(default_factory=dict)
    """How often the watch of a namespace, None for that of all, has listed anew."""
    _came_by: dict[Key, int] = field(default_factory=dict)
    """After which list each assistant was delivered last."""

    def note(self, body: Manifest, *, listed: bool = False, watched: str | None = None) -> bool:
        """Take in an object that came by the watch; tell whether a new list begins with it.

        ``listed``: it came by a list, which names each object once. So one that was delivered since
        the last list begins a new one. ``watched`` is the namespace of its watch.
        """
        key, metadata = key_of(body), body["metadata"]
        self._versions[key] = (metadata["uid"], int(metadata["resourceVersion"]))
        lists = self._lists.get(watched, 0)
        begins = listed and self._came_by.get(key) == lists
        self._lists[watched] = self._came_by[key] = lists + begins
        return begins

    def drop(self, body: Manifest) -> None:
        """Take in a deletion that came by the watch."""
        uid, _ = self._versions.get(key_of(body), ("", 0))
        if uid == body["metadata"]["uid"]:
            self._forget(key_of(body))

    def keep(self, listed: Iterable[Listed], version: str, within: Callable[[Key], bool]) -> None:
        """Forget what a list of this version shows no more: its deletion came by no watch."""
        there = {(found.key, found.uid) for found in listed}
        for key, (uid, delivered) in list(self._versions.items()):
            if within(key) and delivered <= int(version) and (key, uid) not in there:
                self._forget(key)

    def _forget(self, key: Key) -> None:
        del self._versions[key]
        del self._came_by[key]

    def missing(self, listed: Iterable[Listed]) -> frozenset[Key]:
        """Return what a list has shown and the watch has not delivered yet, in this version."""
        return frozenset(found.key for found in listed if self._is_behind(found))

    def _is_behind(self, found: Listed) -> bool:
        uid, version = self._versions.get(found.key, ("", 0))
        return uid != found.uid or version < found.version


@dataclass(slots=True)
class Schedule:
    """When the next resync is: at its period, or soon after what casts doubt on the watch."""

    due: float = math.inf
    """As `time.monotonic` tells it; never before all is listed."""
    _doubted: asyncio.Event = field(default_factory=asyncio.Event)

    def move(self) -> None:
        """Take in a sign of life of the resync that is under way."""
        self.due = max(self.due, time.monotonic())

    def doubt(self) -> None:
        """Bring the next resync forward."""
        self._doubted.set()

    async def rest(self, pause: float) -> None:
        """Sleep until the next resync, for so many seconds at most."""
        self.due = time.monotonic() + pause
        try:
            async with asyncio.timeout(pause):
                await self._doubted.wait()
        except TimeoutError:
            return
        self._doubted.clear()
        self.due = min(self.due, time.monotonic() + SOON_SECONDS)
        await asyncio.sleep(self.due - time.monotonic())


async def list_assistants(
    lister: Lister, namespace: str | None, *, moves: Callable[[], None] = lambda: None
) -> tuple[list[Listed], str]:
    """Return all assistants of a namespace, with None those of all, and the list's version.

    ``moves`` is told of each that came, for a list of many pages may take many minutes.
    """

    def read(body: Manifest) -> Listed:
        moves()
        return read_listed(body)

    return await lister.list(ASSISTANTS, namespace, read=read)


async def prove_watch(
    lister: Lister,
    namespace: str | None,
    deliveries: Deliveries,
    *,
    delay: float,
    correct: Callable[[list[Listed], str], None],
    moves: Callable[[], None] = lambda: None,
) -> bool:
    """List, and wait until the watch has delivered what was listed.

    ``correct`` gets each list and its version at once: what a watch withholds need not wait until
    that is proved. Returns whether the next proof can wait for its usual time. Raises WatchDead
    where an object that still exists was not delivered within ``delay`` seconds as it was listed,
    or newer. ``moves`` is told of each assistant that a list brings.
    """
    try:
        listed, version = await list_assistants(lister, namespace, moves=moves)
        correct(listed, version)
        if not deliveries.missing(listed):
            return True
        await asyncio.sleep(delay)
        again, version = await list_assistants(lister, namespace, moves=moves)
    except ClusterFailure as failure:
        logger.warning("the resync gets no list: %s", failure)
        return failure.status == 403  # When it is allowed again, kopf lists again.
    there = {found.uid for found in again}
    if dead := deliveries.missing(found for found in listed if found.uid in there):
        names = ", ".join(sorted(map(str, dead))[:5])
        raise WatchDead(f"the watch of virtualassistants has not delivered {names} in {delay} s")
    correct(again, version)
    return True
