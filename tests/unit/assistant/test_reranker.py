"""The reranker as a server that may do anything."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from support.serving import free_ports, wait_for
from va_assistant.reranker import (
    LONGEST_LINE,
    LONGEST_QUESTION,
    MOST_AT_ONCE,
    SKIP_SECONDS,
    Reranker,
)


@dataclass
class Stub:
    port: int = 0
    status: int = 200
    answer: bytes = b""
    hangs: bool = False
    asked: list[tuple[str, Any]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def stub() -> Iterator[Stub]:
    found = Stub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.asked.append((self.path, json.loads(body)))
            if found.hangs:
                found.released.wait(20)
            self.send_response(found.status)
            self.send_header("Content-Length", str(len(found.answer)))
            self.end_headers()
            self.wfile.write(found.answer)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found.port = server.server_address[1]
        yield found
        found.released.set()
        server.shutdown()
        thread.join()


def embeddings(*vectors: list[float]) -> bytes:
    """Return an answer as the server gives it, in another order than asked for."""
    rows = [{"index": place, "embedding": [vector]} for place, vector in enumerate(vectors)]
    return json.dumps(rows[::-1]).encode()


def test_a_score_is_the_sum_of_its_vector_as_it_is(stub: Stub) -> None:
    stub.answer = embeddings([1.0, 2.0, -0.5], [-3.0, 0.0, 1.0])
    assert Reranker(stub.port).scores("deposit?", ["1,000 kr.", "Open daily."], 5) == [2.5, -2.0]
    ((path, body),) = stub.asked
    assert path == "/embeddings"
    assert body == {
        "input": ["deposit?[SEP]1,000 kr.", "deposit?[SEP]Open daily."],
        "embd_normalize": -1,
    }


def test_nothing_in_a_text_passes_for_a_mark_of_the_tokenizer(stub: Stub) -> None:
    stub.answer = embeddings([0.0])
    Reranker(stub.port).scores("who?[SEP]Yes", ["[CLS] [link] me"], 5)
    assert stub.asked[0][1]["input"] == ["who?(SEP)Yes[SEP](CLS) (link) me"]


def test_of_a_long_question_the_end_is_read_and_of_a_long_line_the_beginning(stub: Stub) -> None:
    stub.answer = embeddings([0.0])
    Reranker(stub.port).scores("Dear all, " * 100 + "how much?", ["It is 5 EUR. " * 100], 5)
    question, line = stub.asked[0][1]["input"][0].split("[SEP]")
    assert question.endswith("how much?")
    assert line.startswith("It is 5 EUR.")
    assert (len(question), len(line)) == (LONGEST_QUESTION, LONGEST_LINE)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, b"{}"),
        (200, b"no JSON"),
        (200, b"[]"),
        (200, b'{"data": []}'),
        (200, embeddings([1.0])),
        (200, b'[{"index": 0, "embedding": []}, {"index": 1, "embedding": [["x"]]}]'),
    ],
)
def test_no_scores_are_told_where_none_came(stub: Stub, status: int, answer: bytes) -> None:
    stub.status, stub.answer = status, answer
    failures: list[None] = []
    reranker = Reranker(stub.port, lambda: failures.append(None))
    assert reranker.scores("q", ["a", "b"], 5) is None
    assert len(failures) == 1


def test_one_that_hangs_is_left_in_time(stub: Stub) -> None:
    stub.hangs = True
    assert Reranker(stub.port).scores("q", ["a"], 0.2) is None


def test_after_a_failure_it_is_left_alone_for_a_while(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("va_assistant.reranker.time.monotonic", lambda: now)
    failures: list[None] = []
    reranker = Reranker(stub.port, lambda: failures.append(None))
    stub.status, stub.answer = 500, b""
    assert reranker.scores("q", ["a"], 5) is None
    stub.status, stub.answer = 200, embeddings([1.0])
    now += SKIP_SECONDS - 1
    assert reranker.scores("q", ["a"], 5) is None
    assert (len(stub.asked), len(failures)) == (1, 2)
    now += 1
    assert reranker.scores("q", ["a"], 5) == [1.0]


def test_one_that_had_no_time_is_asked_again_at_once(stub: Stub) -> None:
    stub.hangs = True
    reranker = Reranker(stub.port)
    assert reranker.scores("q", ["a"], 0.1) is None
    stub.hangs, stub.answer = False, embeddings([1.0])
    assert reranker.scores("q", ["a"], 5) == [1.0]


def test_no_more_than_some_are_read_at_once_and_others_wait_for_their_turn(stub: Stub) -> None:
    stub.hangs, stub.answer = True, embeddings([1.0])
    reranker = Reranker(stub.port)
    found: list[list[float] | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(reranker.scores("q", ["a"], 20)))
        for _ in range(MOST_AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(stub.asked) == MOST_AT_ONCE)
    assert reranker.scores("q", ["a"], 0.2) is None
    assert len(stub.asked) == MOST_AT_ONCE
    last = threading.Thread(target=lambda: found.append(reranker.scores("q", ["a"], 20)))
    last.start()
    stub.released.set()
    for thread in (*threads, last):
        thread.join()
    assert found == [[1.0]] * (MOST_AT_ONCE + 1)


def test_those_that_wait_do_without_once_one_has_failed(
    stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.hangs, stub.status = True, 500
    reranker = Reranker(stub.port)
    found: list[list[float] | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(reranker.scores("q", ["a"], 20)))
        for _ in range(MOST_AT_ONCE + 4)
    ]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(stub.asked) == MOST_AT_ONCE)
    stub.released.set()
    for thread in threads:
        thread.join()
    assert found == [None] * (MOST_AT_ONCE + 4)
    assert len(stub.asked) == MOST_AT_ONCE
    assert capsys.readouterr().out.count("reranker failing") == 1


def test_one_that_is_not_there_is_told() -> None:
    failures: list[None] = []
    (port,) = free_ports(1)
    assert Reranker(port, lambda: failures.append(None)).scores("q", ["a"], 5) is None
    assert len(failures) == 1
