"""The command: `python -m benchmarks.assistant`, or `make bench-assistant` for all of it."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.assistant import embedded, parts
from benchmarks.assistant.cells import Cell
from benchmarks.assistant.report import report
from benchmarks.assistant.stage import Stage, stage
from benchmarks.assistant.ways import ASSISTANT, DIRECT, LITELLM, ORIGINAL
from benchmarks.machine import machine

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS = ("start", "requests", "streams", "slow", "leave", "overload", "embedded")
WAYS = (DIRECT, ASSISTANT, LITELLM, ORIGINAL)
RESULTS = Path(__file__).parent / "results"
WARM_UP = Cell(tokens=50, delay=0.0, stream=False, clients=4)


def arguments(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.assistant", description="How quick the assistant is."
    )
    add = parser.add_argument
    add("--parts", default=",".join(PARTS), help=f"what to run, of {', '.join(PARTS)}")
    add("--ways", default=",".join(WAYS), help=f"who is compared, of {', '.join(WAYS)}")
    add("--rounds", type=int, default=5, help="rounds, each with every way in turn")
    add("--seconds", type=float, default=3.0, help="of one turn of a way")
    add("--overload", type=float, default=60.0, help="seconds of ten times the load")
    add("--delays", default="0,200", help="milliseconds that the stub takes")
    add("--clients", default="1,16,64", help="clients at once")
    add("--out", type=Path, default=RESULTS, help="the folder of the results")
    found = parser.parse_args(words)
    found.parts, found.ways = found.parts.split(","), found.ways.split(",")
    found.delays = [float(delay) / 1000 for delay in found.delays.split(",")]
    found.clients = [int(clients) for clients in found.clients.split(",")]
    for given, known in ((found.parts, PARTS), (found.ways, WAYS)):
        if unknown := set(given) - set(known):
            parser.error(f"there is no {', '.join(sorted(unknown))}")
    return found


def run(asked: argparse.Namespace, found: dict[str, Any]) -> None:
    """Run the parts, each way with the others in one stage."""
    with stage(asked.ways) as here:
        plays: dict[str, Callable[[], Any]] = {
            "start": lambda: parts.started(here, asked.rounds),
            "requests": lambda: parts.requests(
                here, asked.rounds, asked.seconds, asked.delays, asked.clients
            ),
            "streams": lambda: parts.streams(here, asked.rounds, max(asked.seconds, 3.0)),
            "slow": lambda: parts.slow_readers(here),
            "leave": lambda: parts.leavers(here),
            "overload": lambda: parts.overload(here, asked.overload),
            "embedded": lambda: embedded.embedded(here.folder, min(asked.rounds, 3)),
        }
        for part, play in plays.items():
            if part not in asked.parts:
                continue
            if part == "embedded":
                _end_load(here, found)
            elif part != "start" and not here.servers:
                _begin_load(here)
            print(part, flush=True)
            begin = time.monotonic()
            found["parts"][part] = play()
            print(f" {part} took {time.monotonic() - begin:.0f} s", flush=True)
        _end_load(here, found)


def _begin_load(here: Stage) -> None:
    """Start all and let each load what it loads with its first requests."""
    here.start_all()
    for way in here.ways:
        here.turn(way, WARM_UP, seconds=1.0, warm_seconds=1.0)


def _end_load(here: Stage, found: dict[str, Any]) -> None:
    if here.servers:
        found["parts"]["memory"] = parts.memory(here)
        here.stop_all()


def main() -> None:
    """Measure, and write what was measured, also before a failure."""
    asked = arguments(sys.argv[1:])
    found: dict[str, Any] = {"machine": machine(), "parts": {}}
    try:
        run(asked, found)
    finally:
        if found["parts"]:
            asked.out.mkdir(parents=True, exist_ok=True)
            (asked.out / "latest.json").write_text(json.dumps(found, indent=1))
            page = report(found)
            (asked.out / "latest.md").write_text(page)
            print(page)


if __name__ == "__main__":
    main()
