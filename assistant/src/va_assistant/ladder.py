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

from va_assistant.breaker import FAILURES, Admission, Circuit, CircuitState, RetryBudget
from va_assistant.completions import Piece
from va_assistant.deadlines import Deadline
from va_assistant.errors import Failure, ModelState, Reason
from va_assistant.metrics import Metrics
from va_assistant.model import Model
from va_assistant.readiness import Readiness
from va_assistant.replies import Author
from va_assistant.revision import ModelSettings, Provider

LONGEST_WAIT_SECONDS = 2.0
"""A provider that wants to be left alone for longer is not waited for."""

SILENT_SECONDS = 2.0
"""What a model gets of a question while its trial waits in vain, too, and others could be asked.

The trial has the model's own time limit: it finds a slow one that lives."""

EMBEDDED_QUESTIONS = 8
"""Questions at once to the embedded model, those that wait for its first word.

It writes one answer at a time, some seconds each: more than these would wait for
their turn until their time is over, so `TooBusy` is the better answer to them.
"""

_NOBODY_ASKED = frozenset(
    {Reason.KEY_MISSING, Reason.CA_MISSING, Reason.CA_INVALID, Reason.BUDGET_SPENT}
)
"""They are found here, at no cost, so they may be found at every question."""

_SILENT = frozenset({Reason.TIMEOUT, Reason.CONNECTION_REFUSED, Reason.HOST_NOT_FOUND})
"""They may cost all of the time that there is."""

Result = TypeVar("Result")
Told = TypeVar("Told")


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
        self.is_silent = False
        """Its trial waited in vain, and nobody has been answered since."""

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
    def admitted(self) -> Iterator[Admission]:
        """Let one call through; raises what to tell instead where the model is left alone."""
        if self._seats and not self._seats.acquire(blocking=False):
            raise Failure(Reason.TOO_BUSY, f"{EMBEDDED_QUESTIONS} questions are at work already")
        try:
            now = time.monotonic()
            with self._lock:
                admitted = self._circuit.admit(now)
                if admitted is None:
                    raise _left_alone(self._last_failure, self._circuit.rest(now))
                self._circuit, admission = admitted
            yield admission
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
        self.is_silent = False
        if self._circuit.is_calm:
            return
        with self._lock:
            self._circuit = self._circuit.answered()

    def failed(self, failure: Failure, admission: Admission) -> None:
        """Take note of a failure; one that is about the question shows that the model is there."""
        with self._lock:
            if failure.reason in _NOBODY_ASKED:
                self._circuit = self._circuit.released(admission)
            elif failure.about_model:
                self._circuit = self._circuit.failed(time.monotonic(), admission)
                self._last_failure = failure
            else:
                self._circuit = self._circuit.answered()

    def trial_failed(self, failure: Failure) -> None:
        """Take note of a trial that was not answered: every question would meet the same."""
        if failure.reason in _NOBODY_ASKED or not failure.about_model:
            return
        with self._lock:
            self.is_silent = failure.reason in _SILENT
            admission = Admission(self._circuit.opening)
            self._circuit = self._circuit.failed(time.monotonic(), admission)
            self._last_failure = failure

    def released(self, admission: Admission) -> None:
        """Take note of a call that showed nothing."""
        with self._lock:
            self._circuit = self._circuit.released(admission)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[Result]):
    """What a model gave, and which it was."""

    result: Result
    rung: Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call(Generic[Result]):
    """A call of a model that has given something."""

    result: Result
    rung: Rung
    admission: Admission
    started: float


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
        call = self._climb(lambda rung, part: ask(rung.model, part), deadline, rungs)
        self._answered(call)
        return Outcome(result=call.result, rung=call.rung)

    def climb_for_stream(
        self,
        ask: Callable[[Model, Deadline], Generator[Piece]],
        tell: Callable[[Rung, Generator[Piece]], Generator[Told]],
        deadline: Deadline,
        rungs: Sequence[Rung] | None = None,
    ) -> Outcome[Generator[Told]]:
        """Return what is told of the first model's answer of which anything is; raises as `climb`.

        `tell` makes of a model's pieces what may be told of them. This returns with the
        first of that at hand: from there on nobody else is asked. With a model's first
        piece the deadline that `ask` was handed grows to the whole.
        """

        def begin(rung: Rung, part: Deadline) -> tuple[Told, Generator[Told]]:
            asked = time.monotonic()
            pieces = ask(rung.model, part)
            first = next(pieces)
            self._metrics.began(rung.place, rung.model.settings.name, time.monotonic() - asked)
            part.ends = deadline.ends
            told = tell(rung, _from(first, pieces))
            return next(told), told

        call = self._climb(begin, deadline, rungs)
        return Outcome(result=self._watched(call), rung=call.rung)

    def _climb(
        self,
        ask: Callable[[Rung, Deadline], Result],
        deadline: Deadline,
        rungs: Sequence[Rung] | None,
    ) -> "_Call[Result]":
        failures: list[tuple[Rung, Failure]] = []
        rest = self.rungs if rungs is None else rungs
        while rest and (not failures or deadline.left()):
            rung, *rest = rest
            part = deadline.part(_share(rung, rest, deadline.left()))
            try:
                return self._ask(rung, ask, part, is_last=not rest)
            except Failure as failure:
                failures.append((rung, failure))
                rest = self._who_else(failure, rung, rest)
                if rest:
                    self._metrics.passed_on(rung.place, rung.model.settings.name, failure.reason)
        raise _summary(failures)

    def _watched(self, call: "_Call[tuple[Told, Generator[Told]]]") -> Generator[Told]:
        """Yield what is told, and take note of how it ends."""
        first, rest = call.result
        with closing(rest):
            try:
                yield first
                yield from rest
            except BaseException as error:
                self._failed(call.rung, error, call.admission, started=call.started)
                raise
        self._answered(call)

    def _ask(
        self,
        rung: Rung,
        ask: Callable[[Rung, Deadline], Result],
        deadline: Deadline,
        *,
        is_last: bool,
    ) -> "_Call[Result]":
        """Ask one model, and once more where that makes sense."""
        rung.earn_retry()
        try:
            return self._call(rung, ask, deadline)
        except Failure as failure:
            pause = _pause_before_retry(failure, is_last=is_last)
            if pause is None or pause >= deadline.left():
                raise
            # Where this one has opened the circuit, another try would not be let through.
            if rung.circuit_state() is not CircuitState.CLOSED or not rung.spend_retry():
                raise
        time.sleep(pause)
        return self._call(rung, ask, deadline)

    def _call(
        self, rung: Rung, ask: Callable[[Rung, Deadline], Result], deadline: Deadline
    ) -> "_Call[Result]":
        with rung.admitted() as admission:
            started = time.monotonic()
            try:
                result = ask(rung, deadline)
            except BaseException as error:
                self._failed(rung, error, admission, started=started)
                raise
        self._readiness.answered(rung=rung.place)
        return _Call(result=result, rung=rung, admission=admission, started=started)

    def _answered(self, call: "_Call[Result]") -> None:
        self._metrics.called(call.rung.place, call.rung.model.settings.name, "answered")
        call.rung.answered()

    def _failed(
        self, rung: Rung, error: BaseException, admission: Admission, *, started: float
    ) -> None:
        name = rung.model.settings.name
        if not isinstance(error, Failure):
            self._metrics.called(rung.place, name, "left")
            rung.released(admission)
            return
        if error.reason is Reason.REQUEST_REFUSED:
            error.meets_all = self._readiness.state(rung.place) is ModelState.FAILED
        self._metrics.called(rung.place, name, error.reason)
        rung.failed(error, admission)
        self._readiness.question_failed(error, started=started, rung=rung.place)

    def _who_else(self, failure: Failure, rung: Rung, rest: Sequence[Rung]) -> Sequence[Rung]:
        """Return those of the other models that may answer after this failure."""
        if failure.reason is Reason.CONTEXT_TOO_LARGE:
            return [
                other for other in rest if _is_larger(other.model.settings, rung.model.settings)
            ]
        return rest if failure.about_model else ()


def _share(rung: Rung, rest: Sequence[Rung], left: float) -> float:
    """Return the seconds that a model may take: half of what is left, if others could use it.

    The first is the one that is wanted, so it gets more than an equal share.
    """
    others = any(other.circuit_state() is not CircuitState.OPEN for other in rest)
    if others and rung.is_silent:
        return min(left / 2, SILENT_SECONDS)
    return min(left / 2 if others else left, rung.model.settings.timeout_seconds)


def _from(first: Piece, rest: Generator[Piece]) -> Generator[Piece]:
    """Yield the pieces of a stream whose first one was taken."""
    with closing(rest):
        yield first
        yield from rest


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
        told = Failure(last.reason, last.message)
        told.meets_all = last.meets_all
        return told
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
