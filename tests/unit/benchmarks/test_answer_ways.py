import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks.answers.asking import AskFailed
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
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    found = Upstream()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.asked.append((self.path, json.loads(body)))
            content = json.dumps(found.answer).encode()
            self.send_response(found.status)
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
    with original(text, upstream.url) as ask:
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


def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(AskFailed):
        served("http://127.0.0.1:9")(CASE)
