"""The routes of the port for questions."""

import math
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from va_assistant import openai_api
from va_assistant.about import about
from va_assistant.answering import Answering
from va_assistant.errors import AskerLeft, Failure, Reason, internal_error, one_line
from va_assistant.gate import Arrival, Gate
from va_assistant.openai_routes import PREFIX, openai_routes
from va_assistant.page import Page, page_routes, wants_page
from va_assistant.questions import MAX_QUESTION_BYTES, Form, parse_question
from va_assistant.reception import (
    JSON,
    TEXT,
    Reception,
    asked,
    author_headers,
    dump,
    read_body,
    request_id,
)
from va_assistant.replies import Part, Reply, account_of
from va_assistant.revision import Revision
from va_assistant.turned_away import NO_PAGE

log = structlog.get_logger()

HELP = """\
Ask with a POST, for example:
  curl -d 'What is this about?' {url}
"""
_ROUTE_ERRORS = {
    404: (Reason.NOT_FOUND, "GET /openapi.json says what there is"),
    405: (Reason.METHOD_NOT_ALLOWED, "the header Allow says what there is"),
}
_QUESTIONS = frozenset({"ask", "openai.complete"})
"""The routes that questions come by."""

_DESCRIPTION = Path(__file__).with_name("openapi.json")


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
    app = _App("va_assistant", static_folder=None)
    app.url_map.merge_slashes = False  # its redirection is a page of HTML
    page = Page()
    reception = Reception(
        answering=answering, revision=revision.name, question_bytes=question_bytes
    )
    app.register_blueprint(page_routes(page, dump(about(revision, name=name))))
    app.register_blueprint(openai_routes(reception, name=name))
    description = _DESCRIPTION.read_bytes()

    @app.before_request
    def let_in() -> None:
        # What scanners and browsers try beside is no question that failed.
        with reception.noting_refusal() if request.endpoint in _QUESTIONS else nullcontext():
            gate.check(_arrival())

    @app.post("/")
    def ask() -> Response:
        return reception.take(lambda form: _answer(reception, form))

    @app.get("/")
    def greet() -> Response:
        return _greeting(page)

    @app.get("/openapi.json")
    def describe() -> Response:
        return Response(description, content_type=JSON)

    @app.get("/health")
    def health() -> Response:
        return Response("ok\n", content_type=TEXT)

    @app.errorhandler(Failure)
    def refuse(failure: Failure) -> Response:
        return _refused(gate, failure)

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
        log.error("unexpected", request_id=request_id(), exc_info=error)
        return _error(internal_error())

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Security-Policy", NO_PAGE)
        response.headers["X-Request-Id"] = request_id()
        response.headers.extend(gate.cors(request.method, request.environ.get("HTTP_ORIGIN", "")))
        return response

    return app


class _App(Flask):
    """Flask, for an assistant that answers the same whatever host it was asked as."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds the route of a request, by its path.

        Flask's own reads and checks the host twice for it.
        """
        if request is None:
            return super().create_url_adapter(None)
        environ = request.environ
        return self.url_map.bind(
            "",
            environ.get("SCRIPT_NAME"),
            url_scheme=environ["wsgi.url_scheme"],
            default_method=environ["REQUEST_METHOD"],
            path_info=request.path,
            query_args=environ.get("QUERY_STRING", ""),
        )


def _arrival() -> Arrival:
    environ = request.environ
    return Arrival(
        method=environ["REQUEST_METHOD"],
        path=request.path,
        remote=environ.get("REMOTE_ADDR", ""),
        host=environ.get("HTTP_HOST", ""),
        origin=environ.get("HTTP_ORIGIN", ""),
        sec_fetch_site=environ.get("HTTP_SEC_FETCH_SITE", ""),
        authorization=environ.get("HTTP_AUTHORIZATION", ""),
        va_token=environ.get("HTTP_X_VA_TOKEN", ""),
        forwarded_for=environ.get("HTTP_X_FORWARDED_FOR", ""),
    )


def _refused(gate: Gate, failure: Failure) -> Response:
    if failure.reason is Reason.TOO_BUSY:
        gate.give_back(_arrival())
    return _error(failure)


def _greeting(page: Page) -> Response:
    if wants_page(request.headers.get("Accept", "")):
        response = page.index(request)
    else:
        response = Response(HELP.format(url=request.host_url), content_type=TEXT)
    response.headers["Vary"] = "Accept"
    return response


def _answer(reception: Reception, form: Form) -> Response:
    with reception.noting_refusal():
        question = parse_question(read_body(form), form)
    revision = reception.revision
    if question.stream:
        return reception.stream(
            question,
            lambda part: _events(part, revision),
            lambda failure: _event("error", _error_fields(failure)),
        )
    reply = reception.answering.answer(asked(question))
    return _whole(reply, as_json=question.as_json, revision=revision)


def _whole(reply: Reply, *, as_json: bool, revision: str) -> Response:
    if as_json:
        fields = {"answer": reply.text, **account_of(reply, revision)}
        response = Response(dump(fields), content_type=JSON)
    else:
        response = Response(f"{reply.text}\n", content_type=TEXT)
        response.headers["X-Answer-Made-By"] = reply.made
        for header, named in (("X-Sources", reply.sources), ("X-Nearest", reply.nearest)):
            if named:
                places = dict.fromkeys(f"{quote(one.file)}:{one.line}" for one in named)
                response.headers[header] = ",".join(places)
        if reply.finish_reason != "stop":
            response.headers["X-Finish-Reason"] = reply.finish_reason
    response.headers.extend(author_headers(reply.author))
    return response


def _events(part: Part, revision: str) -> Iterator[bytes]:
    if part.reply is None:
        yield _event("text", {"text": part.text})
    else:
        yield _event("done", account_of(part.reply, revision))


def _event(name: str, fields: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {dump(fields)}\n\n".encode()


def _error(failure: Failure) -> Response:
    as_json = request.mimetype == JSON or JSON in request.headers.get("Accept", "")
    if request.path.startswith(f"{PREFIX}/"):
        response = Response(dump(openai_api.error_of(failure)), content_type=JSON)
    elif as_json:
        response = Response(dump(_error_fields(failure)), content_type=JSON)
    else:
        response = Response(f"{failure.reason}: {failure.told}\n", content_type=TEXT)
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


def _error_fields(failure: Failure) -> dict[str, Any]:
    return {"error": {"reason": failure.reason, "message": failure.told}}
