"""Whether the pod can answer, and how it finds out."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from va_assistant.budget import Budget
from va_assistant.deadlines import Deadline
from va_assistant.errors import Failure, ModelState, Reason
from va_assistant.model import Model
from va_assistant.news import News
from va_assistant.prompt import sends_whole
from va_assistant.revision import Revision

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 30.0
SPACING_SECONDS = 30.0
"""Between an answered trial and the next while the model is thought to be there.

A trial costs the whole prompt, and whoever finds a question that a provider refuses can ask it
again and again."""

ACCESS_CHECK_SECONDS = 1.0
"""How often a waiting trial looks whether the key or the CA has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `/ready` says."""

    ready: bool
    body: dict[str, Any]


@dataclass(slots=True)
class _Known:
    """What is known of one model."""

    state: ModelState = ModelState.UNKNOWN
    last_failure: Failure | None = None
    last_answer: float = -math.inf
    news: News = field(default_factory=News)
    doubted: threading.Event = field(default_factory=threading.Event)


class Readiness:
    """What the questions and trials of this pod have shown; any thread may use it.

    The models are numbered as in the ladder: 0 is the preferred one.
    """

    def __init__(
        self,
        revision: Revision,
        closed: Callable[[], Failure | None] = lambda: None,
        budget: Budget | None = None,
    ) -> None:
        """`closed` says why nobody may ask at the moment, None where somebody may.

        `budget` is what the pod tells of; None where there is no limit.
        """
        self._revision = revision
        self._closed = closed
        self._is_whole = sends_whole(revision, revision.model)
        self._budget = budget
        self._lock = threading.Lock()
        self._known = tuple(_Known() for _ in revision.models)
        self._tokens: int | None = None
        self._let_in = False
        self.draining = False
        """Set from a signal handler, so without the lock."""

    def answered(self, *, rung: int = 0, prompt_tokens: int | None = None) -> None:
        """Take note of a real answer."""
        known = self._known[rung]
        known.last_answer = now = time.monotonic()
        is_told = known.state is ModelState.READY and known.news.reason is None
        if prompt_tokens is None and is_told:
            return
        with self._lock:
            known.news, is_news = known.news.answered(now)
            known.state = ModelState.READY
            known.last_failure = None
            known.doubted.clear()
            if rung == 0:
                self._tokens = prompt_tokens or self._tokens
            self._let_in = self._let_in or self._may_come_in()
        if is_news:
            log.info("model answers", rung=rung, model=self._revision.models[rung].name)

    def failed(self, failure: Failure, *, rung: int = 0) -> None:
        """Take note of a failure of a model."""
        known = self._known[rung]
        with self._lock:
            known.news, failures = known.news.failed(failure.reason, time.monotonic())
            known.state = failure.state
            known.last_failure = failure
            self._let_in = self._let_in or self._may_come_in()
        if failures:
            log.warning(
                "model fails",
                rung=rung,
                model=self._revision.models[rung].name,
                reason=failure.reason,
                message=failure.message,
                failures=failures,
            )

    def question_failed(self, failure: Failure, *, started: float, rung: int = 0) -> None:
        """Take note of a question without an answer; only the model's faults count.

        `started` is the moment of `time.monotonic()` at which it was asked.
        """
        if failure.about_question or failure.reason is Reason.CONTEXT_TOO_LARGE:
            return
        if self.is_only_busy(failure, started=started, rung=rung):
            return
        # A provider may refuse what was asked with any code of its own. The trial
        # sends the same prompt and parameters with a harmless question: it decides.
        if failure.reason is not Reason.REQUEST_REFUSED:
            self.failed(failure, rung=rung)
        self.doubted(rung).set()

    def is_only_busy(self, failure: Failure, *, started: float, rung: int = 0) -> bool:
        """Tell whether the model answered others while one waited for its turn in vain."""
        return failure.reason is Reason.TIMEOUT and self._known[rung].last_answer > started

    def state(self, rung: int = 0) -> ModelState:
        """Return what is known of a model."""
        return self._known[rung].state

    def doubted(self, rung: int = 0) -> threading.Event:
        """Return what is set when a question has failed and the model should be tried again."""
        return self._known[rung].doubted

    def report(self) -> Report:
        """Return what to tell the kubelet and the operator.

        That nobody may ask keeps no pod out: earlier ones, which let everybody in, would go on.
        """
        closed = self._closed()
        with self._lock:
            models = [
                _entry(settings.name, known)
                for settings, known in zip(self._revision.models, self._known, strict=True)
            ]
            first = self._known[0].last_failure
            let_in, tokens = self._let_in, self._tokens
        if self.draining:
            reason: str | None = "Draining"
        elif let_in:
            reason = None
        else:
            reason = first.reason if first else "Starting"
        body: dict[str, Any] = {
            "ready": reason is None,
            "reason": reason,
            "revision": self._revision.name,
            "closed": _told(closed),
            "context": {
                "bytes": self._revision.context_bytes,
                "tokens": tokens,
                "whole": self._is_whole,
            },
            "models": models,
        }
        if self._budget:
            body["budget"] = {"tokensPerDay": self._budget.per_day, "spent": self._budget.spent}
        return Report(ready=reason is None, body=body)

    def _may_come_in(self) -> bool:
        """Tell whether a new pod may get questions; the preferred model decides.

        Where it answers or is only overloaded, it may. Where it is not reached at all,
        nobody can tell a slip in its address from an outage: then an answer of a
        fallback counts, so that pods which start in an outage are of use. Where it was
        reached and refuses, somebody has to put that right: earlier pods go on serving.
        """
        first, *others = self._known
        if first.state in {ModelState.READY, ModelState.DEGRADED}:
            return True
        failure = first.last_failure
        unreachable = failure is not None and failure.reason in _UNREACHABLE
        return unreachable and any(other.state is ModelState.READY for other in others)


def _asked_pause(failure: Failure) -> float:
    """Return the seconds for which a model should be left alone, if there is a word about that."""
    asked = failure.provider_retry_after or 0
    # The end of the day is certain, and before it a trial would find the same.
    return asked if failure.reason is Reason.BUDGET_SPENT else min(asked, LONGEST_PAUSE_SECONDS)


_UNREACHABLE = frozenset({Reason.HOST_NOT_FOUND, Reason.CONNECTION_REFUSED})


def _entry(name: str, known: _Known) -> dict[str, Any]:
    return {"name": name, "state": known.state, "lastError": _told(known.last_failure)}


def _told(failure: Failure | None) -> dict[str, str] | None:
    return {"reason": failure.reason, "message": failure.message} if failure else None


class Trial(threading.Thread):
    """Asks one model until it answers, and again whenever a question has failed."""

    def __init__(
        self,
        model: Model,
        readiness: Readiness,
        *,
        rung: int = 0,
        answered: Callable[[], None] = lambda: None,
        failed: Callable[[Failure], None] = lambda _failure: None,
        changed: Callable[[], None] = lambda: None,
        first_pause: float = FIRST_PAUSE_SECONDS,
        access_check: float = ACCESS_CHECK_SECONDS,
        spacing: float = SPACING_SECONDS,
    ) -> None:
        """`answered` and `failed` are called after a trial that was so, `changed` after each.

        A trial that only waited in vain while others were answered has not failed.
        """
        super().__init__(name=f"trial-{rung}", daemon=True)
        self._model = model
        self._readiness = readiness
        self._rung = rung
        self._doubted = readiness.doubted(rung)
        self._answered = answered
        self._failed = failed
        self._changed = changed
        self._first_pause = first_pause
        self._access_check = access_check
        self._spacing = spacing
        self._stopped = False

    def run(self) -> None:
        """Try for as long as the process lives."""
        while not self._stopped:
            access = self._until_answered()
            spaced = time.monotonic() + self._spacing
            while not self._doubted.wait(self._access_check):
                if self._model.access_now() != access:
                    break
            else:
                self._wait(spaced - time.monotonic(), access, only_while=ModelState.READY)

    def stop(self) -> None:
        """End after the trial at hand."""
        self._stopped = True
        self._doubted.set()

    def _until_answered(self) -> object:
        """Return the key and the trust with which the model has answered."""
        pause = self._first_pause
        access: object = None
        while not self._stopped:
            self._doubted.clear()
            access = self._model.access_now()
            failure = self._try_once()
            self._changed()
            if failure is None:
                break
            self._wait(max(pause, _asked_pause(failure)), access)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        return access

    def _try_once(self) -> Failure | None:
        settings = self._model.settings
        deadline = Deadline.after(settings.timeout_seconds, gap=settings.timeout_seconds)
        started = time.monotonic()
        try:
            tokens = self._model.try_out(deadline)
        except Failure as failure:
            if not self._readiness.is_only_busy(failure, started=started, rung=self._rung):
                self._readiness.failed(failure, rung=self._rung)
                self._failed(failure)
            return failure
        except Exception as error:
            # Whatever it is: a trial that is dead would leave the pod as it is for good.
            log.exception("trial failed unexpectedly", rung=self._rung)
            unforeseen = Failure(
                Reason.UPSTREAM_ERROR, f"nobody foresaw this: {type(error).__name__}"
            )
            self._readiness.failed(unforeseen, rung=self._rung)
            return unforeseen
        seconds = round(time.monotonic() - started, 3)
        log.info("trial", rung=self._rung, seconds=seconds, prompt_tokens=tokens)
        self._readiness.answered(rung=self._rung, prompt_tokens=tokens)
        self._answered()
        return None

    def _wait(
        self, seconds: float, access: object, *, only_while: ModelState | None = None
    ) -> None:
        """Wait, but not longer than until the key or the trust is another one.

        Nor than the model has the state that is given.
        """
        ends = time.monotonic() + seconds
        while not self._stopped and (left := ends - time.monotonic()) > 0:
            if only_while and self._readiness.state(self._rung) is not only_while:
                return
            time.sleep(min(left, self._access_check))
            if self._model.access_now() != access:
                return
