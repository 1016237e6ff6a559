"""What is told of a question's way to whoever collects traces; here it is told to nobody.

The rest of the program speaks to these classes. `telemetry.py` has those that tell, and is loaded
only where the environment asks for traces.
"""

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

import structlog

from va_assistant.completions import Answer, Piece
from va_assistant.errors import Reason, one_line
from va_assistant.replies import Reply
from va_assistant.revision import ModelSettings

log = structlog.get_logger()


class Call:
    """One try of a model, from its question to the end of its answer."""

    traceparent: str | None = None
    """The header of W3C Trace Context that lets the server's own spans join; None for none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, by what went wrong where something did."""

    def told(self, answer: Answer) -> Answer:
        """Take note of a whole answer, and return it."""
        return answer

    def telling(self, pieces: Generator[Piece]) -> Generator[Piece]:
        """Take note of a stream as it is written, and end with it."""
        return pieces


class Trace:
    """One question's way; its steps follow each other, and it ends once."""

    ids: Mapping[str, str] = {}
    """By which the log line of the question is found from its trace."""

    def studying(self) -> AbstractContextManager[None]:
        """Look for what the texts have."""
        return nullcontext()

    def asking(self, model: ModelSettings, *, stream: bool = False) -> Call:  # noqa: ARG002
        """Ask a model."""
        return _CALL

    def checking(self) -> AbstractContextManager[None]:
        """Check an answer; that of a stream while it is written."""
        return nullcontext()

    def answered(self, reply: Reply) -> None:
        """End it with an answer."""

    def failed(self, reason: Reason) -> None:
        """End it without an answer, or without the end of one."""

    def left(self) -> None:
        """End it because the asker did not wait."""


class Tracing:
    """Where traces begin."""

    def question(self, traceparent: str) -> Trace:  # noqa: ARG002
        """Begin the trace of a question, or go on with the asker's.

        `traceparent` is the header of W3C Trace Context as it came; a wrong one counts as none.
        """
        return UNTRACED

    def close(self) -> None:
        """Send what was not sent yet, within a moment."""


_CALL = Call()
UNTRACED = Trace()


def tracing_of(*, wanted: bool, name: str, revision: str, host: str) -> Tracing:
    """Return what tells of the questions to an assistant, where that is wanted.

    Nobody goes without an answer because nobody can watch it: where the packages are missing, or a
    variable is wrong, the log says so, and that is all.
    """
    if not wanted:
        return Tracing()
    try:
        from va_assistant.telemetry import OpenTelemetry

        return OpenTelemetry.of(name=name, revision=revision, host=host)
    except ImportError as error:
        why = f"install va-assistant[otel]: {error}"
    except ValueError as error:
        why = f"a variable OTEL_… has a value that it cannot have: {error}"
    log.warning("no traces", message=one_line(why))
    return Tracing()
