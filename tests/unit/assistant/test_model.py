"""How a model is asked, against a server that does as it is told."""

import errno
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import openai
import pytest

from support.openai_stub import RIGHT_KEY, Stub, Turn, black_hole, error
from va_assistant.deadlines import Deadline
from va_assistant.errors import AskerLeft, Failure, Reason
from va_assistant.keys import GivenKey, KeyFile, KeySource, NoKey
from va_assistant.model import Model
from va_assistant.prompt import Query, build_prompt
from va_assistant.revision import ContextFile, Provider, Revision, model_settings
from va_assistant.transport import _Connection

QUESTION = Query(question="Which instrument is it, a cello?")
ANSWER = "Ada plays the cello."
MADE: list[Model] = []


def model(
    base_url: str | None,
    key: KeySource | None = None,
    *,
    provider: Provider = Provider.OPENAI,
    **more: Any,
) -> Model:
    settings = model_settings(
        provider=provider, name=more.pop("name", "stub"), base_url=base_url, **more
    )
    revision = Revision(
        name="r",
        instructions=None,
        files=(ContextFile(name="cv.md", text=ANSWER),),
        model=settings,
    )
    made = Model(settings, build_prompt(revision, revision.model), key or GivenKey(RIGHT_KEY))
    MADE.append(made)
    return made


@pytest.fixture(autouse=True)
def _close_connections() -> Iterator[None]:
    yield
    while MADE:
        MADE.pop().close()


def deadline(seconds: float = 5, gap: float = 5) -> Deadline:
    return Deadline.after(seconds, gap=gap)


def failure_of(of: Model, seconds: float = 5, *, stream: bool = False) -> Failure:
    ask = of.stream if stream else of.answer
    with pytest.raises(Failure) as failure:
        consume(ask(QUESTION, deadline(seconds)))
    return failure.value


def consume(answer: object) -> None:
    """Take all pieces of a stream; a whole answer is there already."""
    if isinstance(answer, Iterator):
        for _ in answer:
            pass


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@contextmanager
def talking(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Yield the URL of a server that talks over each connection in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    sock, _ = server.accept()
                    threading.Thread(target=talk, args=(sock,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


def read_request(sock: socket.socket) -> None:
    with sock.makefile("rb") as reading:
        length = 0
        while (line := reading.readline().lower()) not in {b"", b"\r\n"}:
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        reading.read(length)


@contextmanager
def resetting() -> Iterator[str]:
    """A server that answers once on each connection, and resets it when it is used again."""
    body = json.dumps({"choices": [{"message": {"content": ANSWER}, "finish_reason": "stop"}]})
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"

    def talk(sock: socket.socket) -> None:
        with sock:
            read_request(sock)
            sock.sendall((head + body).encode())
            sock.recv(1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with talking(talk) as url:
        yield url


@contextmanager
def answering_then(said: bytes) -> Iterator[tuple[str, list[int]]]:
    """A server that answers the first question on its first connection, then says this and leaves.

    Yields its URL and the questions that came.
    """
    body = json.dumps({"choices": [{"message": {"content": ANSWER}, "finish_reason": "stop"}]})
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
    asked: list[int] = []

    def talk(sock: socket.socket) -> None:
        with sock:
            read_request(sock)
            asked.append(len(asked))
            if len(asked) == 1:
                sock.sendall((head + body).encode())
                read_request(sock)
                asked.append(len(asked))
            sock.sendall(said)

    with talking(talk) as url:
        yield url, asked


@contextmanager
def flooding(said: bytes, without_end: bytes) -> Iterator[str]:
    """A server that never stops."""

    def talk(sock: socket.socket) -> None:
        with sock, suppress(OSError):
            read_request(sock)
            sock.sendall(said)
            while True:
                sock.sendall(without_end)

    with talking(talk) as url:
        yield url


@contextmanager
def open_ended() -> Iterator[str]:
    """A server that says `[DONE]` and leaves its response open."""
    over = threading.Event()
    choice = {"delta": {"content": "Ada."}, "finish_reason": "stop"}
    said = f"data: {json.dumps({'choices': [choice]})}\n\ndata: [DONE]\n\n"

    def talk(sock: socket.socket) -> None:
        with sock:
            read_request(sock)
            head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            sock.sendall(f"{head}{len(said):x}\r\n{said}\r\n".encode())
            over.wait(20)

    with talking(talk) as url:
        try:
            yield url
        finally:
            over.set()


def test_an_answer_comes_from_the_context(stub: Stub) -> None:
    answer = model(stub.url).answer(QUESTION, deadline())
    assert answer.text == ANSWER
    assert answer.finish_reason == "stop"
    assert answer.usage
    [exchange] = stub.log
    assert exchange.key == RIGHT_KEY
    assert exchange.body["messages"][-1] == {"role": "user", "content": QUESTION.question}


def test_a_stream_is_the_same_answer_in_pieces(stub: Stub) -> None:
    *pieces, last = model(stub.url).stream(QUESTION, deadline())
    assert "".join(piece.text for piece in pieces) == ANSWER
    assert len(pieces) > 1
    assert last.finish_reason == "stop"


def test_only_what_is_set_is_sent(stub: Stub) -> None:
    model(stub.url).answer(QUESTION, deadline())
    assert set(stub.log[0].body) == {"model", "messages"}


def test_a_compatible_server_gets_the_limit_under_its_old_name(stub: Stub) -> None:
    model(stub.url, max_tokens=7, temperature=0.5).answer(QUESTION, deadline())
    body = stub.log[0].body
    assert body["max_tokens"] == 7
    assert body["temperature"] == 0.5
    assert "max_completion_tokens" not in body


def test_openai_itself_gets_the_limit_under_its_new_name(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("va_assistant.revision.OPENAI_URL", stub.url)
    asked = model(None, max_tokens=7)
    asked.answer(QUESTION, deadline())
    list(asked.stream(QUESTION, deadline()))
    whole, streamed = (exchange.body for exchange in stub.log)
    assert whole["max_completion_tokens"] == 7
    assert "max_tokens" not in whole
    assert streamed["stream_options"] == {"include_usage": True}


def test_the_embedded_model_is_asked_at_temperature_0_with_a_limit(stub: Stub) -> None:
    stub.keys = None
    embedded = model(stub.url, NoKey(), provider=Provider.EMBEDDED)
    *_, last = embedded.stream(QUESTION, deadline())
    body = stub.log[0].body
    assert body["temperature"] == 0
    assert body["max_tokens"] > 0
    assert last.usage
    assert last.usage.prompt > 0


def test_without_a_key_no_key_is_sent(stub: Stub) -> None:
    stub.keys = None
    model(stub.url, NoKey()).answer(QUESTION, deadline())
    assert stub.log[0].key is None


def test_the_environment_of_other_tools_changes_nothing(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    model(stub.url).answer(QUESTION, deadline())
    assert stub.log[0].key == RIGHT_KEY


def test_a_request_has_the_head_that_openai_s_own_client_writes(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-ada")
    model(stub.url).answer(QUESTION, deadline())
    body = {"model": "stub", "messages": stub.log[0].body["messages"]}
    with openai.OpenAI(api_key=RIGHT_KEY, base_url=stub.url, max_retries=0) as client:
        client.chat.completions.create(**body)
    ours, theirs = ({k.lower(): v for k, v in one.headers.items()} for one in stub.log)
    assert ours["openai-organization"] == "org-of-ada"
    differ = {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}
    # The connection's own, and the time limit that differs from question to question.
    assert differ <= {
        "accept-encoding", "connection", "content-length", "x-stainless-read-timeout",
    }  # fmt: skip


def test_each_question_brings_the_key_of_its_moment(stub: Stub, tmp_path: Path) -> None:
    stub.keys = None
    file = tmp_path / "apiKey"
    asked = model(stub.url, KeyFile(file))
    for key in ("sk-first", "sk-second", "sk-first"):
        file.write_text(key)
        asked.answer(QUESTION, deadline())
    assert [exchange.key for exchange in stub.log] == ["sk-first", "sk-second", "sk-first"]


@pytest.mark.parametrize("where", ["/v2", "ftp://elsewhere", "http://[", ""])
def test_a_redirection_is_refused_wherever_it_leads(stub: Stub, where: str) -> None:
    stub.default = Turn(status=307, headers={"Location": where})
    failure = failure_of(model(stub.url))
    assert failure.reason is Reason.REQUEST_REFUSED
    assert "redirection" in failure.message


def test_a_connection_is_used_again(stub: Stub) -> None:
    asked = model(stub.url)
    for _ in range(3):
        asked.answer(QUESTION, deadline())
        list(asked.stream(QUESTION, deadline()))
    assert stub.connections == 1


def test_one_that_waited_for_long_is_not(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies between may have forgotten it, and would swallow the question."""
    monkeypatch.setattr("va_assistant.transport.IDLE_SECONDS", 0.0)
    asked = model(stub.url)
    for _ in range(2):
        asked.answer(QUESTION, deadline())
    assert stub.connections == 2
    assert not asked._transport._idle


def test_one_that_breaks_when_it_is_used_again_costs_no_question() -> None:
    """The next from the pool would be as dead: a new one is made."""
    with resetting() as url:
        asked = model(url)
        for _ in range(3):
            assert asked.answer(QUESTION, deadline()).text == ANSWER


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"]
)
def test_one_that_breaks_once_it_began_to_answer_is_asked_no_second_time(said: bytes) -> None:
    """The server has the question: it may answer, and charge, twice."""
    with answering_then(said) as (url, came):
        asked = model(url)
        assert asked.answer(QUESTION, deadline()).text == ANSWER
        assert failure_of(asked).reason is Reason.CONNECTION_LOST
        assert len(came) == 2


def test_a_new_connection_that_breaks_is_a_failure_at_once(stub: Stub) -> None:
    stub.turns(Turn(cut_at=0))
    assert failure_of(model(stub.url)).reason is Reason.CONNECTION_LOST
    assert len(stub.log) == 1


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has it")
def test_what_nobody_confirms_is_not_waited_for(stub: Stub) -> None:
    asked = model(stub.url)
    asked.answer(QUESTION, deadline())
    [idle] = asked._transport._idle
    unheard = idle._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert 0 < unheard <= 15_000


def test_a_response_that_stays_open_after_its_end_keeps_nobody_waiting() -> None:
    with open_ended() as url:
        started = time.monotonic()
        pieces = list(model(url).stream(QUESTION, deadline(10, gap=10)))
    assert "".join(piece.text for piece in pieces) == "Ada."
    assert time.monotonic() - started < 3


def test_a_dead_address_leaves_time_for_the_next(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    with black_hole() as port:
        found = [(*kind, ("127.0.0.1", port)), (*kind, ("127.0.0.1", stub.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        monkeypatch.setattr("va_assistant.deadlines.CONNECT_SECONDS", 2.0)
        asked = model("http://two.invalid/v1")
        assert asked.answer(QUESTION, deadline(20)).text == ANSWER


def test_a_connection_that_the_server_has_closed_is_not(stub: Stub) -> None:
    stub.turns(Turn(headers={"Connection": "close"}))
    asked = model(stub.url)
    for _ in range(2):
        asked.answer(QUESTION, deadline())
    assert len(stub.log) == 2
    assert stub.connections == 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("stub-401", Reason.KEY_REFUSED),
        ("stub-403", Reason.KEY_REFUSED),
        ("stub-404", Reason.MODEL_NOT_FOUND),
        ("stub-400", Reason.REQUEST_REFUSED),
        ("stub-too-long", Reason.CONTEXT_TOO_LARGE),
        ("stub-429", Reason.RATE_LIMITED),
        ("stub-quota", Reason.RATE_LIMITED),
        ("stub-500", Reason.UPSTREAM_ERROR),
        ("stub-503", Reason.UPSTREAM_ERROR),
        ("stub-filter", Reason.UPSTREAM_ERROR),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_every_refusal_has_its_reason_and_is_asked_for_once(
    stub: Stub, name: str, reason: Reason, stream: bool
) -> None:
    assert failure_of(model(stub.url, name=name), stream=stream).reason is reason
    assert len(stub.log) == 1


@pytest.mark.parametrize("position", range(5))
def test_a_stream_that_is_cut_ends_with_a_failure_and_is_not_begun_anew(
    stub: Stub, position: int
) -> None:
    stub.default = Turn(pieces=4, cut_at=position)
    pieces = model(stub.url).stream(QUESTION, deadline())
    with pytest.raises(Failure) as failure:
        consume(pieces)
    assert failure.value.reason is Reason.CONNECTION_LOST
    assert len(stub.log) == 1


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        (Turn(pieces=4, malformed_at=2), Reason.UPSTREAM_ERROR),
        (Turn(pieces=4, finish_reason=None, done=False), Reason.CONNECTION_LOST),
        (
            Turn(pieces=4, error_at=2, error={"message": "slow", "code": "rate_limit_exceeded"}),
            Reason.RATE_LIMITED,
        ),
        (Turn(pieces=4, finish_reason="content_filter"), Reason.UPSTREAM_ERROR),
        (Turn(text=""), Reason.UPSTREAM_ERROR),
    ],
)
def test_a_stream_that_goes_wrong_says_so(stub: Stub, turn: Turn, reason: Reason) -> None:
    stub.default = turn
    assert failure_of(model(stub.url), stream=True).reason is reason


def test_a_stream_may_be_cut_into_any_bytes(stub: Stub) -> None:
    stub.default = Turn(text="Ünïcode \U0001f41d bees", split=1)
    pieces = list(model(stub.url).stream(QUESTION, deadline()))
    assert "".join(piece.text for piece in pieces) == "Ünïcode \U0001f41d bees"


def test_an_answer_that_its_limit_cut_says_so(stub: Stub) -> None:
    asked = model(stub.url, max_tokens=2)
    answer = asked.answer(QUESTION, deadline())
    assert (answer.text, answer.finish_reason) == ("Ada plays", "length")


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_its_limit_cut_to_nothing_is_none(stub: Stub, stream: bool) -> None:
    stub.default = Turn(text="", finish_reason="length")
    assert failure_of(model(stub.url), stream=stream).reason is Reason.UPSTREAM_ERROR


@pytest.mark.parametrize(
    ("turn", "stream"),
    [
        (Turn(delay=-1), False),
        (Turn(delay=-1), True),
        (Turn(hang_at=1), True),
        (Turn(pieces=1000, piece_delay=0.01), True),
    ],
    ids=["silence", "silence, streamed", "silence midway", "a stream without end"],
)
def test_one_deadline_covers_the_whole_question(stub: Stub, turn: Turn, stream: bool) -> None:
    stub.default = turn
    started = time.monotonic()
    assert failure_of(model(stub.url), 0.4, stream=stream).reason is Reason.TIMEOUT
    assert time.monotonic() - started < 2


def test_a_silent_server_is_a_time_out_and_its_connection_is_closed(stub: Stub) -> None:
    stub.default = Turn(delay=-1)
    assert failure_of(model(stub.url), 0.2).reason is Reason.TIMEOUT
    stub.wait_for(lambda: stub.log[0].client_left)
    assert len(stub.log) == 1


def test_silence_inside_a_stream_has_a_limit_of_its_own(stub: Stub) -> None:
    stub.default = Turn(pieces=4, hang_at=2)
    started = time.monotonic()
    with pytest.raises(Failure) as failure:
        list(model(stub.url).stream(QUESTION, deadline(30, gap=0.2)))
    assert failure.value.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 5


def test_silence_before_the_first_piece_has_not(stub: Stub) -> None:
    stub.default = Turn(delay=0.3)
    assert list(model(stub.url).stream(QUESTION, deadline(30, gap=0.1)))


def test_a_whole_answer_that_drips_is_held_to_the_deadline() -> None:
    """A byte now and then keeps every single read alive, but not the question."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            sock, _ = server.accept()
            with sock, suppress(OSError):
                sock.recv(65536)
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while True:
                    sock.sendall(b" ")
                    time.sleep(0.02)  # a slow server, not a wait

        thread = threading.Thread(target=drip)
        thread.start()
        started = time.monotonic()
        failure = failure_of(model(f"http://127.0.0.1:{server.getsockname()[1]}/v1"), 0.4)
        thread.join()
    assert failure.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 2


def test_what_has_come_is_not_read_after_the_deadline(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """A server that sends faster than we read would hold the question for ever."""
    ours, theirs = pair
    theirs.sendall(b"x")
    with pytest.raises(Failure) as failure:
        _Connection(ours, None, deadline(0), None).receive()
    assert failure.value.reason is Reason.TIMEOUT


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"]
)
def test_heads_without_end_are_not_read_until_the_deadline(said: bytes) -> None:
    without_end = b"X: y\r\n" if said else b"HTTP/1.1 103 Early Hints\r\n\r\n"
    with flooding(said, without_end * 1000) as url:
        failure = failure_of(model(url), seconds=20)
    assert failure.reason in {Reason.UPSTREAM_ERROR, Reason.CONNECTION_LOST}


def test_closing_a_stream_closes_the_connection(stub: Stub) -> None:
    stub.default = Turn(pieces=1000, piece_delay=0.01)
    pieces = model(stub.url).stream(QUESTION, deadline(30))
    next(pieces)
    pieces.close()
    stub.wait_for(lambda: stub.log[0].client_left, 1)


@pytest.mark.parametrize("turn", [Turn(delay=-1), Turn(hang_at=1)])
def test_an_asker_who_leaves_ends_the_call(
    stub: Stub, turn: Turn, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    stub.default = turn

    def leave() -> None:
        stub.wait_for(lambda: bool(stub.log))
        theirs.close()

    threading.Thread(target=leave).start()
    with pytest.raises(AskerLeft):
        list(model(stub.url).stream(QUESTION, deadline(30), ours))
    stub.wait_for(lambda: stub.log[0].client_left, 1)


def test_an_asker_who_sends_more_has_not_left(
    stub: Stub, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    stub.default = Turn(delay=0.1)
    theirs.sendall(b"POST / HTTP/1.1\r\n")
    assert model(stub.url).answer(QUESTION, deadline(), ours).text == ANSWER


def test_nobody_listens(stub: Stub) -> None:
    asked = model(stub.url)
    stub.stop()
    assert failure_of(asked).reason is Reason.CONNECTION_REFUSED


def test_a_name_that_does_not_resolve() -> None:
    asked = model("http://nobody.invalid/v1")
    assert failure_of(asked).reason is Reason.HOST_NOT_FOUND


@pytest.mark.parametrize(
    "url",
    [
        "http://host:abc/v1",
        "http://host:99999/v1",
        "http://ü..x/v1",
        "http://[::1/v1",
        "http:///v1",
        "ftp://host/v1",
        "host/v1",
        f"http://{'a' * 64}.example/v1",
    ],
)
def test_a_url_that_is_none(url: str) -> None:
    asked = model(url)
    failure = failure_of(asked)
    assert failure.reason is Reason.HOST_NOT_FOUND
    assert failure.state == "Failed"
    assert "\n" not in failure.message
    with pytest.raises(Failure):
        asked.try_out(deadline())


def test_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def search(*_: object, **__: object) -> list[object]:
        released.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", search)
    started = time.monotonic()
    assert failure_of(model("http://slow.invalid/v1"), 0.2).reason is Reason.HOST_NOT_FOUND
    assert time.monotonic() - started < 2
    released.set()


def test_a_host_that_swallows_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("va_assistant.deadlines.CONNECT_SECONDS", 0.2)
    with black_hole() as port:
        started = time.monotonic()
        failure = failure_of(model(f"http://127.0.0.1:{port}/v1"), 30)
    assert failure.reason is Reason.CONNECTION_REFUSED
    assert time.monotonic() - started < 3


def test_a_server_without_tls(stub: Stub) -> None:
    asked = model(stub.url.replace("http:", "https:"))
    assert failure_of(asked).reason is Reason.TLS_FAILED


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\x01\x02\r\n\r\n", b"HTTP/1.1 200 OK\r\nX\r\n"]
)
def test_a_server_that_speaks_something_else(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            sock, _ = server.accept()
            with sock:
                sock.recv(65536)
                sock.sendall(said)

        talking = threading.Thread(target=talk, daemon=True)
        talking.start()
        failure = failure_of(model(f"http://127.0.0.1:{server.getsockname()[1]}/v1"))
        talking.join(timeout=10)
    assert failure.reason in {Reason.UPSTREAM_ERROR, Reason.CONNECTION_LOST}


@pytest.mark.parametrize("encoding", ["gzip", "gz\xefp", "identity, gzip"])
@pytest.mark.parametrize("how", ["answer", "stream", "try_out"])
def test_an_encoding_that_was_not_asked_for_is_the_model_s_fault(
    stub: Stub, how: str, encoding: str
) -> None:
    """None is unpacked: a few bytes can become more than the memory holds."""
    stub.default = Turn(headers={"Content-Encoding": encoding})
    asked = model(stub.url)
    with pytest.raises(Failure) as failure:
        asked.try_out(deadline()) if how == "try_out" else consume(
            getattr(asked, how)(QUESTION, deadline())
        )
    assert failure.value.reason is Reason.UPSTREAM_ERROR
    assert "Content-Encoding" in failure.value.message
    assert failure.value.about_model


@pytest.mark.parametrize(
    ("status", "reason"), [(401, Reason.KEY_REFUSED), (429, Reason.RATE_LIMITED)]
)
def test_an_encoded_error_is_the_one_that_its_status_says(
    stub: Stub, status: int, reason: Reason
) -> None:
    stub.default = Turn(status=status, headers={"Content-Encoding": "gzip"})
    assert failure_of(model(stub.url)).reason is reason


def test_an_answer_may_say_that_it_is_not_encoded(stub: Stub) -> None:
    stub.default = Turn(headers={"Content-Encoding": "Identity"})
    assert model(stub.url).answer(QUESTION, deadline()).text


@pytest.mark.parametrize(
    "content_type", [b"text/html; charset=\x00", b"application/json; x=\xe9", b"\xff"]
)
def test_an_error_of_an_odd_type_is_the_one_that_its_status_says(content_type: bytes) -> None:
    body = b'{"error": {"message": "slow down"}}'
    head = b"HTTP/1.1 429 X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"

    def talk(sock: socket.socket) -> None:
        with sock:
            read_request(sock)
            sock.sendall(head % (content_type, len(body)) + body)

    with talking(talk) as url:
        failure = failure_of(model(url))
    assert (failure.reason, failure.message) == (
        Reason.RATE_LIMITED, "the provider answered 429: slow down",
    )  # fmt: skip


def test_the_head_of_another_thread_s_key_is_never_taken(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where another thread keeps the head of its own key right after this one did."""
    asked = model(stub.url)
    meanwhile = ["sk-other"]

    def interrupted(self: Model, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if name == "_head" and meanwhile:
            self._head_for(meanwhile.pop())

    monkeypatch.setattr(Model, "__setattr__", interrupted)
    assert b"Bearer sk-one" in asked._head_for("sk-one")
    assert b"Bearer sk-other" in asked._head_for("sk-other")


@pytest.mark.parametrize(
    ("module", "name", "error"),
    [
        (socket, "socket", OSError(errno.EMFILE, "Too many open files")),
        (socket, "socket", OSError(errno.EAFNOSUPPORT, "Address family not supported")),
        (threading.Thread, "start", RuntimeError("can't start new thread")),
    ],
)
def test_what_the_node_lacks_is_a_failure_of_the_model(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, module: object, name: str, error: Exception
) -> None:
    def lack(*_: object, **__: object) -> None:
        raise error

    asked = model(stub.url)
    with monkeypatch.context() as patched:
        patched.setattr(module, name, lack)
        failure = failure_of(asked)
    assert failure.about_model
    assert str(error.args[-1]) in failure.message
    assert asked.answer(QUESTION, deadline()).text == ANSWER


def test_a_key_that_was_changed_is_used_without_a_failed_answer(stub: Stub, tmp_path: Path) -> None:
    file = tmp_path / "apiKey"
    file.write_text("sk-old")
    stub.keys = {"sk-old", "sk-new"}
    asked = model(stub.url, KeyFile(file))
    asked.answer(QUESTION, deadline())
    file.write_text("sk-new")
    asked.answer(QUESTION, deadline())
    stub.keys = {"sk-new"}
    asked.answer(QUESTION, deadline())
    assert [exchange.key for exchange in stub.log] == ["sk-old", "sk-new", "sk-new"]


def test_a_key_that_is_changed_while_it_is_refused_is_tried_at_once(
    stub: Stub, tmp_path: Path
) -> None:
    file = tmp_path / "apiKey"
    file.write_text("sk-old")
    stub.keys = {"sk-new"}

    class Late(KeyFile):
        """Changes after the first look at it."""

        def read(self) -> str | None:
            key = super().read()
            file.write_text("sk-new")
            return key

    assert model(stub.url, Late(file)).answer(QUESTION, deadline()).text == ANSWER
    assert [exchange.key for exchange in stub.log] == ["sk-old", "sk-new"]


def test_a_missing_key_asks_nobody(stub: Stub, tmp_path: Path) -> None:
    asked = model(stub.url, KeyFile(tmp_path / "apiKey"))
    assert failure_of(asked).reason is Reason.KEY_MISSING
    assert not stub.log


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "turn",
    [
        error(400, f"no, {RIGHT_KEY} may not"),
        error(403, f"{RIGHT_KEY} may not"),
        error(500, "x" * 290 + f" {RIGHT_KEY}"),
        Turn(error_at=1, error={"message": f"key {RIGHT_KEY} expired"}),
        Turn(raw=f'{{"error": {{"message": "{RIGHT_KEY}"}}}}'),
    ],
)
def test_no_failure_quotes_the_key(stub: Stub, turn: Turn, stream: bool) -> None:
    stub.default = turn
    failure = failure_of(model(stub.url), stream=stream or turn.error_at is not None)
    assert "sk-r" not in failure.message
    assert len(failure.message) <= 300


@pytest.mark.parametrize("status", [400, 403, 500])
@pytest.mark.parametrize("trial", [False, True])
def test_no_failure_quotes_the_prompt(stub: Stub, status: int, trial: bool) -> None:
    stub.default = error(status, "all that was sent", obeys=True)
    asked = model(stub.url)
    with pytest.raises(Failure) as failure:
        asked.try_out(deadline()) if trial else asked.answer(QUESTION, deadline())
    assert failure.value.message == "what the provider said of it quotes what it was sent"


def test_a_trial_asks_for_one_token_with_the_whole_prompt(stub: Stub) -> None:
    tokens = model(stub.url, max_tokens=500).try_out(deadline())
    body = stub.log[0].body
    assert body["max_tokens"] == 1
    assert ANSWER in body["messages"][0]["content"]
    assert tokens
    assert tokens > 0


@pytest.mark.parametrize(
    "turn",
    [
        Turn(text="", finish_reason="length"),
        Turn(text="", null=True, finish_reason="length"),
        error(400, "max_tokens or model output limit was reached. Try again with higher"),
    ],
)
def test_a_trial_is_content_with_an_answer_cut_to_nothing(stub: Stub, turn: Turn) -> None:
    stub.default = turn
    model(stub.url).try_out(deadline())
