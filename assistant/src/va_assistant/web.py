"""The routes of the port for questions."""

import json
import math
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain
from typing import Any
from urllib.parse import quote

import structlog
from flask import Flask, Response, request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from va_assistant.about import about
from va_assistant.answering import Answering, Asked
from va_assistant.errors import AskerLeft, Failure, Reason, one_line
from va_assistant.gate import Arrival, Gate
from va_assistant.page import Page, page_routes, wants_page
from va_assistant.questions import MAX_QUESTION_BYTES, Form, form_of, parse_question, too_large
from va_assistant.replies import Author, Part, Reply
from va_assistant.revision import Revision

log = structlog.get_logger()

HELP = """\
Ask with a POST, for example:
  curl -d 'What is this about?' {url}
"""
NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
"""What a model writes is never run, loaded or framed, whatever a browser takes it for."""

_ROUTE_ERRORS = {
    404: (Reason.NOT_FOUND, "there is POST /, GET /, GET /about and GET /health"),
    405: (Reason.METHOD_NOT_ALLOWED, "the header Allow says what there is"),
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_EVENT_STREAM = "text/event-stream; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_JSON = "application/json"


def create_app(
    answering: Answering,
    revision: Revision,
    gate: Gate | None = None,
    *,
    question_bytes: int = MAX_QUESTION_BYTES,
    name: str = "",
) -> Flask:
    """Return the WSGI application that serves one revision.

    Without a gate of its own it has one with the limits that hold where nothing is said. `name`
    is the assistant's, empty where it has none.
    """
    gate = gate or Gate()
    app = Flask("va_assistant", static_folder=None)
    page = Page()
    app.register_blueprint(page_routes(page, _dump(about(revision, name=name))))

    @app.before_request
    def let_in() -> None:
        with _noting_refusal(answering):
            gate.check(_arrival())

    @app.post("/")
    def ask() -> Response:
        with _noting_refusal(answering):
            form = form_of(
                content_type=request.headers.get("Content-Type", ""),
                content_encoding=request.headers.get("Content-Encoding", ""),
                accept=request.headers.get("Accept", ""),
                limit=question_bytes,
            )
            # A seat first: whoever reads slowly is one of the many, too.
            answering.take_seat()
        try:
            response = _answer(answering, form, revision.name)
        except BaseException:
            answering.leave_seat()
            raise
        response.call_on_close(answering.leave_seat)
        response.headers["X-Revision"] = revision.name
        return response

    @app.get("/")
    def greet() -> Response:
        return _greeting(page)

    @app.get("/health")
    def health() -> Response:
        return Response("ok\n", content_type=_TEXT)

    @app.errorhandler(Failure)
    def refuse(failure: Failure) -> Response:
        return _error(failure)

    @app.errorhandler(AskerLeft)
    def forget(_: AskerLeft) -> Response:
        return Response(status=499)  # as nginx calls it; nobody reads it

    @app.errorhandler(HTTPException)
    def refuse_route(error: HTTPException) -> Response:
        reason, message = _ROUTE_ERRORS.get(
            error.code or 500, (Reason.BAD_REQUEST, one_line(error.description or ""))
        )
        response = _error(Failure(reason, message))
        allowed = getattr(error, "valid_methods", None)
        if allowed:
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    @app.errorhandler(Exception)
    def apologize(error: Exception) -> Response:
        log.error("unexpected", request_id=_request_id(), exc_info=error)
        return _error(_internal_error())

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Security-Policy", NO_PAGE)
        response.headers["X-Request-Id"] = _request_id()
        response.headers.extend(gate.cors(request.method, request.headers.get("Origin", "")))
        return response

    return app


def _arrival() -> Arrival:
    return Arrival(
        method=request.method,
        path=request.path,
        remote=request.remote_addr or "",
        host=request.headers.get("Host", ""),
        origin=request.headers.get("Origin", ""),
        sec_fetch_site=request.headers.get("Sec-Fetch-Site", ""),
        authorization=request.headers.get("Authorization", ""),
        va_token=request.headers.get("X-VA-Token", ""),
        forwarded_for=request.headers.get("X-Forwarded-For", ""),
    )


def _greeting(page: Page) -> Response:
    if wants_page(request.headers.get("Accept", "")):
        response = page.index(request)
    else:
        response = Response(HELP.format(url=request.host_url), content_type=_TEXT)
    response.headers["Vary"] = "Accept"
    return response


def _answer(answering: Answering, form: Form, revision: str) -> Response:
    with _noting_refusal(answering):
        question = parse_question(_read_body(form), form)
    asked = Asked(
        question=question,
        request_id=_request_id(),
        asker=request.environ.get("gunicorn.socket"),
    )
    if not question.stream:
        return _whole(answering.answer(asked), as_json=question.as_json, revision=revision)
    parts = answering.stream(asked)
    first = next(parts)
    response = Response(_events(first, parts, revision), content_type=_EVENT_STREAM)
    response.headers.extend(_author_headers(first.author))
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(parts.close)
    return response


@contextmanager
def _noting_refusal(answering: Answering) -> Iterator[None]:
    """Count and log a question that is refused before it is asked."""
    try:
        yield
    except Failure as failure:
        answering.refused(failure, request_id=_request_id())
        raise


def _read_body(form: Form) -> bytes:
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
        raise AskerLeft
    if received := request.environ.get("va.received"):
        received()
    return body


def _whole(reply: Reply, *, as_json: bool, revision: str) -> Response:
    if as_json:
        fields = {"answer": reply.text, **_about_answer(reply, revision)}
        response = Response(_dump(fields), content_type=_JSON)
    else:
        response = Response(f"{reply.text}\n", content_type=_TEXT)
        response.headers["X-Answer-Made-By"] = reply.made
        if reply.sources:
            response.headers["X-Sources"] = ",".join(
                f"{quote(source.file)}:{source.line}" for source in reply.sources
            )
        if reply.finish_reason != "stop":
            response.headers["X-Finish-Reason"] = reply.finish_reason
    response.headers.extend(_author_headers(reply.author))
    return response


def _about_answer(reply: Reply, revision: str) -> dict[str, Any]:
    """Return what is said of an answer beside it, as JSON has it."""
    return {
        "model": reply.author.model,
        "fallback": reply.author.fallback,
        "revision": revision,
        "madeBy": reply.made,
        "sources": [asdict(source) for source in reply.sources],
        "finishReason": reply.finish_reason,
    }


def _author_headers(author: Author) -> dict[str, str]:
    headers = {"X-Fallback": "true"} if author.fallback else {}
    if author.model is not None:
        headers["X-Model"] = one_line(author.model).encode("ascii", "replace").decode()
    return headers


def _events(first: Part, parts: Iterable[Part], revision: str) -> Iterator[bytes]:
    try:
        for part in chain((first,), parts):
            if part.reply is None:
                yield _event("text", {"text": part.text})
            else:
                yield _event("done", _about_answer(part.reply, revision))
    except Failure as failure:
        yield _event("error", _error_fields(failure))
    except AskerLeft:
        return
    except Exception:
        log.exception("unexpected")
        yield _event("error", _error_fields(_internal_error()))


def _event(name: str, fields: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {_dump(fields)}\n\n".encode()


def _error(failure: Failure) -> Response:
    as_json = request.mimetype == _JSON or "application/json" in request.headers.get("Accept", "")
    if as_json:
        response = Response(_dump(_error_fields(failure)), content_type=_JSON)
    else:
        response = Response(f"{failure.reason}: {failure.message}\n", content_type=_TEXT)
    response.status_code = failure.status
    if failure.retry_after is not None:
        response.headers["Retry-After"] = str(math.ceil(failure.retry_after))
    close = request.environ.get("va.close")
    if failure.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="assistant"'
    if close and failure.status in {400, 401, 403, 413, 415, 429}:
        close()  # what is left of the body is not worth reading
    elif close and failure.reason is Reason.TOO_BUSY:
        close()  # a crowd that keeps its connections locks out all others; a new one finds a pod
    return response


def _internal_error() -> Failure:
    return Failure(Reason.INTERNAL_ERROR, "something went wrong here; the log says what")


def _error_fields(failure: Failure) -> dict[str, Any]:
    return {"error": {"reason": failure.reason, "message": failure.message}}


def _dump(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False)


def _request_id() -> str:
    """Return the client's own id of the request, or a new one."""
    environ = request.environ
    if "va.request_id" not in environ:
        given = request.headers.get("X-Request-Id", "")
        environ["va.request_id"] = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    request_id: str = environ["va.request_id"]
    return request_id
