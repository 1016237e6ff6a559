"""From a question to its answer, with the counting and logging of what became of it."""

import socket
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import structlog

from va_assistant.deadlines import Deadline
from va_assistant.errors import AskerLeft, Failure, Reason
from va_assistant.metrics import Metrics
from va_assistant.pipeline import LONGEST_GAP_SECONDS, Pipeline
from va_assistant.questions import Question
from va_assistant.replies import Part, Reply
from va_assistant.seats import Seats
from va_assistant.traces import Trace, Tracing

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question and where it came from."""

    question: Question
    request_id: str
    asker: socket.socket | None
    """The connection, watched for the asker's leaving; None where there is none."""

    traceparent: str = ""
    """The header of W3C Trace Context, as it came."""

    started: float = field(default_factory=time.monotonic)


class Answering:
    """Answers questions, so many at once and no more."""

    def __init__(
        self,
        pipeline: Pipeline,
        metrics: Metrics,
        *,
        timeout_seconds: float,
        max_questions: int,
        gap_seconds: float = LONGEST_GAP_SECONDS,
        tracing: Tracing | None = None,
    ) -> None:
        """`timeout_seconds` is the one deadline of a question, `gap_seconds` of a silence in it."""
        self._tracing = tracing or Tracing()
        self._pipeline = pipeline
        self._metrics = metrics
        self._timeout_seconds = timeout_seconds
        self._gap_seconds = gap_seconds
        self._seats = Seats(max_questions)

    def take_seat(self) -> None:
        """Reserve room for one question; raises `TooBusy` where none comes free soon."""
        if not self._seats.take():
            raise Failure(Reason.TOO_BUSY, "too many questions at once")
        self._metrics.in_flight.inc()

    def leave_seat(self) -> None:
        """Give the room to the next question."""
        self._metrics.in_flight.dec()
        self._seats.leave()

    def answer(self, asked: Asked) -> Reply:
        """Return the whole answer; raises a `Failure`, or `AskerLeft`."""
        question, trace = asked.question, self._tracing.question(asked.traceparent)
        try:
            reply = self._pipeline.answer(
                question.text, question.history, self._deadline(), asked.asker, trace
            )
        except BaseException as error:
            self._note(asked, trace, error=error)
            raise
        self._note(asked, trace, reply=reply, characters=len(reply.text))
        return reply

    def stream(self, asked: Asked) -> Generator[Part]:
        """Return the answer as it is written; nothing is asked before the first part is taken."""
        question, trace = asked.question, self._tracing.question(asked.traceparent)
        reply: Reply | None = None
        characters = 0
        first: float | None = None
        try:
            with closing(
                self._pipeline.stream(
                    question.text, question.history, self._deadline(), asked.asker, trace
                )
            ) as parts:
                for part in parts:
                    if first is None:
                        first = time.monotonic() - asked.started
                    characters += len(part.text)
                    reply = part.reply
                    yield part
        except BaseException as error:
            self._note(asked, trace, error=error, characters=characters, first=first)
            raise
        self._note(asked, trace, reply=reply, characters=characters, first=first)

    def refused(self, failure: Failure, *, request_id: str) -> None:
        """Take note of a question that was not even asked."""
        self._metrics.refused(failure.reason)
        log.info("question refused", reason=failure.reason, request_id=request_id)

    def not_sent(self, seconds: float, *, request_id: str) -> None:
        """Take note of a question that did not come to its end."""
        self._metrics.left(seconds)
        log.info("question not received", request_id=request_id, seconds=round(seconds, 4))

    def _deadline(self) -> Deadline:
        return Deadline.after(self._timeout_seconds, gap=self._gap_seconds)

    def _note(
        self,
        asked: Asked,
        trace: Trace,
        *,
        error: BaseException | None = None,
        reply: Reply | None = None,
        characters: int = 0,
        first: float | None = None,
    ) -> None:
        seconds = time.monotonic() - asked.started
        line = {
            "request_id": asked.request_id,
            "seconds": round(seconds, 4),
            "question_characters": len(asked.question.text),
            "answer_characters": characters,
            "stream": asked.question.stream,
            **trace.ids,
        }
        if first is not None:
            line["first_seconds"] = round(first, 4)
        if reply is not None:
            trace.answered(reply)
            self._metrics.answered(reply, seconds, first=first)
            log.info("answered", **_how(reply), **line)
        elif isinstance(error, Failure):
            trace.failed(error.reason)
            self._metrics.failed(error.reason, seconds, first=first)
            log.info("not answered", **_why(error), **line)
        elif isinstance(error, AskerLeft | GeneratorExit):
            trace.left()
            self._metrics.left(seconds, first=first)
            log.info("asker left", **line)
        else:
            trace.failed(Reason.INTERNAL_ERROR)
            self._metrics.failed(Reason.INTERNAL_ERROR, seconds, first=first)


def _how(reply: Reply) -> dict[str, Any]:
    """Return what the log says of how an answer was made."""
    author, failure = reply.author, reply.instead_of
    how = {"made": reply.made, "model": author.model, "fallback": author.fallback}
    return how if failure is None else {**how, **_why(failure)}


def _why(failure: Failure) -> dict[str, str]:
    """Return what the log says of a question's failure.

    What is the matter with a model is told where its state is, once and not for each question.
    """
    if failure.about_model and failure.reason is not Reason.NO_MODEL_ANSWERS:
        return {"reason": failure.reason}
    return {"reason": failure.reason, "message": failure.message}
