"""What one burst of work came to, as figures. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.figures import per_second, percentile
from benchmarks.operator.request_metrics import Calls, writes
from benchmarks.operator.sightings import Story


@dataclass(frozen=True)
class Outcome:
    """One burst by one contestant. Latencies are in milliseconds."""

    who: str
    what: str
    count: int
    seconds: float
    children_p50: float
    children_p99: float
    status_p50: float
    status_p99: float
    cpu_ms_each: float
    calls: dict[str, int]
    writes_each: float
    child_writes_each: float
    finished: list[float] = field(repr=False)
    """Seconds from the begin to each assistant's status, in order."""
    waits: list[float] = field(repr=False)
    """For each of them, milliseconds from its event to its children."""

    @property
    def rate(self) -> float:
        """Assistants a second, from the first request to the last status."""
        return self.count / self.seconds

    @property
    def curve(self) -> list[float]:
        """Assistants finished in each second."""
        return per_second(self.finished, begin=0.0)

    def to_data(self) -> dict[str, Any]:
        """Return it for the file of raw figures."""
        return {**asdict(self), "rate": self.rate}


def outcome_of(
    who: str, what: str, stories: Iterable[Story], kinds: Iterable[str], *,
    begin: float, cpu_seconds: float, calls: Calls,
) -> Outcome:  # fmt: skip
    """Put the figures of a burst together; all its stories must be complete."""
    found, kinds = list(stories), tuple(kinds)
    rows = []
    for story in found:
        asked, told, written = story.asked_at, story.status_at, story.written_at(kinds)
        if asked is None or told is None or written is None:
            raise ValueError(f"not complete: {story}")
        rows.append((told - begin, (written - asked) * 1000, (told - asked) * 1000))
    rows.sort()
    count = len(rows)
    own = Counter({c: n for c, n in calls.items() if c.resource != "virtualassistants"})
    return Outcome(
        who=who,
        what=what,
        count=count,
        seconds=rows[-1][0],
        children_p50=percentile((row[1] for row in rows), 0.5),
        children_p99=percentile((row[1] for row in rows), 0.99),
        status_p50=percentile((row[2] for row in rows), 0.5),
        status_p99=percentile((row[2] for row in rows), 0.99),
        cpu_ms_each=cpu_seconds * 1000 / count,
        calls={str(call): n for call, n in sorted(calls.items())},
        writes_each=writes(own) / count,
        child_writes_each=sum(story.child_writes() for story in found) / count,
        finished=[row[0] for row in rows],
        waits=[row[1] for row in rows],
    )
