"""What the watcher saw, put in order: which assistant, which event, which write, when."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from va_operator.api import KIND


class Seen(NamedTuple):
    """One event, when it came."""

    at: float
    kind: str
    event: str
    namespace: str
    assistant: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Story:
    """What was seen of one assistant since a moment, in the order in which it came."""

    events: tuple[Seen, ...]

    @property
    def asked_at(self) -> float | None:
        """When the assistant itself was created, changed or deleted: its last new generation."""
        own = [seen for seen in self.events if seen.kind == KIND]
        if not own:
            return None
        last = own[-1].facts["generation"]
        return next(seen.at for seen in own if seen.facts["generation"] == last)

    @property
    def status_at(self) -> float | None:
        """When a status first spoke of the last generation."""
        for seen in self.events:
            last = seen.facts["generation"]
            if seen.kind == KIND and seen.event != "DELETED" and seen.facts["observed"] == last:
                return seen.at
        return None

    def written_at(self, kinds: Iterable[str]) -> float | None:
        """Return when the last of these kinds of children had first been written."""
        moments = []
        for kind in kinds:
            at = next((s.at for s in self.events if s.kind == kind and s.event != "DELETED"), None)
            if at is None:
                return None
            moments.append(at)
        return max(moments, default=None)

    def true_at(self, condition: str) -> float | None:
        """Return when a condition first was true."""
        return next(
            (s.at for s in self.events if s.kind == KIND and condition in s.facts["true"]), None
        )

    def gone_at(self, kinds: Iterable[str]) -> float | None:
        """Return when the last child of these kinds was deleted; None while one is there."""
        gone = [seen for seen in self.events if seen.event == "DELETED" and seen.kind != KIND]
        if {seen.kind for seen in gone} < set(kinds):
            return None
        return max((seen.at for seen in gone), default=None)

    def child_writes(self) -> int:
        """Return how many times a child was written."""
        return sum(seen.kind != KIND and seen.event != "DELETED" for seen in self.events)


@dataclass
class Sightings:
    """The watcher's file, read as it grows."""

    path: Path
    followed: set[str] = field(default_factory=set)
    _offset: int = 0
    _rest: str = ""
    _stories: dict[str, dict[str, list[Seen]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def follows(self, kinds: int) -> bool:
        """Tell whether the watcher has begun to follow so many kinds."""
        if self.path.exists():
            self.read()
        return len(self.followed) >= kinds

    def read(self) -> None:
        """Take in what was written since the last time."""
        with self.path.open() as file:
            file.seek(self._offset)
            text = self._rest + file.read()
            self._offset = file.tell()
        *lines, self._rest = text.split("\n")
        for line in lines:
            seen = Seen(*json.loads(line))
            if seen.event == "FOLLOWED":
                self.followed.add(seen.kind)
            else:
                self._stories[seen.namespace][seen.assistant].append(seen)

    def stories(
        self, namespace: str, *, since: float = 0.0, only: str | None = None
    ) -> dict[str, Story]:
        """Return what was seen of each assistant (or one) of a namespace since a moment."""
        return {
            name: Story(tuple(seen for seen in events if seen.at >= since))
            for name, events in self._stories[namespace].items()
            if only in {None, name}
        }

    def forget(self, namespace: str) -> None:
        """Drop a namespace that is done with."""
        self._stories.pop(namespace, None)
