"""The tables: how true the answers of each way are, and how long they take. Pure."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.answers.judging import GOOD, Verdict
from benchmarks.answers.scores import Outcome, Score, score
from benchmarks.machine import sentence
from benchmarks.tables import table

HEAD = (
    "facts", "right %", "unanswered %", "of it near %", "wrong %",
    "not in text", "refused %", "of it beside lines %", "invented %", "median s", "p90 s", "failed",
)  # fmt: skip


def report(machine: dict[str, Any], outcomes: Sequence[Outcome]) -> str:
    """Return the page of results."""
    ways = unique(outcome.way for outcome in outcomes)
    sets = unique(outcome.set for outcome in outcomes)
    measured = (
        f"{sentence(machine)} Written by `python -m benchmarks.answers`; the "
        "[README](../README.md) says how each figure is made."
    )
    parts = ["# How true the answers are", measured]
    for name in sets:
        own = [outcome for outcome in outcomes if outcome.set == name]
        parts += [f"## Questions of the set {name}", _score_table(own, ways)]
    everything = [("All of these sets", list(outcomes))] if len(sets) > 1 else []
    by_text = [
        (text, [outcome for outcome in outcomes if outcome.text == text])
        for text in unique(outcome.text for outcome in outcomes)
    ]
    for text, own in (*everything, *by_text):
        parts += [f"## {text}", _score_table(own, ways)]
    parts += [
        "## By kind of question",
        "Right, of the questions that the text answers; refused, of the others. Percent.",
        _kind_table(outcomes, ways),
    ]
    return "\n\n".join(parts) + "\n"


def _score_table(outcomes: Iterable[Outcome], ways: Sequence[str]) -> str:
    found = list(outcomes)
    rows = [(way, *_row(score(o for o in found if o.way == way))) for way in ways]
    return table(("way", *HEAD), rows)


def _row(figures: Score) -> tuple[object, ...]:
    return (
        figures.facts,
        *_percents(figures.right, figures.unanswered, figures.near, figures.wrong),
        figures.others,
        *_percents(figures.refused, figures.beside_lines, figures.invented),
        *("" if math.isnan(at) else at for at in (figures.median_seconds, figures.p90_seconds)),
        figures.failed,
    )  # fmt: skip


def _percents(*shares: float) -> tuple[str, ...]:
    return tuple("" if math.isnan(share) else f"{share:.0f}" for share in shares)


def _kind_table(outcomes: Sequence[Outcome], ways: Sequence[str]) -> str:
    def good(figures: Score, *, refuses: bool) -> float:
        return figures.refused if refuses else figures.right

    rows = []
    for refuses in (False, True):
        asked = [outcome for outcome in outcomes if outcome.refuses == refuses]
        for kind in unique(outcome.kind for outcome in asked):
            own = [outcome for outcome in asked if outcome.kind == kind]
            by_way = {way: [o for o in own if o.way == way] for way in ways}
            rows.append((
                kind, "refused" if refuses else "right", len(by_way[ways[0]]),
                *_percents(*(good(score(of), refuses=refuses) for of in by_way.values())),
            ))  # fmt: skip
    return table(("kind", "good is", "questions", *ways), rows)


def unique(names: Iterable[str]) -> list[str]:
    """Return each name once, in the order of their first coming."""
    return list(dict.fromkeys(names))


def failed(outcomes: Sequence[Outcome]) -> str | None:
    """Return how many questions failed and with what, None where none did: no figures are whole."""
    found = [outcome.answer for outcome in outcomes if outcome.verdict == Verdict.FAILED]
    if not found:
        return None
    return f"{len(found)} of {len(outcomes)} questions failed, the first one with: {found[0]}"


def faults(outcomes: Iterable[Outcome]) -> str:
    """Return each answer that is not good, with its question, for whoever improves them."""
    return "\n".join(
        f"{o.verdict} [{o.way}, {o.text}, {o.set}, {o.kind}] {o.ask}\n    {o.answer!r}"
        + "".join(f"\n    near: {line!r}" for line in o.nearest)
        for o in outcomes
        if o.verdict not in GOOD
    )
