"""The slow resync: lists all assistants, corrects the store, and proves that the watch is alive.

Each namespace that is watched is proved by itself, so that one that may not be listed (it
was deleted, its binding with it) hides nothing of the others.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from va_operator.api import Key, Manifest, key_of
from va_operator.errors import ClusterFailure, WatchDead
from va_operator.kinds import ASSISTANTS, Resource

logger = logging.getLogger(__name__)

WATCH_DELAY: Final = 60.0
"""Seconds within which the watch must deliver what a list has shown."""


class Lister(Protocol):
    """What a resync needs of the API server."""

    async def list(self, resource: Resource, namespace: str | None) -> tuple[list[Manifest], str]:
        """Return all objects and their common version."""
        ...


@dataclass(slots=True)
class Deliveries:
    """Which version of each assistant the watch delivered last."""

    _versions: dict[Key, tuple[str, int]] = field(default_factory=dict)

    def note(self, body: Manifest) -> None:
        """Take in an object that came by the watch."""
        metadata = body["metadata"]
        self._versions[key_of(body)] = (metadata["uid"], int(metadata["resourceVersion"]))

    def drop(self, body: Manifest) -> None:
        """Take in a deletion that came by the watch."""
        uid, _ = self._versions.get(key_of(body), ("", 0))
        if uid == body["metadata"]["uid"]:
            del self._versions[key_of(body)]

    def knows(self, body: Manifest) -> bool:
        """Tell whether the watch has delivered this object before, in any version."""
        uid, _ = self._versions.get(key_of(body), ("", 0))
        found: bool = uid == body["metadata"]["uid"]
        return found

    def missing(self, listed: Iterable[Manifest]) -> frozenset[Key]:
        """Return what a list has shown and the watch has not delivered yet, in this version."""
        return frozenset(key_of(body) for body in listed if self._is_behind(body))

    def _is_behind(self, body: Manifest) -> bool:
        metadata = body["metadata"]
        uid, version = self._versions.get(key_of(body), ("", 0))
        return uid != metadata["uid"] or version < int(metadata["resourceVersion"])


async def list_assistants(lister: Lister, namespace: str | None) -> tuple[list[Manifest], str]:
    """Return all assistants of a namespace, with None those of all, and the list's version."""
    return await lister.list(ASSISTANTS, namespace)


async def prove_watch(
    lister: Lister, namespace: str | None, deliveries: Deliveries, *, delay: float
) -> tuple[list[Manifest], str] | None:
    """List, and wait until the watch has delivered what was listed.

    Returns the list and its version, or None where the API server gives none. Raises WatchDead
    where an object that still exists unchanged after ``delay`` seconds was never delivered.
    """
    try:
        listed, version = await list_assistants(lister, namespace)
        if not deliveries.missing(listed):
            return listed, version
        await asyncio.sleep(delay)
        again, version = await list_assistants(lister, namespace)
    except ClusterFailure as failure:
        logger.warning("the resync gets no list: %s", failure)
        return None
    versions = {key_of(body): body["metadata"]["resourceVersion"] for body in listed}
    lost = [
        body for body in again if versions.get(key_of(body)) == body["metadata"]["resourceVersion"]
    ]
    if dead := deliveries.missing(lost):
        names = ", ".join(sorted(map(str, dead))[:5])
        raise WatchDead(f"the watch of virtualassistants has not delivered {names} in {delay} s")
    return again, version
