"""The operator at rest: its start among settled assistants, idleness, and healing."""

import asyncio
import itertools
import json
import random
import time
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.figures import percentile
from benchmarks.operator.api_client import MERGE
from benchmarks.operator.bench_cluster import TooLong
from benchmarks.operator.limit import for_each
from benchmarks.operator.processes import Running
from benchmarks.operator.request_metrics import writes
from benchmarks.operator.stage import AT_ONCE, Stage
from benchmarks.usage import cpu_seconds
from va_operator.kinds import CHILDREN, SERVICES, Resource


async def settle(running: Running, *, within: float = 60) -> None:
    """Wait until a process has used next to no processor time for a second."""
    deadline = time.monotonic() + within
    while True:
        if not running.alive:
            raise RuntimeError(f"it ended: {running.log[-2000:]}")
        before = cpu_seconds(running.process.pid)
        await asyncio.sleep(1)
        used = cpu_seconds(running.process.pid) - before
        if used <= 0.03:
            return
        if time.monotonic() > deadline:
            raise TooLong(f"it still uses {used:.2f} s of processor time in a second")


async def start_among(stage: Stage, count: int) -> tuple[Running, dict[str, Any]]:
    """Start the operator where so many assistants are settled; return it and its figures."""
    before = await stage.calls()
    running = await stage.operator()
    try:
        cpu_synced = running.usage().cpu_seconds
        await settle(running)
        used = running.usage()
        calls = await stage.calls_since(before)
    except BaseException:
        running.stop()
        raise
    figures = {
        "count": count, "seconds_to_synced": running.synced_after, "cpu_to_synced": cpu_synced,
        "cpu_to_quiet": used.cpu_seconds, "writes": writes(calls), **_memory(running),
        "calls": {str(call): n for call, n in sorted(calls.items())},
    }  # fmt: skip
    stage.say(
        f"  start among {count}: synced after {running.synced_after:.1f} s, "
        f"{used.cpu_seconds:.2f} s processor, "
        f"{figures['writes']} writes, {used.rss:.0f} MB"
    )
    return running, figures


def _memory(running: Running) -> dict[str, float]:
    return {name: value for name, value in asdict(running.usage()).items() if name != "cpu_seconds"}


async def idle(stage: Stage, running: Running, count: int, seconds: float) -> dict[str, Any]:
    """Leave everything alone for a while; return what the operator did meanwhile."""
    before, used = await stage.calls(), cpu_seconds(running.process.pid)
    await asyncio.sleep(seconds)
    calls = await stage.calls_since(before)
    used = cpu_seconds(running.process.pid) - used
    stage.say(f"  idle {seconds:.0f} s among {count}: {used:.2f} s processor, {dict(calls)}")
    return {
        "count": count, "seconds": seconds, "cpu_seconds": used, "writes": writes(calls),
        "calls": {str(call): n for call, n in sorted(calls.items())},
    }  # fmt: skip


@dataclass(frozen=True)
class Damage:
    """Something that somebody does to a child by hand."""

    what: str
    resource: Resource
    patch: str | None
    """A merge patch; None for a deletion."""


def damages() -> tuple[Damage, ...]:
    """Return a deletion for each kind of child, and an edit of an owned label of each."""
    labels = {"metadata": {"labels": {"app.kubernetes.io/part-of": "something-else"}}}
    found = [Damage(f"{kind} deleted", r, None) for kind, r in CHILDREN.items()]
    found += [
        Damage(f"{kind} relabelled", r, json.dumps(labels))
        for kind, r in CHILDREN.items()
        if kind != "ConfigMap"  # a revision is known by its name: only its owner and data count
    ]
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "probes"}]
    found.append(Damage("Service misled", SERVICES, json.dumps({"spec": {"ports": ports}})))
    return tuple(found)


async def heal(stage: Stage, namespace: str, names: list[str], times: int) -> dict[str, Any]:
    """Damage one child after the other; return how long after the damage each was whole.

    Both moments are arrivals at the watcher. Raises TooLong for a damage that stays.
    """
    chosen = random.Random(4711).choices(names, k=times)  # noqa: S311 - the same in each run
    took: dict[str, list[float]] = {}
    for name, damage in zip(chosen, itertools.cycle(damages()), strict=False):
        began = time.monotonic()
        path = damage.resource.path(namespace, await _child(stage, namespace, name, damage))
        if damage.patch is None:
            await stage.api.send("DELETE", path)
        else:
            await stage.api.send("PATCH", path, damage.patch, content=MERGE)
        took.setdefault(damage.what, []).append(
            await _healed(stage, namespace, name, damage, began)
        )
    every = [value for values in took.values() for value in values]
    figures = {
        "times": times, "p50": percentile(every, 0.5), "p99": percentile(every, 0.99),
        "most": max(every),
        "by_kind": {what: percentile(values, 0.5) for what, values in sorted(took.items())},
    }  # fmt: skip
    stage.say(
        f"  healed {times}: p50 {figures['p50']:.0f} ms, p99 {figures['p99']:.0f} ms, "
        f"at most {figures['most']:.0f} ms"
    )
    return figures


async def _child(stage: Stage, namespace: str, name: str, damage: Damage) -> str:
    """Return a child's name: all bear the assistant's but the revision, which adds to it."""
    if damage.resource.kind != "ConfigMap":
        return name
    selector = {"labelSelector": f"app.kubernetes.io/instance={name}"}
    listed = await stage.api.get(damage.resource.path(namespace), selector)
    newest = max(listed["items"], key=lambda item: int(item["metadata"]["resourceVersion"]))
    found: str = newest["metadata"]["name"]
    return found


async def _healed(stage: Stage, namespace: str, name: str, damage: Damage, began: float) -> float:
    """Wait for the second event of the child: the first is the damage. Milliseconds."""
    deadline = time.monotonic() + 20
    while True:
        stage.sightings.read()
        story = stage.sightings.stories(namespace, since=began, only=name).get(name)
        events = [s for s in story.events if s.kind == damage.resource.kind] if story else []
        if len(events) > 1:
            return (events[1].at - events[0].at) * 1000
        if time.monotonic() > deadline:
            raise TooLong(f"{damage.what} of {name} is not healed within 20 s: {events}")
        await asyncio.sleep(0.05)


async def unrelated(stage: Stage, count: int) -> str:
    """Make so many ConfigMaps and as many Secrets that are nobody's; return their namespace."""
    namespace = await stage.namespace()
    text = "x" * 1024

    async def make(plural: str, kind: str, number: str) -> None:
        body = {
            "apiVersion": "v1", "kind": kind, "metadata": {"name": f"unrelated-{number}"},
            "data" if kind == "ConfigMap" else "stringData": {"text": text},
        }  # fmt: skip
        path = f"/api/v1/namespaces/{namespace}/{plural}"
        await stage.api.send("POST", path, json.dumps(body))

    async def both(number: str) -> None:
        await make("configmaps", "ConfigMap", number)
        await make("secrets", "Secret", number)

    begin = time.monotonic()
    await for_each(map(str, range(count)), both, at_once=2 * AT_ONCE)
    seconds = time.monotonic() - begin
    stage.say(f"  {count} unrelated ConfigMaps and Secrets made in {seconds:.0f} s")
    return namespace
