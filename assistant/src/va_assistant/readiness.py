"""Whether the pod can answer, and how it finds out."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from va_assistant.deadlines import Deadline
from va_assistant.errors import Failure, ModelState, Reason
from va_assistant.model import Model
from va_assistant.revision import Revision

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 30.0
KEY_CHECK_SECONDS = 1.0
"""How often a waiting trial looks whether the key has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `/ready` says."""

    ready: bool
    body: dict[str, Any]


class Readiness:
    """What the questions and trials of this pod have shown; any thread may use it."""

    def __init__(self, revision: Revision) -> None:
        self._revision = revision
        self._lock = threading.Lock()
        self._state = ModelState.UNKNOWN
        self._last_failure: Failure | None = None
        self._tokens: int | None = None
        self._let_in = False
        self._last_answer = -math.inf
        self.draining = False
        """Set from a signal handler, so without the lock."""

        self.doubted = threading.Event()
        """Set when a question has failed and the model should be tried again."""

    def answered(self, *, prompt_tokens: int | None = None) -> None:
        """Take note of a real answer."""
        self._last_answer = time.monotonic()
        if prompt_tokens is None and self._state is ModelState.READY:
            return
        with self._lock:
            self._state = ModelState.READY
            self._last_failure = None
            self._let_in = True
            self._tokens = prompt_tokens or self._tokens

    def failed(self, failure: Failure) -> None:
        """Take note of a failure of the model, and let in what only load keeps from answering."""
        with self._lock:
            self._state = failure.state
            self._last_failure = failure
            self._let_in = self._let_in or failure.state is ModelState.DEGRADED

    def question_failed(self, failure: Failure, *, started: float) -> None:
        """Take note of a question without an answer; only the model's faults count.

        `started` is the moment of `time.monotonic()` at which it was asked.
        """
        if failure.about_question or failure.reason is Reason.CONTEXT_TOO_LARGE:
            return
        if self.is_only_busy(failure, started=started):
            return
        # A provider may refuse what was asked with any code of its own. The trial
        # sends the same prompt and parameters with a harmless question: it decides.
        if failure.reason is not Reason.REQUEST_REFUSED:
            self.failed(failure)
        self.doubted.set()

    def is_only_busy(self, failure: Failure, *, started: float) -> bool:
        """Tell whether the model answered others while one waited for its turn in vain."""
        return failure.reason is Reason.TIMEOUT and self._last_answer > started

    def report(self) -> Report:
        """Return what to tell the kubelet and the operator."""
        with self._lock:
            state, failure, tokens = self._state, self._last_failure, self._tokens
            let_in = self._let_in
        if self.draining:
            reason: str | None = "Draining"
        elif let_in:
            reason = None
        else:
            reason = failure.reason if failure else "Starting"
        last_error = {"reason": failure.reason, "message": failure.message} if failure else None
        model = {"name": self._revision.model.name, "state": state, "lastError": last_error}
        return Report(
            ready=reason is None,
            body={
                "ready": reason is None,
                "reason": reason,
                "revision": self._revision.name,
                "context": {"bytes": self._revision.context_bytes, "tokens": tokens},
                "models": [model],
            },
        )


class Trial(threading.Thread):
    """Asks the model until it answers, and again whenever a question has failed."""

    def __init__(
        self,
        model: Model,
        readiness: Readiness,
        *,
        changed: Callable[[], None] = lambda: None,
        first_pause: float = FIRST_PAUSE_SECONDS,
        key_check: float = KEY_CHECK_SECONDS,
    ) -> None:
        """`changed` is called after each trial."""
        super().__init__(name="trial", daemon=True)
        self._model = model
        self._readiness = readiness
        self._changed = changed
        self._first_pause = first_pause
        self._key_check = key_check
        self._stopped = False

    def run(self) -> None:
        """Try for as long as the process lives."""
        while not self._stopped:
            key = self._until_answered()
            while not self._readiness.doubted.wait(self._key_check):
                if self._model.key_now() != key:
                    break

    def stop(self) -> None:
        """End after the trial at hand."""
        self._stopped = True
        self._readiness.doubted.set()

    def _until_answered(self) -> str | None:
        """Return the key with which the model has answered."""
        pause = self._first_pause
        key = None
        while not self._stopped:
            self._readiness.doubted.clear()
            key = self._model.key_now()
            failure = self._try_once()
            self._changed()
            if failure is None:
                break
            asked_pause = failure.provider_retry_after or 0
            self._wait(max(pause, min(asked_pause, LONGEST_PAUSE_SECONDS)), key)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        return key

    def _try_once(self) -> Failure | None:
        settings = self._model.settings
        deadline = Deadline.after(settings.timeout_seconds, gap=settings.timeout_seconds)
        started = time.monotonic()
        try:
            tokens = self._model.try_out(deadline)
        except Failure as failure:
            log.warning(
                "trial failed",
                reason=failure.reason,
                message=failure.message,
                seconds=round(time.monotonic() - started, 3),
            )
            if not self._readiness.is_only_busy(failure, started=started):
                self._readiness.failed(failure)
            return failure
        log.info("trial", seconds=round(time.monotonic() - started, 3), prompt_tokens=tokens)
        self._readiness.answered(prompt_tokens=tokens)
        return None

    def _wait(self, seconds: float, key: str | None) -> None:
        """Wait, but not longer than until the key is another one."""
        ends = time.monotonic() + seconds
        while not self._stopped and (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, self._key_check))
            if self._model.key_now() != key:
                return
