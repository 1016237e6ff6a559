"""How many tokens a day may cost, so that nobody is surprised by a bill.

Counted where a model is asked, so that trials count as questions do, and in memory: a new pod
begins with a whole budget. A call is let through while something is left that no other call
needs for its prompt, so a day goes beyond its budget by one prompt and the answers at work at most.
"""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from va_assistant.completions import Usage
from va_assistant.errors import Failure, Reason
from va_assistant.prompt import BYTES_PER_TOKEN

AT_WORK_SECONDS = 5.0
"""After which to come again where calls at work hold what is left: they may take less."""

_UNFINISHED = frozenset({Reason.TIMEOUT, Reason.CONNECTION_LOST})
"""Failures after which the provider may have worked, and nobody knows how much."""


class Budget:
    """The tokens of a day, by UTC; any thread may use it."""

    def __init__(self, per_day: int, clock: Callable[[], datetime] | None = None) -> None:
        """`clock` returns the time in UTC."""
        self.per_day = per_day
        self._clock = clock or _utc_now
        self._lock = threading.Lock()
        self._day = date.min
        self._spent = 0
        self._held = 0

    @property
    def spent(self) -> int:
        """The tokens that today's calls have cost so far."""
        with self._lock:
            self._turn_page()
            return self._spent

    def hold(self, prompt: bytes) -> "Charge":
        """Set aside what a call with this body costs at least; raises `BudgetSpent`."""
        tokens = estimate(len(prompt))
        with self._lock:
            now = self._turn_page()
            if self._spent >= self.per_day:
                raise Failure(
                    Reason.BUDGET_SPENT,
                    f"the day's budget of {self.per_day} tokens is spent; "
                    "the next day begins at 00:00 UTC",
                    retry_after=seconds_to_midnight(now),
                )
            if self._spent + self._held >= self.per_day:
                raise Failure(
                    Reason.BUDGET_SPENT,
                    f"other questions are at work on the rest of the day's budget of "
                    f"{self.per_day} tokens",
                    retry_after=AT_WORK_SECONDS,
                )
            self._held += tokens
        return Charge(self, tokens)

    def settle(self, *, held: int, cost: int) -> None:
        """Count what a call has cost in place of what was set aside for it."""
        with self._lock:
            self._turn_page()
            self._held -= held
            self._spent += cost

    def _turn_page(self) -> datetime:
        """Begin a new day where one has begun; a clock that is set back begins none."""
        now = self._clock()
        if now.date() > self._day:
            self._day, self._spent = now.date(), 0
        return now


class Charge:
    """What one call costs: an estimate, until the provider says."""

    def __init__(self, budget: Budget, tokens: int) -> None:
        self._budget = budget
        self._held = tokens
        self._written = 0
        self._usage: Usage | None = None
        self._is_open = True

    def wrote(self, text: str, usage: Usage | None) -> None:
        """Take note of a part of the answer."""
        self._written += len(text.encode())
        self._usage = usage or self._usage

    def failed(self, error: BaseException) -> None:
        """Count what a call without an answer may have cost; one that was refused is free."""
        if isinstance(error, Failure) and not _may_be_billed(error):
            self._close(0)
        else:
            self.settle()

    def settle(self) -> None:
        """Count what the call has cost; nothing if that was counted already."""
        usage = self._usage
        known = usage.prompt + usage.completion if usage else 0
        self._close(known or self._held + estimate(self._written))

    def _close(self, cost: int) -> None:
        if self._is_open:
            self._is_open = False
            self._budget.settle(held=self._held, cost=cost)


def _may_be_billed(failure: Failure) -> bool:
    """Tell whether a provider has worked: its answer was lost, or withheld once it was written."""
    withheld = failure.reason is Reason.UPSTREAM_ERROR and failure.about_question
    return withheld or failure.reason in _UNFINISHED


def estimate(size: int) -> int:
    """Return the tokens of so many bytes where the provider does not say, rather too many."""
    return -(-size // BYTES_PER_TOKEN)


def seconds_to_midnight(now: datetime) -> float:
    """Return the seconds until the next day begins."""
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), now.tzinfo)
    return (midnight - now).total_seconds()


def _utc_now() -> datetime:
    return datetime.now(UTC)
