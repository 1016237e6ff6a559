"""A process that follows assistants and children, and writes down when it heard of what.

All arrivals are stamped by the one clock of the one process: how long after an assistant's event
its children's events come is then a difference that no other clock enters. It reads metadata only,
but for the assistants. `python -m benchmarks.operator.watcher KUBECONFIG FILE`.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from benchmarks.operator.api_client import JSON, METADATA_ONLY, ApiClient, connect
from va_operator.kinds import ASSISTANTS, CHILDREN, Resource
from va_operator.resources.metadata import CHILDREN_SELECTOR, INSTANCE_LABEL


async def follow(
    api: ApiClient, resource: Resource, out: TextIO, *, accept: str, selector: str
) -> None:
    """Write a line for every event of a kind, for ever."""
    query = {"labelSelector": selector} if selector else {}
    listed = await api.get(resource.path(None), {**query, "limit": "1"})
    version = listed["metadata"]["resourceVersion"]
    out.write(json.dumps([time.monotonic(), resource.kind, "FOLLOWED", "", "", {}]) + "\n")
    out.flush()
    while True:
        asked = {**query, "resourceVersion": version}
        async for line in api.watch(resource.path(None), accept=accept, query=asked):
            now = time.monotonic()
            event = json.loads(line)
            body = event["object"]
            version = body["metadata"]["resourceVersion"]
            if event["type"] != "BOOKMARK":
                out.write(json.dumps(sighting(now, resource.kind, event["type"], body)) + "\n")


def sighting(now: float, kind: str, event: str, body: dict[str, Any]) -> list[Any]:
    """Return what is written of an event: enough to tell what changed."""
    metadata, status = body["metadata"], body.get("status") or {}
    more: dict[str, Any] = {
        "name": metadata["name"],
        "version": int(metadata["resourceVersion"]),
        "generation": metadata.get("generation", 0),
    }
    if kind == ASSISTANTS.kind:
        assistant = metadata["name"]
        more["observed"] = status.get("observedGeneration", 0)
        more["true"] = [c["type"] for c in status.get("conditions", ()) if c["status"] == "True"]
    else:
        assistant = (metadata.get("labels") or {}).get(INSTANCE_LABEL, "")
    return [now, kind, event, metadata["namespace"], assistant, more]


async def flush(out: TextIO) -> None:
    """Pass on what is written, ten times a second."""
    while True:
        await asyncio.sleep(0.1)
        out.flush()


async def main(kubeconfig: Path, file: Path) -> None:
    """Follow everything until this process is ended."""
    with file.open("w") as out:
        async with connect(kubeconfig) as api, asyncio.TaskGroup() as group:
            group.create_task(flush(out))
            group.create_task(follow(api, ASSISTANTS, out, accept=JSON, selector=""))
            for kind in CHILDREN.values():
                group.create_task(
                    follow(api, kind, out, accept=METADATA_ONLY, selector=CHILDREN_SELECTOR)
                )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
