"""Follows one kind of object: list, then watch, and a new list whenever the watch lost its place.

A list replaces what was known, so that what was deleted in a gap is noticed.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from va_operator.api import Manifest
from va_operator.errors import ClusterFailure, ResourceExpired
from va_operator.kinds import Resource

logger = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 5.0
"""Seconds between tries while the API server does not answer: all is well again soon after it."""


T = TypeVar("T")


class Source(Protocol):
    """Where objects are listed and watched."""

    async def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        read: Callable[[Manifest], T],
        selector: str = "",
        metadata_only: bool = False,
    ) -> tuple[list[T], str]:
        """Return all objects as they are read, and the version from which to watch on."""
        ...

    def watch(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        version: str,
        selector: str = "",
        metadata_only: bool = False,
    ) -> AsyncIterator[tuple[str, Manifest]]:
        """Yield events from a version on."""
        ...


@dataclass(slots=True, kw_only=True)
class Reflector:
    """Tells ``replace`` of every list and ``changed`` of every event after it."""

    source: Source
    resource: Resource
    namespace: str | None
    selector: str = ""
    metadata_only: bool = False
    read: Callable[[Manifest], Any]
    """Cuts an object of a list down to what is kept, page by page."""
    replace: Callable[[str | None, list[Any], str], None]
    """Takes the namespace, what a list showed in it, and the version of the list."""
    changed: Callable[[str, Manifest], None]
    synced: asyncio.Event = field(default_factory=asyncio.Event)
    alive_at: float = field(default_factory=time.monotonic)
    """When it last did anything: a page of a list, an event, a bookmark, or a try."""

    async def run(self) -> None:
        """Follow for ever. Failures are logged and tried again."""
        version: str | None = None
        pause = FIRST_PAUSE
        while True:
            self.alive_at = begun = time.monotonic()
            try:
                if version is None:
                    version = await self._list()
                async for event, body in self.source.watch(
                    self.resource,
                    self.namespace,
                    version=version,
                    selector=self.selector,
                    metadata_only=self.metadata_only,
                ):
                    self.alive_at = time.monotonic()
                    pause = FIRST_PAUSE
                    version = body["metadata"]["resourceVersion"]
                    if event != "BOOKMARK":
                        self.changed(event, body)
            except ResourceExpired:
                logger.info("listing %s anew: the watch lost its place", self.resource.plural)
                version = None
            except ClusterFailure as failure:
                wait = max(pause, failure.retry_after or 0)
                logger.warning(
                    "following %s again in %.1f s: %s", self.resource.plural, wait, failure
                )
                if 400 <= failure.status < 500 and failure.status != 429:
                    version = None
                self.alive_at = time.monotonic() + wait  # What was asked for is no silence.
                await asyncio.sleep(wait)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            if time.monotonic() - begun < FIRST_PAUSE:
                await asyncio.sleep(FIRST_PAUSE)  # A server that hangs up at once is not run over.

    async def _list(self) -> str:
        def read(body: Manifest) -> Any:
            self.alive_at = time.monotonic()  # A list of many pages may take many minutes.
            return self.read(body)

        items, version = await self.source.list(
            self.resource,
            self.namespace,
            read=read,
            selector=self.selector,
            metadata_only=self.metadata_only,
        )
        self.replace(self.namespace, items, version)
        self.synced.set()
        return version
