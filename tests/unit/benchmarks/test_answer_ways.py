import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks.answers.asking import AskFailed, AskLater, Beside
from benchmarks.answers.cases import Case
from benchmarks.answers.ways import original, served

CASE = Case(
    text="t.md", ask="and a week?", before=(("How much is a day?", "36"),), set="dev",
    kind="follow-up", refuses=True,
)  # fmt: skip


@dataclass
class Upstream:
    """A server that gives one answer and keeps what it was asked."""

    url: str = ""
    status: int = 200
    answer: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    found = Upstream()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.asked.append((self.path, json.loads(body)))
            found.tokens.append(self.headers["Authorization"])
            content = json.dumps(found.answer).encode()
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield found
        server.shutdown()
        thread.join()


def test_the_originals_way_sends_the_text_as_it_is_and_the_question_last(
    upstream: Upstream, tmp_path: Path
) -> None:
    text = tmp_path / "t.md"
    text.write_text("# Prices\nA week is 189.\n")
    upstream.answer = {"choices": [{"message": {"content": "189"}}]}
    with original(text, Beside(url=upstream.url, reranker_port=9)) as ask:
        said = ask(CASE)
    assert (said.text, said.refused) == ("189", None)
    ((path, body),) = upstream.asked
    assert path == "/v1/chat/completions"
    assert body["messages"] == [
        {"role": "system", "content": "# Prices\nA week is 189.\n"},
        {"role": "user", "content": "How much is a day?"},
        {"role": "assistant", "content": "36"},
        {"role": "user", "content": "and a week?"},
    ]


@pytest.mark.parametrize(
    ("made_by", "refused"), [("NoAnswer", True), ("Model", False), (None, None)]
)
def test_a_served_assistant_is_asked_with_history_and_tells_refusals_by_its_flag(
    upstream: Upstream, made_by: str | None, refused: bool | None
) -> None:
    upstream.answer = {"answer": "so"} | ({"madeBy": made_by} if made_by else {})
    assert served(upstream.url)(CASE).refused == refused
    assert upstream.asked == [(
        "/",
        {
            "question": "and a week?",
            "history": [
                {"role": "user", "text": "How much is a day?"},
                {"role": "assistant", "text": "36"},
            ],
        },
    )]  # fmt: skip


def test_an_error_is_no_answer(upstream: Upstream) -> None:
    upstream.status, upstream.answer = 503, {"error": {"reason": "TooBusy"}}
    with pytest.raises(AskFailed, match=r"503.*TooBusy"):
        served(upstream.url)(CASE)


@pytest.mark.parametrize("status", [429, 503])
def test_when_to_come_back_is_taken_from_the_answer(upstream: Upstream, status: int) -> None:
    upstream.status, upstream.headers = status, {"Retry-After": "7"}
    upstream.answer = {"error": {"reason": "TooManyRequests"}}
    with pytest.raises(AskLater, match=rf"{status}.*TooManyRequests") as later:
        served(upstream.url)(CASE)
    assert later.value.seconds == 7


def test_other_errors_are_no_invitation_to_come_back(upstream: Upstream) -> None:
    upstream.status, upstream.headers = 500, {"Retry-After": "7"}
    with pytest.raises(AskFailed) as failed:
        served(upstream.url)(CASE)
    assert not isinstance(failed.value, AskLater)


def test_a_token_is_sent_where_one_is_given(upstream: Upstream) -> None:
    upstream.answer = {"answer": "so"}
    served(upstream.url, "secret")(CASE)
    served(upstream.url)(CASE)
    assert upstream.tokens == ["Bearer secret", None]


def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(AskFailed):
        served("http://127.0.0.1:9")(CASE)
