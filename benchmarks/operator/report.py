"""The tables: what was measured, beside what is asked for."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.figures import median
from benchmarks.machine import sentence
from benchmarks.operator.bursts import LIMIT, OPERATOR, PLAIN_KOPF
from benchmarks.tables import table

Figures = dict[str, Any]


def ratio(outcomes: Iterable[Figures], who: str) -> float:
    """Return the median rate of one contestant, as a share of the bare client's."""
    found = list(outcomes)
    rates = [o["rate"] for o in found if o["who"] == who]
    limit = [o["rate"] for o in found if o["who"] == LIMIT]
    return median(rates) / median(limit)


def create_section(outcomes: list[Figures]) -> str:
    """Return the comparison of the contestants."""
    rows = []
    for who in (LIMIT, OPERATOR, PLAIN_KOPF):
        own = [o for o in outcomes if o["who"] == who]
        if own:
            rates = [o["rate"] for o in own]
            rows.append((
                who, median(rates), f"{min(rates):.1f} to {max(rates):.1f}",
                ratio(outcomes, who), own[0]["writes_each"], own[0]["child_writes_each"],
                *(median(o[name] for o in own) for name in (
                    "children_p50", "children_p99", "cpu_ms_each")),
            ))  # fmt: skip
    head = ("who", "per s", "spread", "of limit", "writes each", "child writes",
            "children p50 ms", "p99 ms", "processor ms each")  # fmt: skip
    return table(head, rows)


def calls_section(outcomes: list[Figures]) -> str:
    """Return what the API server counted for the operator, per assistant."""
    own = [o for o in outcomes if o["who"] == OPERATOR]
    rows = [(call, number, number / own[-1]["count"]) for call, number in own[-1]["calls"].items()]
    return table(("call", "number", "per assistant"), rows)


def growth_row(row: Figures) -> tuple[object, ...]:
    """Return one size's line."""
    own, limit, start = row["operator"], row["limit"], row["start"]
    return (
        row["count"], row["service"], own["rate"], limit["rate"], own["rate"] / limit["rate"],
        own["children_p50"], own["children_p99"], own["cpu_ms_each"],
        row["rss_empty"], row["rss"], row["peak_rss"], row["uss"],
        start["seconds_to_synced"], start["cpu_to_quiet"], start["rss"], start["writes"],
    )  # fmt: skip


GROWTH_HEAD = (
    "assistants", "Services", "per s", "limit", "ratio", "children p50 ms", "p99 ms",
    "cpu ms each", "RSS MB before", "after", "peak", "USS after", "start s", "start cpu s",
    "RSS after start", "writes at start",
)  # fmt: skip


def write_report(found: Figures, folder: Path) -> str:
    """Write `latest.md` and the plots that there is material for; return the text."""
    parts = found["parts"]
    text = [
        "# What was measured",
        (
            f"{sentence(found['machine'])} Written by `python -m benchmarks.operator`; "
            "the README says how each figure is made."
        ),
    ]
    if "create" in parts:
        text += ["## Created at once", create_section(parts["create"])]
        text += ["The API server's count in the operator's last round:",
                 calls_section(parts["create"])]  # fmt: skip
    if "change" in parts:
        text += ["## Another text for all", create_section(parts["change"])]
        text += [calls_section(parts["change"])]
    if "delete" in parts:
        rows = [(r["who"], r["count"], r["seconds"], r["rate"], r["others"],
                 r.get("cpu_ms_each", 0.0)) for r in parts["delete"]]  # fmt: skip
        head = ("operator", "assistants", "seconds", "per s", "other writes", "cpu ms each")
        text += ["## Deleted, until the last child is gone", table(head, rows)]
    if "growth" in parts or "unrelated" in parts:
        lines = [growth_row(row) for row in parts.get("growth", ())]
        if "unrelated" in parts:
            row = growth_row(parts["unrelated"])
            lines.append((f"{row[0]} among strangers", *row[1:]))
        text += ["## How it grows", table(GROWTH_HEAD, lines)]
    if "steady" in parts:
        text += ["## At rest", steady_section(parts["steady"])]
    if "kwok" in parts:
        row = parts["kwok"]
        wanted = ("count", "replicas", "p50", "p99", "seconds", "statuses_each", "rss")
        titles = ("assistants", "replicas", "p50 s", "p99 s", "all s", "statuses each", "RSS MB")
        line = [row[name] for name in wanted]
        text += ["## `Available` with simulated pods", table(titles, [line])]
    times = [(part, seconds) for part, seconds in found["seconds"].items()]
    text += ["## Time of each part", table(("part", "seconds"), times)]
    whole = "\n\n".join(text) + "\n"
    (folder / "latest.md").write_text(whole)
    return whole


def steady_section(found: Figures) -> str:
    """Return the figures of the operator at rest."""
    start, idle, heal = found["start"], found["idle"], found["heal"]
    rows = [
        ("start: seconds to synced", start["seconds_to_synced"]),
        ("start: processor seconds", start["cpu_to_quiet"]),
        ("start: writes", start["writes"]),
        ("start: RSS MB", start["rss"]),
        (f"idle {idle['seconds']:.0f} s: processor seconds", idle["cpu_seconds"]),
        (f"idle {idle['seconds']:.0f} s: writes", idle["writes"]),
        (f"idle {idle['seconds']:.0f} s: calls",
         ", ".join(f"{n} {call}" for call, n in idle["calls"].items()) or "none"),
        (f"healed {heal['times']}: p50 ms", heal["p50"]),
        (f"healed {heal['times']}: p99 ms", heal["p99"]),
        *((f"p50 ms, {what}", value) for what, value in heal["by_kind"].items()),
    ]  # fmt: skip
    return table(("what", "figure"), rows)
