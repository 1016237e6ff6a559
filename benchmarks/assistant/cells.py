"""What is varied between measurements, and what becomes of a measurement's times; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from benchmarks.assistant.answers import Behaviour, words
from benchmarks.assistant.load import Job, Result
from benchmarks.assistant.ways import Way
from benchmarks.figures import median, percentile

ENOUGH_FOR_P99 = 100
"""A 99th percentile of fewer values is their largest, and is not told."""

ANSWERS_EACH = 10
"""Answers that each client has while a turn is measured. All may come at the same moments, so that
the rate is out by one in so many at most."""

Figures = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One setting: what the stub does and how many clients ask."""

    tokens: int
    delay: float
    stream: bool
    clients: int
    gap: float = 0.0

    @property
    def behaviour(self) -> Behaviour:
        """What the stub does."""
        return Behaviour(tokens=self.tokens, delay=self.delay, gap=self.gap)

    @property
    def name(self) -> str:
        """The setting in words."""
        how = "streamed" if self.stream else "whole"
        return f"{self.delay * 1000:.0f} ms, {self.tokens} tokens, {how}, {self.clients} clients"

    @property
    def ideal(self) -> float:
        """Milliseconds that an answer takes where nothing but the stub does."""
        return (self.delay + self.gap * self.tokens) * 1000

    def job(
        self,
        way: Way,
        text: str,
        *,
        seconds: float,
        warm_seconds: float,
        answers_each: int = ANSWERS_EACH,
    ) -> Job:
        """Return the clients' work."""
        last = words(text, self.tokens)[-1]
        return Job(
            port=way.port,
            request=way.request(stream=self.stream),
            expect=(last, way.end_mark) if self.stream else (last,),
            clients=self.clients,
            seconds=seconds,
            warm_seconds=warm_seconds,
            answers_each=answers_each,
        )


def cells(delays: Sequence[float], clients: Sequence[int]) -> Iterator[Cell]:
    """Return the settings of the comparison."""
    for delay, tokens, stream, count in product(delays, (1, 50), (False, True), clients):
        yield Cell(tokens=tokens, delay=delay, stream=stream, clients=count)


def summary(result: Result, cpu_seconds: float | None) -> Figures:
    """Return the figures of one turn; times in milliseconds, None where they say nothing."""
    count = len(result.times)
    return {
        "count": count,
        "failures": result.failures,
        "rate": count / result.seconds if count else None,
        "p50": median(result.times) if count else None,
        "p99": percentile(result.times, 0.99) if count >= ENOUGH_FOR_P99 else None,
        "worst": max(result.times, default=None),
        "first_p50": median(result.firsts) if count else None,
        "first_p99": percentile(result.firsts, 0.99) if count >= ENOUGH_FOR_P99 else None,
        "cpu_ms": None if cpu_seconds is None else cpu_seconds * 1000 / max(result.asked, 1),
    }


def middle(turns: Iterable[Figures], name: str) -> float | None:
    """Return the median over the rounds of one figure, of the rounds that have it."""
    found = [turn[name] for turn in turns if turn[name] is not None]
    return median(found) if found else None


def added(turns: Sequence[Figures], direct: Sequence[Figures], name: str) -> float | None:
    """Return what a way adds to the direct one: the median of the rounds' differences."""
    pairs = zip(turns, direct, strict=False)
    found = [a[name] - b[name] for a, b in pairs if a[name] is not None and b[name] is not None]
    return median(found) if found else None


def failures(turns: Iterable[Figures]) -> int:
    """Return how many questions had no good answer, over all rounds."""
    return sum(sum(turn["failures"].values()) for turn in turns)
