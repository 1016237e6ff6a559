"""How often may be asked: by one client, and by all together.

Pure: the clock is handed in. Both limits are token buckets. A bucket holds what a minute allows
and fills evenly, so a client may ask a minute's worth at once and then at the even pace.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_CLIENTS = 4096
"""Clients that are remembered, about a megabyte. Whoever has not asked for the longest is
forgotten first and has a full bucket again; what comes from ever new addresses meets the limit
of all together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Questions a minute; 0 is no limit."""

    per_client: int
    in_all: int


@dataclass(slots=True)
class Bucket:
    """What may still be asked now."""

    per_minute: int
    at: float
    """When `level` was counted, in seconds on a monotonic clock."""

    level: float = field(init=False)

    def __post_init__(self) -> None:
        self.level = self.per_minute

    def wait(self, now: float) -> float:
        """Return the seconds until one more may be asked; 0 for now."""
        since = max(now - self.at, 0)
        self.level = min(self.level + since * self.per_minute / 60, self.per_minute)
        self.at = max(now, self.at)
        return max(1 - self.level, 0) * 60 / self.per_minute


@dataclass(slots=True)
class Limits:
    """Counts questions; not for several threads at once."""

    rates: Rates
    most_clients: int = MOST_CLIENTS
    _clients: OrderedDict[str, Bucket] = field(default_factory=OrderedDict)
    _all: Bucket | None = None

    def take(self, client: str, now: float) -> float:
        """Count a question and return 0, or the seconds until one would be let through.

        One that is not let through counts for nothing: whoever asks too often waits, and takes
        nothing from the others.
        """
        buckets = list(self._buckets(client, now))
        wait = max((bucket.wait(now) for bucket in buckets), default=0.0)
        if not wait:
            for bucket in buckets:
                bucket.level -= 1
        return wait

    def give_back(self, client: str) -> None:
        """Count a question for nothing that was let through and met no room."""
        for bucket in (self._clients.get(client), self._all):
            if bucket:
                bucket.level = min(bucket.level + 1, bucket.per_minute)

    def __len__(self) -> int:
        """Return how many clients are remembered."""
        return len(self._clients)

    def _buckets(self, client: str, now: float) -> Iterator[Bucket]:
        if self.rates.per_client:
            bucket = self._clients.pop(client, None) or Bucket(self.rates.per_client, now)
            self._clients[client] = bucket
            if len(self._clients) > self.most_clients:
                self._clients.popitem(last=False)
            yield bucket
        if self.rates.in_all:
            self._all = self._all or Bucket(self.rates.in_all, now)
            yield self._all
