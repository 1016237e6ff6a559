"""When a model is left alone, and how often it is asked twice; pure values.

A model that does not answer costs every question its wait. So a circuit opens
after `FAILURES` failures in a row, however far apart: in a quiet night each takes
longer than the pause between two. Then the model is not asked at all, except for
one question, a probe, each `REST_SECONDS`. Any answer closes it. (Nygard, "Release
It!", calls it a circuit breaker.)

Moments are seconds on a clock that never goes back (`time.monotonic`).
"""

from dataclasses import dataclass, replace
from enum import IntEnum

FAILURES = 5
REST_SECONDS = 5.0

QUESTIONS_PER_RETRY = 10
"""So a provider that fails gets no more than 1.1 calls for a question."""

MOST_RETRIES = 10
"""What a long time without failures may save up."""


class CircuitState(IntEnum):
    """What a circuit lets through; the numbers are those of the metric."""

    CLOSED = 0
    """Every question."""

    HALF_OPEN = 1
    """One probe."""

    OPEN = 2
    """Nothing."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What a call that was let through brings back, to tell whether its end still matters."""

    opening: int
    """How often the circuit had opened before."""

    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is remembered of a model's failures."""

    failures: int = 0
    """In a row, with no answer since."""

    opened: float | None = None
    """Since when it is left alone; None while it is not."""

    opening: int = 0
    """How often it has opened."""

    probing: bool = False
    """Whether a probe is under way."""

    @property
    def is_calm(self) -> bool:
        """Tell whether one more answer would change nothing."""
        return self.opened is None and not self.failures

    def state(self, now: float) -> CircuitState:
        """Return what is let through at a moment."""
        if self.opened is None:
            return CircuitState.CLOSED
        return CircuitState.HALF_OPEN if now >= self._rested() else CircuitState.OPEN

    def admit(self, now: float) -> "tuple[Circuit, Admission] | None":
        """Return the circuit with one more question let through; None where it is not."""
        match self.state(now):
            case CircuitState.CLOSED:
                return self, Admission(self.opening)
            case CircuitState.HALF_OPEN if not self.probing:
                return replace(self, probing=True), Admission(self.opening, is_probe=True)
            case _:
                return None

    def answered(self) -> "Circuit":
        """Return the circuit after an answer, whoever had asked."""
        return Circuit(opening=self.opening)

    def failed(self, now: float, admission: Admission) -> "Circuit":
        """Return the circuit after a failure; one that was asked before it opened adds nothing."""
        if admission.opening != self.opening:
            return self
        if self.opened is not None:
            return self._open(now) if admission.is_probe else self
        if self.failures + 1 < FAILURES:
            return replace(self, failures=self.failures + 1)
        return self._open(now)

    def released(self, admission: Admission) -> "Circuit":
        """Return the circuit after a question that showed nothing: whoever asked it has left."""
        if admission.is_probe and admission.opening == self.opening:
            return replace(self, probing=False)
        return self

    def _open(self, now: float) -> "Circuit":
        return Circuit(opened=now, opening=self.opening + 1)

    def rest(self, now: float) -> float:
        """Return the seconds until the next probe may be made."""
        return max(0.0, self._rested() - now)

    def _rested(self) -> float:
        return 0.0 if self.opened is None else self.opened + REST_SECONDS


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """Which retries a model's questions have earned; one is there from the start."""

    questions: int = QUESTIONS_PER_RETRY
    """Those that no retry was spent on."""

    def asked(self) -> "RetryBudget":
        """Return the budget after one more question."""
        return RetryBudget(min(self.questions + 1, MOST_RETRIES * QUESTIONS_PER_RETRY))

    def spend(self) -> "RetryBudget | None":
        """Return the budget after a retry; None where there is none left."""
        left = self.questions - QUESTIONS_PER_RETRY
        return RetryBudget(left) if left >= 0 else None
