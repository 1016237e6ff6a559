"""A conversation with one assistant as it goes on, kept for the next run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from va_cli.turns import with_exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from va_cli.endpoints import Target
    from va_cli.memory import Memory
    from va_cli.terminal import Notes
    from va_cli.turns import Turn


@dataclass(slots=True, kw_only=True)
class Transcript:
    """What both sides said so far."""

    target: Target
    memory: Memory
    notes: Notes
    turns: tuple[Turn, ...] = ()

    def resume(self) -> None:
        """Go on where the last conversation with that assistant ended."""
        self.turns = self.memory.recall(self.target)
        if not self.turns:
            self.notes.say(f"no conversation with {self.target.label} is kept; this begins one")

    def before(self, question: str) -> tuple[Turn, ...]:
        """Return what was said before that question, if it was the last to be answered."""
        if self.turns and self.turns[-2].text == question:
            return self.turns[:-2]
        return self.turns

    def add(self, question: str, answer: str, *, after: Sequence[Turn]) -> None:
        """Go on with a whole answer, and keep it; an answer is good where nothing can be kept."""
        self.turns = with_exchange(after, question, answer)
        try:
            self.memory.keep(self.target, self.turns)
        except OSError as error:
            self.notes.detail(f"the conversation is not kept: {error}")

    def forget(self) -> None:
        """Begin anew with the same assistant, and keep nothing of what was said."""
        self.turns = ()
        try:
            self.memory.forget(self.target)
        except OSError as error:
            self.notes.say(f"the conversation is still kept: {error}")

    def fresh(self, target: Target) -> Transcript:
        """Return an empty one, with another assistant."""
        return Transcript(target=target, memory=self.memory, notes=self.notes)
