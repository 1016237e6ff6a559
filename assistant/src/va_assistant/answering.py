"""From a question to its answer, with the counting and logging of what became of it."""

import socket
import threading
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field, replace

import structlog

from va_assistant.completions import Answer, Piece, Usage
from va_assistant.deadlines import Deadline
from va_assistant.errors import AskerLeft, Failure, Reason
from va_assistant.ladder import Ladder
from va_assistant.metrics import Metrics
from va_assistant.model import Model
from va_assistant.questions import Question

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question and where it came from."""

    question: Question
    request_id: str
    asker: socket.socket | None
    """The connection, watched for the asker's leaving; None where there is none."""

    started: float = field(default_factory=time.monotonic)


class Answering:
    """Answers questions, so many at once and no more."""

    def __init__(
        self,
        ladder: Ladder,
        metrics: Metrics,
        *,
        timeout_seconds: float,
        max_questions: int,
        gap_seconds: float,
    ) -> None:
        """`timeout_seconds` is the one deadline of a question, `gap_seconds` of a silence in it."""
        self._ladder = ladder
        self._metrics = metrics
        self._timeout_seconds = timeout_seconds
        self._gap_seconds = gap_seconds
        self._seats = threading.BoundedSemaphore(max_questions)

    def take_seat(self) -> None:
        """Reserve room for one question; raises `TooBusy` where there is none."""
        if not self._seats.acquire(blocking=False):
            raise Failure(Reason.TOO_BUSY, "too many questions at once")
        self._metrics.in_flight.inc()

    def leave_seat(self) -> None:
        """Give the room to the next question."""
        self._metrics.in_flight.dec()
        self._seats.release()

    def answer(self, asked: Asked) -> Answer:
        """Return the whole answer; raises a `Failure`, or `AskerLeft`."""

        def ask(model: Model, deadline: Deadline) -> Answer:
            return model.answer(asked.question.text, deadline, asked.asker)

        try:
            outcome = self._ladder.climb(ask, self._deadline())
        except BaseException as error:
            self._note(asked, error=error)
            raise
        answer = replace(outcome.result, author=outcome.rung.author)
        self._note(asked, usage=answer.usage, characters=len(answer.text))
        return answer

    def stream(self, asked: Asked) -> Generator[Piece]:
        """Return the answer as it is written; nothing is asked before the first piece is taken."""

        def ask(model: Model, deadline: Deadline) -> Generator[Piece]:
            return model.stream(asked.question.text, deadline, asked.asker)

        usage: Usage | None = None
        characters = 0
        first: float | None = None
        try:
            outcome = self._ladder.climb_for_stream(ask, self._deadline())
            with closing(outcome.result) as pieces:
                for piece in pieces:
                    is_first_or_last = first is None or piece.finish_reason is not None
                    if first is None:
                        first = time.monotonic() - asked.started
                    characters += len(piece.text)
                    usage = piece.usage
                    yield replace(piece, author=outcome.rung.author) if is_first_or_last else piece
        except BaseException as error:
            self._note(asked, error=error, characters=characters, first=first)
            raise
        self._note(asked, usage=usage, characters=characters, first=first)

    def refused(self, failure: Failure, *, request_id: str) -> None:
        """Take note of a question that was not even asked."""
        self._metrics.failed(failure.reason)
        log.info("question refused", reason=failure.reason, request_id=request_id)

    def _deadline(self) -> Deadline:
        return Deadline.after(self._timeout_seconds, gap=self._gap_seconds)

    def _note(
        self,
        asked: Asked,
        *,
        error: BaseException | None = None,
        usage: Usage | None = None,
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
        }
        if first is not None:
            line["first_seconds"] = round(first, 4)
        if error is None:
            self._metrics.answered(seconds, usage)
            log.info("answered", **line)
        elif isinstance(error, Failure):
            self._metrics.failed(error.reason)
            log.warning("not answered", reason=error.reason, message=error.message, **line)
        elif isinstance(error, AskerLeft | GeneratorExit):
            self._metrics.left()
            log.info("asker left", **line)
        else:
            self._metrics.failed(Reason.INTERNAL_ERROR)
