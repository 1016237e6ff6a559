"""From an assistant to its desired revision: reads the texts that its context refers to.

What was read once counts as long as neither the spec nor a ConfigMap changed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from va_operator.api import Key, Manifest, VirtualAssistant
from va_operator.context import ResolvedFile, resolve
from va_operator.desired import holds
from va_operator.errors import ContextError
from va_operator.kinds import CONFIG_MAPS, Resource
from va_operator.observed import ConfigMapFacts, read_config_map
from va_operator.revision import Revision, build_revision
from va_operator.store import Store

READS_AT_ONCE: Final = 64
"""Of all assistants together; one may refer to 32 ConfigMaps."""


class Reading(Protocol):
    """What resolving needs of the API server."""

    async def get(self, resource: Resource, key: Key) -> Manifest | None:
        """Return an object, None where there is none."""


class _Resolved(NamedTuple):
    """A revision, and by what it was found: it holds as long as those stay."""

    fingerprint: tuple[object, ...]
    revision: Revision | ContextError


@dataclass(slots=True, kw_only=True)
class Resolver:
    """Resolves the context of any assistant in the store."""

    store: Store
    cluster: Reading
    _resolved: dict[Key, _Resolved] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(READS_AT_ONCE))

    async def resolve(
        self, assistant: VirtualAssistant
    ) -> tuple[Revision | ContextError, tuple[ResolvedFile, ...]]:
        """Return the desired revision, with its texts only where they must be written.

        Raises ClusterFailure where a text could not be read.
        """
        known = self._resolved.get(assistant.key)
        seen = self.store.sources_of(assistant)
        if known is not None and known.fingerprint == _fingerprint(assistant, seen):
            revision = known.revision
            if isinstance(revision, ContextError) or holds(
                assistant, revision, self.store.revisions.of(assistant.key)
            ):
                return revision, ()
        names = sorted(assistant.config_maps)
        bodies = await asyncio.gather(*(self._read(assistant, name) for name in names))
        sources = dict(zip(names, bodies, strict=True))
        try:
            files = resolve(assistant, sources)
            result: Revision | ContextError = build_revision(assistant, files)
        except ContextError as error:
            result, files = error, ()
        # Of what was read, not of what is in the store: it may have gone on meanwhile.
        read = {name: read_config_map(body) if body else None for name, body in sources.items()}
        self._resolved[assistant.key] = _Resolved(_fingerprint(assistant, read), result)
        return result, files

    def forget(self, key: Key) -> None:
        """Forget an assistant that is gone."""
        self._resolved.pop(key, None)

    async def _read(self, assistant: VirtualAssistant, name: str) -> Manifest | None:
        key = Key(assistant.key.namespace, name)
        async with self._slots:
            known = self.store.sources.get(key)
            body = await self.cluster.get(CONFIG_MAPS, key)
        if body is not None:
            self.store.sources.remember(read_config_map(body))
        elif known is not None and self.store.sources.get(key) is known:
            self.store.sources.forget(key, known.uid)
        return body


def _fingerprint(
    assistant: VirtualAssistant, sources: Mapping[str, ConfigMapFacts | None]
) -> tuple[object, ...]:
    """Return what a revision depends on: the spec and the versions of the ConfigMaps."""
    versions = tuple((name, s and (s.uid, s.resource_version)) for name, s in sources.items())
    return (assistant.uid, assistant.generation, versions)
