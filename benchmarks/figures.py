"""Arithmetic on measurements. Pure."""

import math
import statistics
from collections.abc import Iterable, Sequence


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least ``share`` (0 to 1) of all do not exceed.

    NaN where there is none.
    """
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def median(values: Iterable[float]) -> float:
    """Return the median; NaN where there is none."""
    found = list(values)
    return statistics.median(found) if found else math.nan


def per_second(moments: Sequence[float], *, begin: float, width: float = 1.0) -> list[float]:
    """Return how many moments fall into each ``width`` seconds since ``begin``, per second."""
    if not moments:
        return []
    counts = [0] * (int((max(moments) - begin) / width) + 1)
    for moment in moments:
        counts[int((moment - begin) / width)] += 1
    return [count / width for count in counts]
