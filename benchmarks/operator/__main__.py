"""The command: `python -m benchmarks.operator`, or `make bench-operator` for all of it."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.machine import machine
from benchmarks.operator import parts
from benchmarks.operator.api_client import connect
from benchmarks.operator.assistants import service_type
from benchmarks.operator.bench_cluster import (
    BenchCluster,
    clear_leftovers,
    install,
    quiet,
    until,
)
from benchmarks.operator.processes import start_watcher
from benchmarks.operator.report import write_report
from benchmarks.operator.sightings import Sightings
from benchmarks.operator.stage import Stage
from va_operator.kinds import CHILDREN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PARTS = ("create", "change", "delete", "growth", "unrelated", "steady", "kwok")
RESULTS = Path(__file__).parent / "results"


def arguments(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.operator", description="How quick the operator is."
    )
    parser.add_argument(
        "--parts", default=",".join(PARTS), help=f"what to run, of {', '.join(PARTS)}"
    )
    parser.add_argument("--count", type=int, default=1000, help="assistants in most parts")
    parser.add_argument("--sizes", default="100,300,1000,3000", help="assistants in `growth`")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of `create`")
    parser.add_argument("--strangers", type=int, default=10_000, help="objects in `unrelated`")
    parser.add_argument("--idle", type=float, default=60, help="seconds of idleness in `steady`")
    parser.add_argument("--damages", type=int, default=200, help="children damaged in `steady`")
    parser.add_argument("--replicas", type=int, default=3, help="replicas in `kwok`")
    parser.add_argument("--name", default="va-bench", help="the name of the cluster that is made")
    parser.add_argument(
        "--keep", action="store_true", help="leave the cluster, and use it if it is there"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder of the results")
    found = parser.parse_args(words)
    found.parts = found.parts.split(",")
    found.sizes = [int(size) for size in found.sizes.split(",")]
    if unknown := set(found.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return found


async def run(asked: argparse.Namespace, cluster: BenchCluster, found: dict[str, Any]) -> None:
    """Run the parts, in the order in which they disturb each other least."""
    with tempfile.TemporaryDirectory(prefix="va-bench-") as folder:
        scratch = Path(folder)
        async with connect(cluster.kubeconfig) as api:
            await install(api)
            if asked.keep:
                await clear_leftovers(api)
            await quiet(api, cluster)
            watcher, file = start_watcher(scratch, cluster.kubeconfig)
            sightings = Sightings(file)
            try:
                await until(
                    lambda: sightings.follows(1 + len(CHILDREN)),
                    within=30,
                    show=lambda: watcher.log,
                )
                stage = Stage(cluster, api, watcher, sightings, scratch)
                await _play(stage, asked, found)
            except BaseException:
                _show_logs(scratch)
                raise
            finally:
                watcher.stop()


def _show_logs(folder: Path) -> None:
    for log in sorted(folder.glob("*.log")):
        print(f"--- {log.name}\n{log.read_text()[-3000:]}", file=sys.stderr)


async def _play(stage: Stage, asked: argparse.Namespace, found: dict[str, Any]) -> None:
    count = asked.count
    sizes = [count, *(asked.sizes if "growth" in asked.parts else ())]
    await stage.record_templates(sorted({service_type(size) for size in sizes}))
    plays: dict[str, Callable[[], Awaitable[Any]]] = {
        "create": lambda: parts.created(stage, count, asked.rounds),
        "change": lambda: parts.changed(stage, count),
        "growth": lambda: parts.grown(stage, asked.sizes),
        "steady": lambda: parts.steady(stage, count, asked.idle, asked.damages),
        "unrelated": lambda: parts.among_strangers(stage, count, asked.strangers),
        "delete": lambda: parts.deleted(stage, count),
        "kwok": lambda: parts.simulated(stage, count, asked.replicas),
    }
    for part, play in plays.items():
        if part in asked.parts:
            print(part, flush=True)
            begin = time.monotonic()
            outcome = await play()
            if part in {"create", "change"}:
                outcome = [item.to_data() for item in outcome]
            found["parts"][part] = outcome
            found["seconds"][part] = time.monotonic() - begin
            print(f" {part} took {found['seconds'][part]:.0f} s", flush=True)


def main() -> None:
    """Make the cluster, run, report, delete the cluster."""
    asked = arguments(sys.argv[1:])
    found: dict[str, Any] = {"machine": machine(), "parts": {}, "seconds": {}}
    cluster = BenchCluster(asked.name)
    if not (asked.keep and cluster.exists()):
        cluster.up()
    try:
        cluster.enter()
        asyncio.run(run(asked, cluster, found))
    finally:
        if found["parts"]:  # What was measured before a fault is worth keeping.
            asked.out.mkdir(parents=True, exist_ok=True)
            (asked.out / "latest.json").write_text(json.dumps(found, indent=1))
            print(write_report(found, asked.out))
        if not asked.keep:
            cluster.down()


if __name__ == "__main__":
    main()
