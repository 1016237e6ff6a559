"""Asking an assistant, once or until it can be asked."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from va_cli.answers import Text
from va_cli.durations import Deadline
from va_cli.failures import Failure, NotReady
from va_cli.turns import fitting
from va_cli.wire import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from va_cli.answers import Done, Event
    from va_cli.finding import Finder
    from va_cli.terminal import Notes
    from va_cli.turns import Turn
    from va_cli.wire import Wire

SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 2.0
"""Seconds between two tries while a user waits and looks on."""


class Asker:
    """Asks one assistant, and remembers the way that worked."""

    def __init__(self, finder: Finder, notes: Notes, *, token: str | None = None) -> None:
        self.target = finder.target
        self._token = token
        self._finder = finder
        self._notes = notes
        self._wire: Wire | None = None

    def close(self) -> None:
        """Let go of the connection."""
        if self._wire:
            self._wire.close()
            self._wire = None

    def ask(
        self,
        question: str,
        *,
        stream: bool,
        deadline: Deadline,
        history: Sequence[Turn] = (),
    ) -> Iterator[Event]:
        """Yield the answer, given what was said before.

        A way that worked before and is gone is replaced, once. No answer has
        begun by then, but the question may have arrived: where a connection ends
        before the response, an assistant may think about the same question twice.
        """
        history = fitting(history, question)
        remembered = self._wire
        if remembered is not None:
            try:
                yield from self._ask(remembered, question, stream, deadline, history)
            except Unreachable as failure:
                self._notes.detail(f"{failure.why}; looking for another way")
            else:
                return
        self._wire = self._finder.find(deadline)
        yield from self._ask(self._wire, question, stream, deadline, history)

    def _ask(
        self,
        wire: Wire,
        question: str,
        stream: bool,
        deadline: Deadline,
        history: Sequence[Turn],
    ) -> Iterator[Event]:
        self._notes.stage(f"waiting for {self.target.label} to answer")
        try:
            yield from wire.ask(
                question, stream=stream, deadline=deadline, token=self._token, history=history
            )
        except NotReady:
            # Another pod or another way may do better.
            self.close()
            raise


class Patience:
    """How long each of several questions waits for an assistant that cannot be asked yet.

    After one that waited in vain the others do not wait, until one ends otherwise.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._was_in_vain = False

    @contextmanager
    def limit(self) -> Generator[Deadline, None, None]:
        """Give one question its limit, and learn from how it ends."""
        limit = Deadline.after(0.0 if self._was_in_vain else self._seconds)
        try:
            yield limit
        except NotReady:
            self._was_in_vain = limit.is_over
            raise
        except Failure:
            self._was_in_vain = False
            raise
        self._was_in_vain = False


def retrying(
    attempt: Callable[[], Iterator[Event]],
    *,
    limit: Deadline,
    notes: Notes,
    sleep: Callable[[float], object] = time.sleep,
) -> Generator[Event, None, None]:
    """Yield an attempt's answer, trying again while what fails may pass.

    An answer that has begun is never begun anew.
    """
    told, pause = None, SHORTEST_PAUSE
    while True:
        begun = False
        try:
            for event in attempt():
                begun = True
                yield event
        except Failure as failure:
            if begun or failure.retry_after is None or limit.is_over:
                raise
            if failure.why != told:
                told = failure.why
                notes.say(f"waiting: {told}")
            sleep(min(max(pause, failure.retry_after), limit.remaining))
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            return


def listening(
    events: Iterable[Event], when_whole: Callable[[str, Done], object]
) -> Iterator[Event]:
    """Pass an answer on, and hand it over once it is whole."""
    pieces = []
    for event in events:
        if isinstance(event, Text):
            pieces.append(event.text)
        else:
            when_whole("".join(pieces), event)
        yield event
