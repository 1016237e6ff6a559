"""From what became of each question to the figures of a way. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.answers.judging import Verdict
from benchmarks.figures import median, percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one question, asked in one way."""

    way: str
    text: str
    set: str
    kind: str
    ask: str
    refuses: bool
    """Whether the text does not answer it."""

    answer: str
    nearest: tuple[str, ...] = ()
    """The lines beside a refusal."""

    fact_is_near: bool = False
    """Whether they say what was asked for."""

    verdict: Verdict
    seconds: float | None
    """None where no answer came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The figures of one way; shares are percentages, NaN where nothing of the kind was asked."""

    facts: int
    """Questions that the text answers."""

    right: float
    unanswered: float
    wrong: float
    """Shares of the questions that the text answers; what is missing to 100 failed."""

    near: float
    """Share of them that is unanswered beside lines with the fact."""

    others: int
    """Questions that it does not answer."""

    refused: float
    invented: float
    """Shares of these."""

    beside_lines: float
    """Share of these that is refused beside lines which come near."""

    failed: int
    median_seconds: float
    p90_seconds: float


def score(outcomes: Iterable[Outcome]) -> Score:
    """Return the figures of these outcomes."""
    found = list(outcomes)
    counted = Counter(outcome.verdict for outcome in found)
    others = sum(outcome.refuses for outcome in found)
    facts = len(found) - others
    times = [outcome.seconds for outcome in found if outcome.seconds is not None]
    return Score(
        facts=facts,
        right=_share(counted[Verdict.RIGHT], facts),
        unanswered=_share(counted[Verdict.UNANSWERED], facts),
        wrong=_share(counted[Verdict.WRONG], facts),
        near=_share(
            sum(one.verdict is Verdict.UNANSWERED and one.fact_is_near for one in found), facts
        ),
        others=others,
        refused=_share(counted[Verdict.REFUSED], others),
        invented=_share(counted[Verdict.INVENTED], others),
        beside_lines=_share(
            sum(one.verdict is Verdict.REFUSED and bool(one.nearest) for one in found), others
        ),
        failed=counted[Verdict.FAILED],
        median_seconds=median(times),
        p90_seconds=percentile(times, 0.9),
    )


def _share(part: int, whole: int) -> float:
    return 100 * part / whole if whole else float("nan")
