"""What can go wrong, how it is told, and the exit code it ends with.

Failure                 1
├── CannotWrite         1
├── WrongUsage          2
├── NotFound            3
├── NotReady            3   worth another try
├── NotAllowed          4
├── ModelFailed         5
└── TimedOut            124
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

from va_cli.durations import duration_text

if TYPE_CHECKING:
    from va_cli.endpoints import Target


class ExitCode(IntEnum):
    """How a command ended, for scripts."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_READY = 3
    NOT_ALLOWED = 4
    MODEL_FAILED = 5
    TIMED_OUT = 124
    INTERRUPTED = 130


EXIT_CODES = {
    ExitCode.OK: "it worked",
    ExitCode.FAILED: "it failed",
    ExitCode.USAGE: "the command line or the question is wrong",
    ExitCode.NOT_READY: "there is no such assistant, or it is not ready",
    ExitCode.NOT_ALLOWED: "you may not do this",
    ExitCode.MODEL_FAILED: "the assistant was reached, its model failed",
    ExitCode.TIMED_OUT: "no whole answer within --timeout",
    ExitCode.INTERRUPTED: "Ctrl-C",
}


class Failure(Exception):
    """Something foreseen that ends a command, told in three lines.

    `{va}` in `next_step` stands for the program's own name. `retry_after` says
    after how many seconds another try may help; None says that none will.
    """

    code: ClassVar[ExitCode] = ExitCode.FAILED
    usual_reason: ClassVar[str] = "Failed"
    """What scripts read as its `reason`, where nothing more exact is known."""

    def __init__(
        self,
        what: str,
        *,
        why: str,
        next_step: str,
        reason: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{what} {why}")
        self.what = what
        self.why = why
        self.next_step = next_step
        self.reason = reason or self.usual_reason
        self.retry_after = retry_after

    @property
    def message(self) -> str:
        """Why, without the reason that scripts get beside it."""
        return self.why.removeprefix(f"{self.reason}: ")


class WrongUsage(Failure):
    """The command line or the question cannot be what was meant."""

    code = ExitCode.USAGE
    usual_reason = "WrongUsage"


class NotFound(Failure):
    """There is nothing of that name."""

    code = ExitCode.NOT_READY
    usual_reason = "AssistantNotFound"


class NotReady(Failure):
    """It exists, and nobody answers there now."""

    code = ExitCode.NOT_READY
    usual_reason = "NotReady"

    def __init__(
        self,
        what: str,
        *,
        why: str,
        next_step: str,
        reason: str | None = None,
        retry_after: float | None = 0.0,
    ) -> None:
        super().__init__(what, why=why, next_step=next_step, reason=reason, retry_after=retry_after)


class NotAllowed(Failure):
    """The cluster or the assistant refuses this user."""

    code = ExitCode.NOT_ALLOWED
    usual_reason = "NotAllowed"


class ModelFailed(Failure):
    """The assistant answers, and says that its model does not."""

    code = ExitCode.MODEL_FAILED
    usual_reason = "ModelFailed"


class TimedOut(Failure):
    """The time that the user gave is over."""

    code = ExitCode.TIMED_OUT
    usual_reason = "Timeout"


class CannotWrite(Failure):
    """What was asked for finds no room where it is to go."""

    usual_reason = "CannotWrite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error answer of an assistant: the shape that docs/reference/http.md gives it."""

    reason: str
    message: str
    status: int | None = None
    """The HTTP status; None for an error that came inside of a stream."""

    retry_after: float | None = None


LONGEST_WAIT_ADVISED = 60.0
"""Seconds; nobody sits in front of a terminal until the next day."""

_ABOUT_THE_QUESTION = frozenset({"EmptyQuestion", "NotUTF8", "InvalidQuestion", "QuestionTooLarge"})


def failure_for(refusal: Refusal, target: Target) -> Failure:
    """Return what the user is told when an assistant answers with an error."""
    # Only a stream, which has begun with a piece of the answer, has no status for its error.
    cut = refusal.status is None
    what = f"{target.label} {'did not finish its answer' if cut else 'gave no answer'}."
    why = f"{refusal.reason}: {refusal.message}" if refusal.message else refusal.reason
    kind = _kind_of(refusal)
    return kind(
        what,
        why=why,
        next_step=_next_step(refusal, target),
        reason=refusal.reason,
        retry_after=_retry_after(refusal),
    )


def _kind_of(refusal: Refusal) -> type[Failure]:
    if refusal.reason in _ABOUT_THE_QUESTION:
        return WrongUsage
    if refusal.status in {401, 403}:
        return NotAllowed
    if refusal.reason in {"TooBusy", "TokenMissing"} or refusal.status == 429:
        return NotReady
    if refusal.reason == "InternalError":
        return Failure
    if refusal.reason == "ContextTooLarge" or refusal.status in {None, 502, 503, 504}:
        return ModelFailed
    return Failure


def _retry_after(refusal: Refusal) -> float | None:
    """A 503 or 429 passes; everything else stays until somebody changes something."""
    if refusal.status in {429, 503}:
        return refusal.retry_after if refusal.retry_after is not None else 0.0
    return None


def _next_step(refusal: Refusal, target: Target) -> str:
    if refusal.status == 401:
        return "give the assistant's token with --token-file or VA_TOKEN"
    if refusal.reason == "QuestionTooLarge":
        return "ask with a shorter text; in a conversation, begin a new one"
    if refusal.reason in _ABOUT_THE_QUESTION:
        return "{va} ask --help"
    if refusal.status in {429, 503} and refusal.retry_after:
        if refusal.retry_after > LONGEST_WAIT_ADVISED:
            return f"ask again in {duration_text(refusal.retry_after)}"
        return f"ask again in {refusal.retry_after:.0f} s, or with --wait 60s"
    if target.url:
        # `/health` would say that all is well: it says nothing of the model.
        return "tell whoever runs it, who finds the cause in its log or with kubectl get va"
    return target.check
