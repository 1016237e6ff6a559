"""The parts of the benchmark. Each makes what it needs, and clears it."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import percentile
from benchmarks.operator.assistants import name_of, service_type
from benchmarks.operator.bench_cluster import (
    EVERYTHING,
    GARBAGE_COLLECTION,
    QUICK,
    TooLong,
)
from benchmarks.operator.bursts import (
    LIMIT,
    OPERATOR,
    PLAIN_KOPF,
    burst,
    delete_all,
    patience,
)
from benchmarks.operator.kwok import (
    POD_ADDRESSES,
    PODS_PER_NODE,
    cordon,
    ensure_kwok,
    make_nodes,
    start_kwok,
)
from benchmarks.operator.limit import create_assistant, for_each
from benchmarks.operator.outcome import Outcome
from benchmarks.operator.processes import start_plain_kopf
from benchmarks.operator.request_metrics import written
from benchmarks.operator.stage import AT_ONCE, Stage
from benchmarks.operator.steady import heal, idle, start_among, unrelated
from benchmarks.usage import cpu_seconds
from va_operator.kinds import CHILDREN

Figures = dict[str, Any]
EVERY_KIND = tuple(CHILDREN)


def names(count: int) -> list[str]:
    """Return the names of so many assistants."""
    return [name_of(number) for number in range(count)]


async def create_once(stage: Stage, who: str, count: int) -> Outcome:
    """Let one contestant create so many assistants in a namespace of its own, and clear it."""
    namespace, service = await stage.namespace(), service_type(count)
    writer = None
    if who == OPERATOR:
        writer = await stage.operator()
    elif who == PLAIN_KOPF:
        template = stage.scratch / "template.json"
        template.write_text(stage.templates[service, "create"].to_json())
        writer = start_plain_kopf(stage.scratch, template, namespace)
    try:
        if who == PLAIN_KOPF and writer is not None:
            await _warm_up(stage, namespace)
        return await burst(
            stage, who, "create", namespace, names(count), writer=writer, service=service
        )
    finally:
        if writer is not None:
            writer.stop()
        await stage.clear(namespace)


async def _warm_up(stage: Stage, namespace: str) -> None:
    """Wait until plain kopf, which does not say when it is ready, has written a first one."""
    name, begin = "assistant-warm-up", time.monotonic()
    await create_assistant(stage.api, name, namespace)
    await stage.seen(namespace, [name], since=begin, done=lambda story: story.status_at, within=60)
    await stage.clear(namespace)


async def created(stage: Stage, count: int, rounds: int) -> list[Outcome]:
    """Part `create`: rounds in which each contestant has its turn."""
    found = []
    for number in range(rounds):
        stage.say(f" round {number + 1} of {rounds}")
        found += [await create_once(stage, who, count) for who in (LIMIT, OPERATOR, PLAIN_KOPF)]
    return found


async def changed(stage: Stage, count: int) -> list[Outcome]:
    """Part `change`: another text for all, by the bare client and by the operator."""
    found, service = [], service_type(count)
    for who in (LIMIT, OPERATOR):
        namespace = await stage.namespace()
        writer = await stage.operator() if who == OPERATOR else None
        try:
            for what in ("create", "change"):
                outcome = await burst(
                    stage, who, what, namespace, names(count),
                    writer=writer, service=service, edition=2,
                )  # fmt: skip
            found.append(outcome)
        finally:
            if writer is not None:
                writer.stop()
            await stage.clear(namespace)
    return found


async def deleted(stage: Stage, count: int) -> list[Figures]:
    """Part `delete`: by the garbage collector, with no operator and with the operator."""
    found, service = [], service_type(count)
    await stage.cluster.run("kube-controller-manager", controllers=GARBAGE_COLLECTION, **QUICK)
    try:
        await _collecting(stage)
        for who in ("nobody", OPERATOR):
            namespace = await stage.namespace()
            await burst(
                stage, LIMIT, "create", namespace, names(count), writer=None, service=service
            )
            running = (await start_among(stage, count))[0] if who == OPERATOR else None
            try:
                if running is not None:
                    used = cpu_seconds(running.process.pid)
                figures = await delete_all(stage, who, namespace, names(count), kinds=EVERY_KIND)
                if running is not None:
                    used = cpu_seconds(running.process.pid) - used
                    figures["cpu_ms_each"] = used * 1000 / count
                found.append(figures)
            finally:
                if running is not None:
                    running.stop()
    finally:
        await stage.cluster.park("kube-controller-manager")
    return found


async def _collecting(stage: Stage) -> None:
    """Wait until the garbage collector takes an orphan, which shows that it follows everything."""
    namespace = await stage.namespace()
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "none"}
    body = {
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "orphan", "ownerReferences": [owner]},
    }  # fmt: skip
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await stage.api.send("POST", path, json.dumps(body))
    deadline = time.monotonic() + 120
    while (await stage.api.get(path))["items"]:
        if time.monotonic() > deadline:
            raise TooLong("the garbage collector does not take an orphan within 120 s")
        await asyncio.sleep(0.5)


async def grown(stage: Stage, sizes: list[int]) -> list[Figures]:
    """Part `growth`: the same for each size, and the operator's start among so many."""
    return [await _one_size(stage, count) for count in sizes]


async def _one_size(stage: Stage, count: int) -> Figures:
    stage.say(f" {count} assistants")
    limit = await create_once(stage, LIMIT, count)
    namespace, service = await stage.namespace(), service_type(count)
    running = await stage.operator()
    try:
        empty = running.usage()
        outcome = await burst(
            stage, OPERATOR, "create", namespace, names(count), writer=running, service=service
        )
        full = running.usage()
        running.stop()
        running, start = await start_among(stage, count)
    finally:
        running.stop()
        await stage.clear(namespace)
    return {
        "count": count, "service": service, "limit": limit.to_data(),
        "operator": outcome.to_data(), "start": start,
        "rss_empty": empty.rss, "rss": full.rss, "peak_rss": full.peak_rss,
        "pss": full.pss, "uss": full.uss,
    }  # fmt: skip


async def among_strangers(stage: Stage, count: int, strangers: int) -> Figures:
    """Part `unrelated`: the same size once more, among ConfigMaps and Secrets of others."""
    namespace = await unrelated(stage, strangers)
    try:
        return {**await _one_size(stage, count), "strangers": strangers}
    finally:
        for plural in ("configmaps", "secrets"):
            path = f"/api/v1/namespaces/{namespace}/{plural}"
            await stage.api.send("DELETE", path, fine=(504,))


async def steady(stage: Stage, count: int, idle_seconds: float, damages: int) -> Figures:
    """Part `steady`: start among settled assistants, idleness, healing."""
    namespace, service = await stage.namespace(), service_type(count)
    await burst(stage, LIMIT, "create", namespace, names(count), writer=None, service=service)
    running, _ = await start_among(stage, count)
    running.stop()  # It has put right the node ports, which the bare client's statuses copied.
    running, start = await start_among(stage, count)
    try:
        rest = await idle(stage, running, count, idle_seconds)
        return {
            "start": start,
            "idle": rest,
            "heal": await heal(stage, namespace, names(count), damages),
        }
    finally:
        running.stop()
        await stage.clear(namespace)


async def simulated(stage: Stage, count: int, replicas: int) -> Figures:
    """Part `kwok`: pods become ready without existing; how long until all are `Available`.

    The whole control plane runs, without the brakes on its clients.
    """
    cache = Path(os.environ.get("VA_CACHE_DIR") or Path.home() / ".cache" / "virtual-assistant")
    programs = ensure_kwok(cache)
    await cordon(stage.api, stage.cluster.node)
    stage.cluster.on_node("ip", "route", "replace", "unreachable", POD_ADDRESSES)
    await stage.cluster.run("kube-controller-manager", controllers=EVERYTHING, **QUICK)
    await stage.cluster.run("kube-scheduler", **QUICK)
    kwok = start_kwok(programs, stage.scratch, stage.cluster.kubeconfig)
    operator = None
    namespace = await stage.namespace()
    try:
        # Half as many nodes again as the pods need; a rollout has one pod more.
        await make_nodes(stage.api, count * replicas * 3 // 2 // PODS_PER_NODE + 1)
        await _nodes_ready(stage)
        operator = await stage.operator()
        before, begin = await stage.calls(), time.monotonic()

        async def create(name: str) -> None:
            await create_assistant(
                stage.api, name, namespace, service=service_type(count), replicas=replicas
            )

        await for_each(names(count), create, at_once=AT_ONCE)
        stories = await stage.seen(
            namespace, names(count), since=begin, done=lambda story: story.true_at("Available"),
            within=600 + patience(count),
        )  # fmt: skip
        moments = sorted((s.true_at("Available") or 0) - begin for s in stories.values())
        calls = await stage.calls_since(before)
        statuses = written(calls, "virtualassistants/status") / count
        figures = {
            "count": count, "replicas": replicas, "seconds": moments[-1],
            "p50": percentile(moments, 0.5), "p99": percentile(moments, 0.99),
            "statuses_each": statuses, "finished": moments,
            "rss": operator.usage().rss, "cpu_seconds": operator.usage().cpu_seconds,
            "calls": {str(call): n for call, n in sorted(calls.items())},
        }  # fmt: skip
        stage.say(
            f"  {count} assistants of {replicas} simulated replicas are Available after "
            f"{moments[-1]:.0f} s, {statuses:.1f} statuses each"
        )
        return figures
    finally:
        if operator is not None:
            operator.stop()
        kwok.stop()


async def _nodes_ready(stage: Stage) -> None:
    deadline = time.monotonic() + 120
    while True:
        nodes = (await stage.api.get("/api/v1/nodes"))["items"]
        waiting = [
            node["metadata"]["name"]
            for node in nodes
            if not any(
                condition["type"] == "Ready" and condition["status"] == "True"
                for condition in node.get("status", {}).get("conditions", ())
            )
        ]
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise TooLong(f"nodes that are not ready: {waiting}")
        await asyncio.sleep(0.5)
