"""From a question to its answer, with the counting and logging of what became of it."""

import socket
import time
from collections.abc import Generator
from dataclasses import dataclass, field

import structlog

from va_assistant.completions import Answer, Piece, Usage
from va_assistant.deadlines import Deadline
from va_assistant.errors import AskerLeft, Failure, Reason
from va_assistant.metrics import Metrics
from va_assistant.model import Model
from va_assistant.questions import Question
from va_assistant.readiness import Readiness
from va_assistant.seats import Seats

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
        model: Model,
        readiness: Readiness,
        metrics: Metrics,
        *,
        max_questions: int,
        gap_seconds: float,
    ) -> None:
        self._model = model
        self._readiness = readiness
        self._metrics = metrics
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

    def answer(self, asked: Asked) -> Answer:
        """Return the whole answer; raises a `Failure`, or `AskerLeft`."""
        try:
            answer = self._model.answer(asked.question.text, self._deadline(), asked.asker)
        except BaseException as error:
            self._note(asked, error=error)
            raise
        self._note(asked, usage=answer.usage, characters=len(answer.text))
        return answer

    def stream(self, asked: Asked) -> Generator[Piece]:
        """Return the answer as it is written; nothing is asked before the first piece is taken."""
        usage: Usage | None = None
        characters = 0
        first: float | None = None
        try:
            for piece in self._model.stream(asked.question.text, self._deadline(), asked.asker):
                if first is None:
                    first = time.monotonic() - asked.started
                characters += len(piece.text)
                usage = piece.usage
                yield piece
        except BaseException as error:
            self._note(asked, error=error, characters=characters, first=first)
            raise
        self._note(asked, usage=usage, characters=characters, first=first)

    def refused(self, failure: Failure, *, request_id: str) -> None:
        """Take note of a question that was not even asked."""
        self._metrics.failed(failure.reason)
        log.info("question refused", reason=failure.reason, request_id=request_id)

    def _deadline(self) -> Deadline:
        return Deadline.after(self._model.settings.timeout_seconds, gap=self._gap_seconds)

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
            self._readiness.answered()
            self._metrics.answered(seconds, usage)
            log.info("answered", **line)
        elif isinstance(error, Failure):
            self._readiness.question_failed(error, started=asked.started)
            self._metrics.failed(error.reason)
            log.warning("not answered", reason=error.reason, message=error.message, **line)
        elif isinstance(error, AskerLeft | GeneratorExit):
            self._metrics.left()
            log.info("asker left", **line)
        else:
            self._metrics.failed(Reason.INTERNAL_ERROR)
