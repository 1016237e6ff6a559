"""How a question comes in and its answer goes out over HTTP, whichever route it takes.

Each has come whole, takes a seat, is counted where it is refused, carries one id, and gives its
seat back when the last byte of the answer is written.
"""

import json
import re
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import structlog
from flask import Response, request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from va_assistant.answering import Answering, Asked
from va_assistant.errors import AskerLeft, Failure, NotSent, Reason, internal_error, one_line
from va_assistant.questions import MAX_QUESTION_BYTES, Form, Question, form_of, too_large
from va_assistant.replies import Author, Part

log = structlog.get_logger()

EVENT_STREAM = "text/event-stream; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
JSON = "application/json"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """Lets the questions of one revision in."""

    answering: Answering
    revision: str
    question_bytes: int = MAX_QUESTION_BYTES

    def take(self, respond: Callable[[Form], Response], *, json_only: bool = False) -> Response:
        """Return the response to a question that comes in a form that can be read.

        Its seat is taken until all of the response is sent.
        """
        environ = request.environ
        with self.noting_refusal():
            form = form_of(
                content_type=environ.get("CONTENT_TYPE", ""),
                content_encoding=environ.get("HTTP_CONTENT_ENCODING", ""),
                accept=environ.get("HTTP_ACCEPT", ""),
                limit=self.question_bytes,
                json_only=json_only,
            )
            # A seat first: whoever reads slowly is one of the many, too.
            self.answering.take_seat()
        started = time.monotonic()
        try:
            response = respond(form)
        except BaseException as error:
            if isinstance(error, NotSent):
                self.answering.not_sent(time.monotonic() - started, request_id=request_id())
            self.answering.leave_seat()
            raise
        response.call_on_close(self.answering.leave_seat)
        response.headers["X-Revision"] = self.revision
        return response

    @contextmanager
    def noting_refusal(self) -> Iterator[None]:
        """Count and log a question that is refused before it is asked."""
        try:
            yield
        except Failure as failure:
            self.answering.refused(failure, request_id=request_id())
            raise

    def stream(
        self,
        question: Question,
        tell: Callable[[Part], Iterable[bytes]],
        fail: Callable[[Failure], bytes],
    ) -> Response:
        """Return an answer as it is written; raises where there is not even a first part of it.

        `tell` makes events of a part, `fail` one of what ends the answer in its midst.
        """
        parts = self.answering.stream(asked(question))
        first = next(parts)
        response = Response(_events(first, parts, tell, fail), content_type=EVENT_STREAM)
        response.headers.extend(author_headers(first.author))
        response.headers["X-Accel-Buffering"] = "no"
        response.call_on_close(parts.close)
        return response


def asked(question: Question) -> Asked:
    """Return a question as one that this request asks."""
    environ = request.environ
    return Asked(
        question=question,
        request_id=request_id(),
        asker=environ.get("gunicorn.socket"),
        traceparent=environ.get("HTTP_TRACEPARENT", ""),
    )


def read_body(form: Form) -> bytes:
    """Read the question, and nothing of one that is too large."""
    length = request.content_length
    if length is not None and length > form.max_bytes:
        raise too_large(form.limit)
    try:
        body: bytes = request.environ["wsgi.input"].read(
            form.max_bytes + 1 if length is None else length
        )
    except (OSError, ParseException):
        raise Failure(Reason.BAD_REQUEST, "the body does not come as HTTP wants it") from None
    if length is not None and len(body) < length:
        raise NotSent
    return body


def request_id() -> str:
    """Return the client's own id of the request, or a new one."""
    environ = request.environ
    if "va.request_id" not in environ:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        environ["va.request_id"] = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    found: str = environ["va.request_id"]
    return found


def author_headers(author: Author) -> dict[str, str]:
    """Return the headers that say who answered."""
    headers = {"X-Fallback": "true"} if author.fallback else {}
    if author.model is not None:
        headers["X-Model"] = one_line(author.model).encode("ascii", "replace").decode()
    return headers


def dump(fields: dict[str, Any]) -> str:
    """Return JSON as it is sent."""
    return json.dumps(fields, ensure_ascii=False)


def _events(
    first: Part,
    parts: Generator[Part],
    tell: Callable[[Part], Iterable[bytes]],
    fail: Callable[[Failure], bytes],
) -> Iterator[bytes]:
    try:
        for part in chain((first,), parts):
            yield from tell(part)
    except Failure as failure:
        yield fail(failure)
    except AskerLeft:
        return
    except Exception:
        log.exception("unexpected")
        yield fail(internal_error())
