"""What all parts of the benchmark share: the client, the watcher, the operator, the namespaces."""

import itertools
import json
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.operator import assistants
from benchmarks.operator.api_client import ApiClient
from benchmarks.operator.bench_cluster import (
    BenchCluster,
    clear,
    make_namespace,
    requests_so_far,
    until,
)
from benchmarks.operator.limit import create_assistant
from benchmarks.operator.processes import Running, start_operator
from benchmarks.operator.request_metrics import Calls, made_between
from benchmarks.operator.sightings import Sightings, Story
from benchmarks.operator.template import Template, template_of
from va_operator.kinds import ASSISTANTS, CHILDREN
from va_operator.settings import OperatorSettings

AT_ONCE: int = OperatorSettings.model_fields["workers"].default
"""How many assistants the operator has in work at once, and so everybody here."""

COUNTED = frozenset(
    {ASSISTANTS.plural, "events", "pods", "secrets", "leases"}
    | {kind.plural for kind in CHILDREN.values()}
)
SAMPLE, SAMPLE_NAMESPACE = "assistant-sample", "bench-sample-namespace"


@dataclass
class Stage:
    """Where a part of the benchmark plays."""

    cluster: BenchCluster
    api: ApiClient
    watcher: Running
    sightings: Sightings
    scratch: Path
    say: Callable[[str], None] = print
    templates: dict[tuple[str, str], Template] = field(default_factory=dict)
    _run: str = field(default_factory=lambda: secrets.token_hex(3))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def namespace(self) -> str:
        """Make a namespace that nobody has used."""
        name = f"bench-{self._run}-{next(self._numbers):03d}"
        await make_namespace(self.api, name)
        return name

    async def clear(self, namespace: str) -> None:
        """Delete what a part has made, and forget what was seen of it."""
        await clear(self.api, namespace)
        self.sightings.read()
        self.sightings.forget(namespace)

    async def operator(self) -> Running:
        """Start the operator, and wait until it has seen everything and leads."""
        running = start_operator(self.scratch)
        try:
            running.synced_after = await running.until_logged("synced: ")
            await running.until_logged("leading: ")
        except BaseException:
            running.stop()
            raise
        return running

    async def calls(self) -> Calls:
        """Return the API server's count of requests so far."""
        return await requests_so_far(self.api)

    async def calls_since(self, before: Calls) -> Calls:
        """Return the calls since then for what assistants are made of."""
        return made_between(before, await self.calls(), COUNTED)

    async def seen(
        self,
        namespace: str,
        names: Collection[str],
        *,
        since: float,
        done: Callable[[Story], object],
        within: float,
        writer: Running | None = None,
    ) -> dict[str, Story]:
        """Wait until ``done(story)`` is so for all assistants of a namespace; return the stories.

        Raises TooLong with the number that are, and the story of one that is not.
        """
        last: dict[str, Story] = {}

        def met() -> bool:
            if not self.watcher.alive:
                raise RuntimeError(f"the watcher ended: {self.watcher.log[-2000:]}")
            if writer is not None and not writer.alive:
                raise RuntimeError(f"who was to write ended: {writer.log[-2000:]}")
            self.sightings.read()
            last.clear()
            stories = self.sightings.stories(namespace, since=since)
            last.update({name: stories[name] for name in names if name in stories})
            return sum(bool(done(story)) for story in last.values()) == len(names)

        def show() -> str:
            ready = [name for name, story in last.items() if done(story)]
            missing = next((story for name, story in last.items() if name not in ready), None)
            return f"{len(ready)} of {len(names)} are; one that is not: {missing}"

        await until(met, within=within, show=show, pause=0.5)
        return dict(last)

    async def record_templates(self, services: Iterable[str]) -> None:
        """Let the operator write a sample of each kind of Service and each edition, and read it."""
        operator = await self.operator()
        await make_namespace(self.api, SAMPLE_NAMESPACE)
        try:
            for service in services:
                begin = time.monotonic()
                await create_assistant(self.api, SAMPLE, SAMPLE_NAMESPACE, service=service)
                first = await self._record(begin)
                begin = time.monotonic()
                await self.api.send(
                    "PATCH", assistants.path(SAMPLE_NAMESPACE, SAMPLE), assistants.change(2),
                    content="application/merge-patch+json",
                )  # fmt: skip
                second = await self._record(begin)
                self.templates[service, "create"] = first
                self.templates[service, "change"] = second.without(first)
                await self.clear(SAMPLE_NAMESPACE)
        finally:
            operator.stop()

    async def _record(self, begin: float) -> Template:
        await self.seen(
            SAMPLE_NAMESPACE, [SAMPLE], since=begin, done=lambda story: story.status_at, within=30
        )
        objects: list[dict[str, Any]] = []
        for kind, resource in CHILDREN.items():
            listed = await self.api.get(resource.path(SAMPLE_NAMESPACE))
            known = {"apiVersion": resource.api_version, "kind": kind}
            objects += [{**known, **item} for item in listed["items"]]
        body = json.loads(await self.api.send("GET", assistants.path(SAMPLE_NAMESPACE, SAMPLE)))
        return template_of(body, objects)
