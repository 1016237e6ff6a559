"""Pictures of a run: `python -m benchmarks.operator.plots`, from its raw figures.

Needs matplotlib, which is in the dependency group `bench` and nowhere else.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt

from benchmarks.figures import per_second

Figures = dict[str, Any]


def rate_over_time(outcomes: list[Figures], file: Path, title: str) -> None:
    """Draw how many assistants were finished in each second, a line for each contestant's last."""
    figure, axes = plt.subplots(figsize=(8, 4))
    for outcome in {o["who"]: o for o in outcomes}.values():
        axes.plot(per_second(outcome["finished"], begin=0.0), label=outcome["who"], marker=".")
    axes.set(xlabel="seconds", ylabel="assistants a second", title=title, ylim=(0, None))
    axes.legend()
    _save(figure, file)


def waits_over_time(outcomes: list[Figures], file: Path, title: str) -> None:
    """Draw how long each assistant waited for its children, by when it was finished."""
    figure, axes = plt.subplots(figsize=(8, 4))
    for outcome in {o["who"]: o for o in outcomes}.values():
        axes.scatter(outcome["finished"], outcome["waits"], label=outcome["who"], s=4)
    axes.set(xlabel="seconds", ylabel="ms from event to children", title=title, ylim=(0, None))
    axes.legend()
    _save(figure, file)


def growth(rows: list[Figures], file: Path) -> None:
    """Draw rate, memory and start against the number of assistants."""
    counts = [row["count"] for row in rows]
    figure, (rate, memory, start) = plt.subplots(1, 3, figsize=(12, 4))
    rate.plot(counts, [row["operator"]["rate"] for row in rows], marker="o", label="operator")
    rate.plot(counts, [row["limit"]["rate"] for row in rows], marker="o", label="bare client")
    rate.set(title="assistants a second", ylim=(0, None))
    rate.legend()
    memory.plot(counts, [row["rss"] for row in rows], marker="o", label="after the burst")
    memory.plot(counts, [row["start"]["rss"] for row in rows], marker="o", label="after a start")
    memory.set(title="memory, MB", ylim=(0, None))
    memory.legend()
    start.plot(counts, [row["start"]["cpu_to_quiet"] for row in rows], marker="o")
    start.set(title="start, processor seconds", ylim=(0, None))
    for axes in (rate, memory, start):
        axes.set_xlabel("assistants")
    _save(figure, file)


def available_over_time(row: Figures, file: Path) -> None:
    """Draw how many assistants were available when."""
    figure, axes = plt.subplots(figsize=(8, 4))
    axes.plot(row["finished"], range(1, len(row["finished"]) + 1))
    title = f"{row['count']} assistants of {row['replicas']} simulated replicas"
    axes.set(xlabel="seconds", ylabel="assistants available", title=title)
    _save(figure, file)


def draw(folder: Path) -> list[Path]:
    """Draw all that the raw figures of a folder hold; return the files."""
    parts = json.loads((folder / "latest.json").read_text())["parts"]
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.svg")}
    for part, title in (("create", "created at once"), ("change", "another text for all")):
        if part in parts:
            rate_over_time(parts[part], folder / f"{part}-rate.svg", title)
            waits_over_time(parts[part], folder / f"{part}-latency.svg", title)
    if parts.get("growth"):
        growth(parts["growth"], folder / "growth.svg")
    if "kwok" in parts:
        available_over_time(parts["kwok"], folder / "available.svg")
    return [p for p in sorted(folder.glob("*.svg")) if before.get(p) != p.stat().st_mtime_ns]


def _save(figure: Any, file: Path) -> None:
    figure.tight_layout()
    figure.savefig(file)
    plt.close(figure)


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / "results"
    for path in draw(chosen):
        print(path)
