"""The models in their order: who is asked, once more, or next, until one answers.

This is the one place that asks again. A question goes on to the next model for
what is the matter with a model, never for what is the matter with the question,
and all of it happens before the question's one deadline.
"""

import random
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from va_assistant.breaker import FAILURES, Circuit, CircuitState, RetryBudget
from va_assistant.completions import Piece
from va_assistant.deadlines import Deadline
from va_assistant.errors import Failure, ModelState, Reason
from va_assistant.metrics import Metrics
from va_assistant.model import Model
from va_assistant.readiness import Readiness
from va_assistant.replies import Author
from va_assistant.revision import ModelSettings, Provider

log = structlog.get_logger()

LONGEST_WAIT_SECONDS = 2.0
"""A provider that wants to be left alone for longer is not waited for."""

EMBEDDED_QUESTIONS = 8
"""Questions at once to the embedded model, those that wait for its first word.

It writes one answer at a time, some seconds each: more than these would wait for
their turn until their time is over, so `TooBusy` is the better answer to them.
"""

_NOBODY_ASKED = frozenset(
    {Reason.KEY_MISSING, Reason.CA_MISSING, Reason.CA_INVALID, Reason.BUDGET_SPENT}
)
"""They are found here, at no cost, so they may be found at every question."""

Result = TypeVar("Result")


class Rung:
    """One model of the ladder, and whether it is asked now; any thread may use it."""

    def __init__(self, place: int, model: Model) -> None:
        """`place` counts from 0, the preferred model."""
        self.place = place
        self.model = model
        self._lock = threading.Lock()
        self._circuit = Circuit()
        self._budget = RetryBudget()
        self._last_failure = Failure(Reason.UPSTREAM_ERROR, "")
        is_embedded = model.settings.provider is Provider.EMBEDDED
        self._seats = threading.BoundedSemaphore(EMBEDDED_QUESTIONS) if is_embedded else None

    @property
    def author(self) -> Author:
        """Who writes the answers that come from here."""
        return Author(model=self.model.settings.name, fallback=self.place > 0)

    def circuit_state(self) -> CircuitState:
        """Return what its circuit lets through now."""
        return self._circuit.state(time.monotonic())

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Let one call through; raises what to tell instead where the model is left alone."""
        if self._seats and not self._seats.acquire(blocking=False):
            raise Failure(Reason.TOO_BUSY, f"{EMBEDDED_QUESTIONS} questions are at work already")
        try:
            now = time.monotonic()
            with self._lock:
                circuit = self._circuit.admit(now)
                if circuit is None:
                    raise _left_alone(self._last_failure, self._circuit.rest(now))
                self._circuit = circuit
            yield
        finally:
            if self._seats:
                self._seats.release()

    def earn_retry(self) -> None:
        """Count a question: some of them make one retry."""
        with self._lock:
            self._budget = self._budget.asked()

    def spend_retry(self) -> bool:
        """Tell whether a retry may be made, and count it."""
        with self._lock:
            budget = self._budget.spend()
            self._budget = budget or self._budget
        return budget is not None

    def answered(self) -> None:
        """Take note of an answer."""
        if self._circuit == Circuit():
            return
        with self._lock:
            self._circuit = self._circuit.answered()

    def failed(self, failure: Failure) -> None:
        """Take note of a failure; one that is about the question shows that the model is there."""
        with self._lock:
            if failure.reason in _NOBODY_ASKED:
                self._circuit = self._circuit.released()
            elif failure.about_model:
                self._circuit = self._circuit.failed(time.monotonic())
                self._last_failure = failure
            else:
                self._circuit = self._circuit.answered()

    def released(self) -> None:
        """Take note of a call that showed nothing."""
        with self._lock:
            self._circuit = self._circuit.released()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[Result]):
    """What a model gave, and which it was."""

    result: Result
    rung: Rung


class Ladder:
    """Asks one model after the other; any number of threads may use it."""

    def __init__(self, models: Sequence[Model], readiness: Readiness, metrics: Metrics) -> None:
        """`models` are those of the revision that `readiness` tells of, in the same order."""
        self.rungs = tuple(Rung(place, model) for place, model in enumerate(models))
        self._readiness = readiness
        self._metrics = metrics
        for rung in self.rungs:
            metrics.watch_circuit(rung.place, rung.model.settings.name, rung.circuit_state)

    def climb(
        self,
        ask: Callable[[Model, Deadline], Result],
        deadline: Deadline,
        rungs: Sequence[Rung] | None = None,
    ) -> Outcome[Result]:
        """Return what the first model gives that gives anything.

        `ask` asks one model before the deadline that it is handed, and may be called
        several times. `rungs` are those to ask, all where nothing is said.

        Raises the model's own `Failure` where only one was to be asked, or where the
        question is to blame, and `NoModelAnswers` where several have failed;
        `failure.about_model` tells whether the question can still be answered otherwise.
        """
        failures: list[tuple[Rung, Failure]] = []
        rest = self.rungs if rungs is None else rungs
        while rest and (not failures or deadline.left()):
            rung, *rest = rest
            part = deadline.part(_share(rung, rest, deadline.left()))
            try:
                result = self._ask(rung, ask, part, is_last=not rest)
            except Failure as failure:
                failures.append((rung, failure))
                rest = self._who_else(rung, failure, rest)
                self._pass_on(rung, failure, to=rest)
            else:
                part.ends = deadline.ends
                return Outcome(result=result, rung=rung)
        raise _summary(failures)

    def climb_for_stream(
        self,
        ask: Callable[[Model, Deadline], Generator[Piece]],
        deadline: Deadline,
        rungs: Sequence[Rung] | None = None,
    ) -> Outcome[Generator[Piece]]:
        """Return the pieces of the first model that begins an answer; raises as `climb` does.

        It returns with the first piece at hand: from there on nobody else is asked, and
        the deadline that `ask` was handed has grown to the whole.
        """

        def begin(model: Model, part: Deadline) -> tuple[Piece, Generator[Piece], float]:
            asked = time.monotonic()
            pieces = ask(model, part)
            return next(pieces), pieces, time.monotonic() - asked

        outcome = self.climb(begin, deadline, rungs)
        rung, (first, rest, seconds) = outcome.rung, outcome.result
        self._metrics.began(rung.place, rung.model.settings.name, seconds)
        return Outcome(result=self._watched(first, rest, rung), rung=rung)

    def _watched(self, first: Piece, rest: Generator[Piece], rung: Rung) -> Generator[Piece]:
        """Yield a stream, and take note where it ends before its end."""
        begun = time.monotonic()
        with closing(rest):
            yield first
            try:
                yield from rest
            except Failure as failure:
                self._failed(rung, failure, started=begun)
                raise

    def _ask(
        self,
        rung: Rung,
        ask: Callable[[Model, Deadline], Result],
        deadline: Deadline,
        *,
        is_last: bool,
    ) -> Result:
        """Ask one model, and once more where that makes sense."""
        rung.earn_retry()
        try:
            return self._call(rung, ask, deadline)
        except Failure as failure:
            pause = _pause_before_retry(failure, is_last=is_last)
            if pause is None or pause >= deadline.left() or not rung.spend_retry():
                raise
        time.sleep(pause)
        return self._call(rung, ask, deadline)

    def _call(
        self, rung: Rung, ask: Callable[[Model, Deadline], Result], deadline: Deadline
    ) -> Result:
        name = rung.model.settings.name
        with rung.admitted():
            started = time.monotonic()
            try:
                result = ask(rung.model, deadline)
            except Failure as failure:
                self._metrics.called(rung.place, name, failure.reason)
                self._failed(rung, failure, started=started)
                raise
            except BaseException:
                self._metrics.called(rung.place, name, "left")
                rung.released()
                raise
        self._metrics.called(rung.place, name, "answered")
        self._readiness.answered(rung=rung.place)
        rung.answered()
        return result

    def _failed(self, rung: Rung, failure: Failure, *, started: float) -> None:
        rung.failed(failure)
        self._readiness.question_failed(failure, started=started, rung=rung.place)

    def _who_else(self, rung: Rung, failure: Failure, rest: Sequence[Rung]) -> Sequence[Rung]:
        """Return those of the other models that may answer after this failure."""
        if failure.reason is Reason.CONTEXT_TOO_LARGE:
            return [
                other for other in rest if _is_larger(other.model.settings, rung.model.settings)
            ]
        if failure.reason is Reason.REQUEST_REFUSED:
            failure.meets_all = self._readiness.state(rung.place) is ModelState.FAILED
        return rest if failure.about_model else ()

    def _pass_on(self, rung: Rung, failure: Failure, *, to: Sequence[Rung]) -> None:
        if to:
            name = rung.model.settings.name
            self._metrics.passed_on(rung.place, name, failure.reason)
            log.warning(
                "passed on",
                rung=rung.place,
                model=name,
                to=to[0].model.settings.name,
                reason=failure.reason,
                message=failure.message,
            )


def _share(rung: Rung, rest: Sequence[Rung], left: float) -> float:
    """Return the seconds that a model may take: half of what is left, if others could use it.

    The first is the one that is wanted, so it gets more than an equal share.
    """
    others = any(other.circuit_state() is not CircuitState.OPEN for other in rest)
    return min(left / 2 if others else left, rung.model.settings.timeout_seconds)


def _is_larger(one: ModelSettings, other: ModelSettings) -> bool:
    """Tell whether a model is known to take in more than one that refused a prompt as too long."""
    if one.context_window is None:
        return False
    return other.context_window is None or one.context_window > other.context_window


def _pause_before_retry(failure: Failure, *, is_last: bool) -> float | None:
    """Return the seconds after which one more try makes sense; None where none does.

    Nobody waits for a busy model while another could be asked.
    """
    if failure.about_question:
        return None
    if failure.reason is Reason.RATE_LIMITED:
        wait = failure.provider_retry_after
        return wait if is_last and wait is not None and wait <= LONGEST_WAIT_SECONDS else None
    if failure.reason in {Reason.CONNECTION_LOST, Reason.UPSTREAM_ERROR}:
        return random.uniform(0.05, 0.25)  # noqa: S311  # spreads load, keeps no secret
    return None


def _left_alone(last: Failure, rest: float) -> Failure:
    """Return the failure of a question for which a model is not even asked.

    What somebody has to put right is told as it was.
    """
    if last.status == 502:
        return Failure(last.reason, last.message)
    return Failure(
        Reason.CIRCUIT_OPEN,
        f"it failed {FAILURES} times in a row, the last time with {last.reason}: {last.message}",
        retry_after=max(rest, 1.0),
    )


def _summary(failures: Sequence[tuple[Rung, Failure]]) -> Failure:
    """Return the one failure that the asker is told."""
    _, last = failures[-1]
    question_is_to_blame = not (last.about_model or last.reason is Reason.CONTEXT_TOO_LARGE)
    found = [failure for _, failure in failures]
    if len(found) == 1 or question_is_to_blame or not any(one.about_model for one in found):
        return last
    if all(one.reason is Reason.BUDGET_SPENT for one in found):
        return last  # one budget for all: it says when to come again
    said = "; ".join(f"{rung.model.settings.name}: {failure.reason}" for rung, failure in failures)
    waits = [failure.retry_after for failure in found if failure.retry_after is not None]
    return Failure(Reason.NO_MODEL_ANSWERS, said, retry_after=min(waits, default=None))
