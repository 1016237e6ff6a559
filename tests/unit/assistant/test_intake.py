"""How requests come in: in pieces, slowly, too long, many at once, half, or never."""

import os
import resource
import selectors
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from support.openai_stub import Stub, Turn
from support.serving import Served, rest_of, serve, wait_for
from va_assistant import server

QUESTION = "Which instrument is it, a cello?"
ANSWER = b"Ada plays the cello in a string quartet."
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
ONE = POST + b"Content-Length: 6\r\n\r\ncello?"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
HALF_HEAD = POST + b"Content-Le"
HALF_BODY = POST + b"Content-Length: 100\r\n\r\nWhich"
HALF_CHUNKS = CHUNKED + b"5\r\nWhich\r\n5\r\n"
STREAM = ONE.replace(b"Host: a", b"Host: a\r\nAccept: text/event-stream")
HEALTH = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"

RECEIVE_SECONDS = 4.0
TICK_SECONDS = 1.0
"""How often the server looks for those whose time is over."""


@contextmanager
def impatient(
    folder: Path, stub: Stub, *, changes: str = "", **environment: str
) -> Iterator[Served]:
    """An assistant that waits for requests a shorter while; `changes` are more of its constants."""
    code = (
        "from va_assistant import intake, server\n"
        f"intake.RECEIVE_SECONDS = {RECEIVE_SECONDS}\n{changes}\n"
        "from va_assistant.main import main; main()"
    )
    names = {f"VA_ASSISTANT_{name}": value for name, value in environment.items()}
    with serve(folder, stub, code=code, environment=names) as served:
        served.wait_until_ready()
        yield served


def half_sent(stack: ExitStack, served: Served, count: int, *parts: bytes) -> list[socket.socket]:
    """Clients that have sent a part of a request, each of the given ones in turn."""
    found = []
    for number in range(count):
        sock = stack.enter_context(served.connect())
        sock.sendall(parts[number % len(parts)])
        found.append(sock)
    return found


def replies_until_closed(
    clients: list[socket.socket], within: float
) -> dict[socket.socket, tuple[float, bytes]]:
    """Return when each connection was closed and what had come; fails if one is not in time."""
    received = dict.fromkeys(clients, b"")
    closed: dict[socket.socket, tuple[float, bytes]] = {}
    ends = time.monotonic() + within
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ, client)
        while len(closed) < len(clients):
            assert time.monotonic() < ends, f"{len(clients) - len(closed)} are still open"
            for key, _ in selector.select(0.1):
                sock: socket.socket = key.data
                if part := sock.recv(65536):
                    received[sock] += part
                else:
                    closed[sock] = time.monotonic(), received[sock]
                    selector.unregister(sock)
    return closed


def seconds_to_answer(served: Served) -> float:
    started = time.monotonic()
    assert served.ask(QUESTION).text.encode() == ANSWER + b"\n"
    return time.monotonic() - started


def threads(served: Served) -> int:
    return len(os.listdir(f"/proc/{served.process.pid}/task"))  # noqa: PTH208


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_answer(sock: socket.socket, end: bytes = ANSWER + b"\n") -> bytes:
    received = b""
    while not received.endswith(end):
        part = sock.recv(65536)
        assert part, received
        received += part
    return received


def test_half_sent_requests_hold_nobody_up_and_are_cut_off(stub: Stub, tmp_path: Path) -> None:
    """More than there are threads, by far, of each kind."""
    with impatient(tmp_path, stub) as served, ExitStack() as stack:
        quiet = statistics.median(seconds_to_answer(served) for _ in range(20))
        before = threads(served)
        started = time.monotonic()
        clients = half_sent(stack, served, 800, HALF_HEAD, HALF_BODY, HALF_HEAD, HALF_CHUNKS)
        sent = time.monotonic()
        assert sent - started < RECEIVE_SECONDS - 1, "it is too slow to say anything"
        asked = []
        while time.monotonic() < started + RECEIVE_SECONDS - 0.5:
            asked.append(seconds_to_answer(served))
            wait_for(lambda: "questions_in_flight 0.0" in served.probe("/metrics").text, 1)
        # The pool makes a thread where none is idle at that moment.
        assert threads(served) <= before + 2
        closed = replies_until_closed(clients, RECEIVE_SECONDS + 2 * TICK_SECONDS + 2)
        assert served.ask(QUESTION).status == 200
        metrics = served.probe("/metrics").text
    assert len(asked) > 10
    assert statistics.median(asked) < 3 * quiet + 0.02, (quiet, sorted(asked))
    assert max(asked) < RECEIVE_SECONDS / 2
    for ended, reply in closed.values():
        assert started + RECEIVE_SECONDS <= ended < sent + RECEIVE_SECONDS + TICK_SECONDS + 1
        assert reply.startswith(b"HTTP/1.1 408 ")
        assert reply.endswith(b"TooSlow: the request did not come in time\n")
    assert 'va_assistant_turned_away_total{reason="TooSlow"} 800.0' in metrics
    assert 'result="left"' not in metrics, "nobody knows whether it was a question"


def test_a_request_that_trickles_is_cut_off_too(stub: Stub, tmp_path: Path) -> None:
    with impatient(tmp_path, stub) as served, served.connect() as head, served.connect() as body:
        started = time.monotonic()
        body.sendall(HALF_BODY)
        replies = {head: b"", body: b""}
        pieces = iter(POST + b"X: " + b"y" * 1000)
        open_ = set(replies)
        while open_:
            assert time.monotonic() < started + RECEIVE_SECONDS + 3
            piece = bytes([next(pieces)])
            for sock in list(open_):
                sock.settimeout(0.1)
                with suppress(ConnectionError):
                    sock.send(piece)
                try:
                    part = sock.recv(65536)
                except TimeoutError:
                    continue
                replies[sock] += part
                if not part:
                    open_.remove(sock)
        assert time.monotonic() - started > RECEIVE_SECONDS - 0.5
        assert served.ask(QUESTION).status == 200
    assert all(reply.startswith(b"HTTP/1.1 408 ") for reply in replies.values())


def test_the_time_of_a_request_begins_with_its_first_byte(stub: Stub, tmp_path: Path) -> None:
    """Browsers connect before they have anything to ask."""
    with impatient(tmp_path, stub) as served, served.connect() as sock:
        sock.settimeout(0.75 * RECEIVE_SECONDS)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.sendall(ONE[:10])
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.sendall(ONE[10:])
        assert read_answer(sock).startswith(b"HTTP/1.1 200 ")


def test_clients_that_say_nothing_hold_no_thread(stub: Stub, tmp_path: Path) -> None:
    with impatient(tmp_path, stub, MAX_QUESTIONS="2") as served, ExitStack() as stack:
        silent = half_sent(stack, served, 200, b"")
        assert max(seconds_to_answer(served) for _ in range(5)) < 2
        silent[0].sendall(HEALTH)
        assert silent.pop(0).recv(4096).startswith(b"HTTP/1.1 200 ")
        closed = replies_until_closed(silent, RECEIVE_SECONDS + TICK_SECONDS + 2)
        assert {reply for _, reply in closed.values()} == {b""}


def test_one_connection_serves_many_questions_also_pipelined_and_in_pieces(shared: Served) -> None:
    with shared.connect() as sock:
        sock.sendall(ONE * 3 + ONE[:30])
        received = b""
        while received.count(ANSWER) < 3:
            received += sock.recv(65536)
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.settimeout(10)
        for start in range(30, len(ONE)):
            sock.sendall(ONE[start : start + 1])
        received += read_answer(sock)
        for _ in range(2):
            sock.sendall(ONE)
            received += read_answer(sock)
    assert received.count(b"HTTP/1.1 200 ") == received.count(ANSWER) == 6
    assert received.count(b"Connection: keep-alive") == 6


@pytest.mark.parametrize(
    "body",
    [
        b"6\r\ncello?\r\n0\r\n\r\n",
        b"1\r\nc\r\n5;a=b\r\nello?\r\n0\r\nX: y\r\n\r\n",
    ],
)
def test_a_body_may_come_in_chunks_and_the_next_request_after_it(
    shared: Served, body: bytes
) -> None:
    with shared.connect() as sock:
        for byte in CHUNKED + body:
            sock.sendall(bytes([byte]))
        first = read_answer(sock)
        sock.sendall(CHUNKED + body + ONE)
        second = read_answer(sock)
        while second.count(ANSWER) < 2:
            second += read_answer(sock)
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.count(b"HTTP/1.1 200 ") == 2


def test_a_long_body_comes_whole(shared: Served) -> None:
    body = b'{"question": "cello?", "x": "%b"}' % (b"x" * 390_000)
    reply = shared.ask(body, Content_Type="application/json")
    assert (reply.status, reply.json["answer"]) == (200, ANSWER.decode())


def test_whoever_waits_to_be_told_to_go_on_is_told_so(shared: Served) -> None:
    head = POST + b"Expect: 100-continue\r\nContent-Length: 6\r\n\r\n"
    with shared.connect() as sock:
        for _ in range(2):
            sock.sendall(head)
            assert sock.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
            sock.sendall(b"cello?")
            assert read_answer(sock).startswith(b"HTTP/1.1 200 ")
        # Who sends all of it need not be told.
        sock.sendall(head + b"cello?")
        assert read_answer(sock).startswith(b"HTTP/1.1 200 ")
    with shared.connect() as sock:
        sock.sendall(head.replace(b"Length: 6", b"Length: 65537"))
        refused = rest_of(sock)
    assert refused.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in refused


@pytest.mark.parametrize("length", [65_537, 100_000_000])
def test_a_question_that_says_it_is_too_long_is_refused_before_it_comes(
    shared: Served, length: int
) -> None:
    with shared.connect() as sock:
        sock.sendall(POST + f"Content-Length: {length}\r\n\r\n".encode())
        reply = rest_of(sock)
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"QuestionTooLarge: " in reply
    assert b"Connection: close" in reply


def test_a_question_in_chunks_is_refused_once_it_is_too_long(shared: Served) -> None:
    with shared.connect() as sock:
        sock.sendall(CHUNKED + (b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * 2)
        reply = rest_of(sock)
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"QuestionTooLarge: " in reply
    assert b"Connection: close" in reply


@pytest.mark.parametrize("path", [b"/", b"/openapi.json", b"/nope"])
def test_what_is_left_of_a_body_is_never_taken_for_a_request(shared: Served, path: bytes) -> None:
    head = b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
    with shared.connect() as sock:
        sock.sendall(head + HEALTH)
        reply = rest_of(sock)
    assert reply.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in reply


def test_not_even_where_its_end_was_seen_too_early(stub: Stub, tmp_path: Path) -> None:
    hasty = (
        "from va_assistant.framing import Stage\n"
        "intake.Incoming.take = lambda self, piece: self.received.extend(piece) or Stage.WHOLE"
    )
    with impatient(tmp_path, stub, changes=hasty) as served, served.connect() as sock:
        sock.sendall(HEALTH.replace(b"Host", b"Content-Length: 1000\r\nHost") + HEALTH)
        assert rest_of(sock).count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("line", [b"GET /health", b"POST /nope"])
@pytest.mark.parametrize("body", [b"1\r\nxZZ0\r\n\r\n", b"1;=\r\nx\r\n0\r\n\r\n"])
def test_one_request_has_one_response_also_where_its_body_turns_out_to_be_wrong(
    shared: Served, line: bytes, body: bytes
) -> None:
    with shared.connect() as sock:
        sock.sendall(line + b" HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        assert rest_of(sock).count(b"HTTP/1.1 ") == 1


def test_an_empty_line_between_requests_is_none(stub: Stub, tmp_path: Path) -> None:
    with impatient(tmp_path, stub) as served, served.connect() as sock:
        sock.sendall(ONE + b"\r\n")
        assert read_answer(sock).startswith(b"HTTP/1.1 200 ")
        sock.sendall(ONE)
        assert read_answer(sock).startswith(b"HTTP/1.1 200 ")
        sock.sendall(ONE + b"\r\n")
        assert read_answer(sock).startswith(b"HTTP/1.1 200 ")
        assert rest_of(sock) == b""


def test_a_request_for_which_no_thread_can_be_started_is_refused(
    stub: Stub, tmp_path: Path
) -> None:
    lacking = (
        "from concurrent.futures import ThreadPoolExecutor as Pool\n"
        "start = Pool._adjust_thread_count\n"
        "def refuse(pool):\n"
        "    Pool._adjust_thread_count = start\n"
        '    raise RuntimeError("can\'t start new thread")\n'
        "Pool._adjust_thread_count = refuse"
    )
    with impatient(tmp_path, stub, changes=lacking) as served:
        with served.connect() as sock:
            sock.sendall(ONE)
            refused = rest_of(sock)
        for _ in range(3):
            assert served.ask(QUESTION).status == 200
        metrics = served.probe("/metrics").text
        assert "Traceback" not in served.log()
        assert "can't start new thread" in served.log()
    assert refused.startswith(b"HTTP/1.1 503 ")
    assert refused.count(b"HTTP/1.1 ") == 1
    assert 'va_assistant_turned_away_total{reason="TooBusy"} 1.0' in metrics


def test_a_body_that_is_not_read_costs_nobody_the_answer(served: Served) -> None:
    head = POST + b"Content-Length: 104857600\r\n\r\n"
    for _ in range(10):
        with served.connect() as sock:
            sock.sendall(head + b"x" * 200_000)
            reply = rest_of(sock)
        assert reply.startswith(b"HTTP/1.1 413 ")
        assert b"QuestionTooLarge" in reply


@pytest.mark.parametrize(
    ("garbage", "status", "reason"),
    [
        (b"\x16\x03\x01\x02\x00", None, None),
        (b"GARBAGE\r\n\r\n", 400, "BadRequest"),
        (b"GET / HTTP/9.9\r\n\r\n", 400, "BadRequest"),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400, "BadRequest"),
        (POST + b"Content-Length: -1\r\n\r\n", 400, "BadRequest"),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400, "BadRequest"),
        (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0", 400, "BadRequest"),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 400, "BadRequest"),
        (CHUNKED + b"zz\r\n", 400, "BadRequest"),
        (CHUNKED + b"-5\r\nhello\r\n", 400, "BadRequest"),
        (CHUNKED + b"3\r\nWho??\r\n", 400, "BadRequest"),
        (CHUNKED + b"1\r\nx\r\n" * 20_000, 400, "BadRequest"),
        (POST + b"X: " + b"y" * 9_000 + b"\r\n\r\n", 431, "HeadTooLarge"),
        (POST + b"X: " + b"y" * 9_000_000, 431, "HeadTooLarge"),
        (POST + b"X: y\r\n" * 101 + b"\r\n", 431, "HeadTooLarge"),
        (POST + (b"X: " + b"y" * 6_000 + b"\r\n") * 6 + b"\r\n", 431, "HeadTooLarge"),
        (HEALTH[:-2] + (b"X: " + b"y" * 470 + b"\r\n") * 70 + b"\r\n", 431, "HeadTooLarge"),
        (b"GET /" + b"y" * 5_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "AddressTooLong"),
        (b"GET /" + b"y" * 9_000_000, 414, "AddressTooLong"),
    ],
)
def test_what_is_no_http_or_too_much_is_told_so_at_once(
    shared: Served, garbage: bytes, status: int | None, reason: str | None
) -> None:
    started = time.monotonic()
    with shared.connect() as sock:
        with suppress(ConnectionError):  # it is not read to its end
            sock.sendall(garbage)
        reply = rest_of(sock)
    assert time.monotonic() - started < 5
    if status is None:
        assert not reply
    else:
        head, _, line = reply.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status), head
        assert line.startswith(f"{reason}: ".encode())
        assert line.count(b"\n") == 1
        assert b"\r\nConnection: close" in head
        assert b"\r\nContent-Security-Policy: default-src 'none'" in head
    assert shared.ask(QUESTION).status == 200
    assert "Traceback" not in shared.log()


def test_a_fault_of_ours_in_reading_costs_one_connection(stub: Stub, tmp_path: Path) -> None:
    faulty = (
        "take = intake.Incoming.take\n"
        "def fail(self, piece):\n"
        "    if b'X-Fault' in piece: raise RuntimeError\n"
        "    return take(self, piece)\n"
        "intake.Incoming.take = fail"
    )
    with impatient(tmp_path, stub, changes=faulty) as served:
        with served.connect() as sock:
            sock.sendall(HEALTH.replace(b"Host", b"X-Fault: 1\r\nHost"))
            assert rest_of(sock) == b""
        assert served.ask(QUESTION).status == 200
    assert "RuntimeError" in served.log()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("start_response('200 OK', [('X-A', 'b\\x01')])", "InvalidResponseHeader"),
    ],
)
def test_a_fault_of_ours_in_serving_is_told_as_such(
    stub: Stub, tmp_path: Path, fault: str, error: str
) -> None:
    faulty = f"server.Server.load = lambda self: lambda environ, start_response: {fault}"
    with impatient(tmp_path, stub, changes=faulty) as served:
        reply = served.ask(QUESTION)
    assert reply.status == 500
    assert reply.text == "InternalError: something went wrong here; the log says what\n"
    assert error in served.log()


@pytest.mark.parametrize("part", [b"", HALF_HEAD, HALF_BODY, HALF_CHUNKS])
def test_whoever_ends_a_request_in_its_midst_is_let_go_at_once(served: Served, part: bytes) -> None:
    with served.connect() as sock:
        sock.sendall(part)
        sock.shutdown(socket.SHUT_WR)
        started = time.monotonic()
        rest_of(sock)
        assert time.monotonic() - started < 2
    files = Path(f"/proc/{served.process.pid}/fd")
    before = len(list(files.iterdir()))
    for _ in range(20):
        with served.connect() as sock:
            sock.sendall(part)
    wait_for(lambda: len(list(files.iterdir())) <= before)
    assert served.ask(QUESTION).status == 200


def test_over_its_connections_whoever_has_waited_longest_makes_room(
    stub: Stub, tmp_path: Path
) -> None:
    crowded = f"server.MOST_CONNECTIONS, server.KEEPALIVE_SECONDS = 100, {RECEIVE_SECONDS:.0f}"
    with (
        impatient(tmp_path, stub, changes=crowded, MAX_QUESTIONS="2") as served,
        ExitStack() as stack,
    ):
        idle = [stack.enter_context(served.connect()) for _ in range(20)]
        for sock in idle:
            sock.sendall(HEALTH)
            assert b"keep-alive" in read_answer(sock, b"ok\n")
        clients = half_sent(stack, served, 300, b"", HALF_HEAD, HALF_BODY)
        assert seconds_to_answer(served) < 1
        closed = replies_until_closed(idle + clients[:150], RECEIVE_SECONDS - 1)
        files = Path(f"/proc/{served.process.pid}/fd")
        assert len(list(files.iterdir())) < 100 + 40
        served.terminate()
        assert served.wait_for_end(5) == 0, "it has counted wrong"
    assert {reply for sock, (_, reply) in closed.items() if sock in idle} == {b""}
    told = [reply for sock, (_, reply) in closed.items() if sock in clients and reply]
    assert len(told) == 100
    for reply in told:
        assert reply.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in reply
        assert b"TooBusy: " in reply


def test_over_its_memory_whoever_has_waited_longest_makes_room(stub: Stub, tmp_path: Path) -> None:
    body = (
        POST + b"Content-Type: application/json\r\nContent-Length: 300000\r\n\r\n" + b" " * 250_000
    )
    with (
        impatient(tmp_path, stub, changes="intake.HELD_BYTES = 2_000_000") as served,
        ExitStack() as stack,
    ):
        silent = half_sent(stack, served, 5, b"")
        clients = half_sent(stack, served, 20, body)
        assert seconds_to_answer(served) < 1
        closed = replies_until_closed(clients[:12], RECEIVE_SECONDS - 1)
        for sock in silent + clients[-7:]:
            sock.setblocking(False)
            with pytest.raises(BlockingIOError):
                sock.recv(1)
    assert all(b"TooBusy: " in reply for _, reply in closed.values())


def test_without_a_file_for_a_connection_whoever_has_waited_longest_makes_room(
    stub: Stub, tmp_path: Path
) -> None:
    with impatient(tmp_path, stub) as served, ExitStack() as stack:
        process = served.process.pid
        files = len(list(Path(f"/proc/{process}/fd").iterdir()))
        _, hard = resource.prlimit(process, resource.RLIMIT_NOFILE)
        resource.prlimit(process, resource.RLIMIT_NOFILE, (files + 10, hard))
        half_sent(stack, served, 100, HALF_HEAD)
        for _ in range(3):
            assert served.ask(b"", "GET", "/health").status == 200
    assert "Traceback" not in served.log()


def test_without_a_file_and_anybody_to_make_room_it_waits(stub: Stub, tmp_path: Path) -> None:
    with impatient(tmp_path, stub) as served:
        process = served.process.pid
        limits = resource.prlimit(process, resource.RLIMIT_NOFILE)
        resource.prlimit(process, resource.RLIMIT_NOFILE, (1, limits[1]))
        with served.connect() as sock:
            sock.sendall(ONE)
            sock.settimeout(2)
            before = processor_seconds(process)
            with pytest.raises(TimeoutError):
                sock.recv(1)
            assert processor_seconds(process) - before < 0.5
            resource.prlimit(process, resource.RLIMIT_NOFILE, limits)
            sock.settimeout(5)
            assert read_answer(sock).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(("soft", "hard"), [(256, None), (256, 300)])
def test_it_takes_as_many_connections_as_it_has_files_for(
    stub: Stub, tmp_path: Path, soft: int, hard: int | None
) -> None:
    allowed = hard or resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    low = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {allowed}))"
    with impatient(tmp_path, stub, changes=low) as served, ExitStack() as stack:
        half_sent(stack, served, 600, HALF_HEAD)
        assert seconds_to_answer(served) < 2
        files = len(list(Path(f"/proc/{served.process.pid}/fd").iterdir()))
    assert files < 300 if hard else files > 600


def test_clients_that_do_not_close_hold_up_nobody(served: Served, stub: Stub) -> None:
    """They were told that the connection is closed, have their answer, and just stay."""
    last = HEALTH.replace(b"Host: a", b"Host: a\r\nConnection: close")
    files = Path(f"/proc/{served.process.pid}/fd")
    with ExitStack() as stack:
        before = len(list(files.iterdir()))
        for _ in range(20):
            staying = stack.enter_context(served.connect())
            staying.sendall(last)
            assert rest_of(staying).endswith(b"ok\n")
        assert seconds_to_answer(served) < 1
        wait_for(lambda: len(list(files.iterdir())) <= before + 2)
    stub.default = Turn(pieces=50, piece_delay=0.01)
    with served.connect() as sock:
        sock.sendall(STREAM)
        read_answer(sock, b"\n\n\r\n")
        served.terminate()
        assert b"event: done" in rest_of(sock), "the end has counted those who left twice"


def test_clients_that_leave_their_answers_unread_hold_up_nobody(stub: Stub, tmp_path: Path) -> None:
    """What needs no seat is asked for again and again, by more clients than there are threads."""
    page = HEALTH.replace(b"/health", b"/openapi.json") * 400
    with impatient(tmp_path, stub, MAX_QUESTIONS="2") as served, ExitStack() as stack:
        for _ in range(100):
            unread = stack.enter_context(socket.socket())
            unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            unread.connect(("127.0.0.1", served.port))
            unread.sendall(page)
        assert max(seconds_to_answer(served) for _ in range(20)) < 2


def test_a_client_that_reads_late_has_all_its_answers(shared: Served) -> None:
    page = HEALTH.replace(b"/health", b"/openapi.json")
    with shared.connect() as sock:
        sock.sendall(page * 300)
        assert max(seconds_to_answer(shared) for _ in range(5)) < 2
        received = b""
        while received.count(b"HTTP/1.1 200 ") < 300 or not received.endswith(b"}\n"):
            part = sock.recv(1_000_000)
            assert part, received.count(b"HTTP/1.1 200 ")
            received += part
    assert received.count(b'"openapi": "3.1') == 300


def test_a_whole_request_waits_for_its_reader_longer_than_half_a_request_for_its_rest(
    stub: Stub, tmp_path: Path
) -> None:
    page = HEALTH.replace(b"/health", b"/openapi.json")
    with impatient(tmp_path, stub) as served, served.connect() as sock, served.connect() as half:
        sock.sendall(page * 300)
        half.sendall(HALF_BODY)
        assert rest_of(half).startswith(b"HTTP/1.1 408 ")
        assert 'turned_away_total{reason="TooSlow"} 1.0' in served.probe("/metrics").text
        received = b""
        while received.count(b"HTTP/1.1 200 ") < 300:
            part = sock.recv(1_000_000)
            assert part, received.count(b"HTTP/1.1 200 ")
            received += part
    assert b"HTTP/1.1 408 " not in received


def test_who_does_not_read_at_all_is_cut_off_without_words(stub: Stub, tmp_path: Path) -> None:
    page = HEALTH.replace(b"/health", b"/openapi.json")
    changes = "intake.SEND_SECONDS = 1.0"
    with impatient(tmp_path, stub, changes=changes) as served, served.connect() as sock:
        sock.sendall(page * 300)
        wait_for(lambda: 'away_total{reason="TooSlow"} 1.0' in served.probe("/metrics").text)
        received = b""
        with suppress(ConnectionError):
            received = rest_of(sock)
    assert b"HTTP/1.1 408 " not in received
    assert received.count(b"HTTP/1.1 ") < 300


def test_what_needs_no_seat_fits_into_the_buffer_that_is_free() -> None:
    package = Path(server.__file__).parent
    longest = max(
        path.stat().st_size for path in (package / "openapi.json", *(package / "page").iterdir())
    )
    with server.listen("127.0.0.1", 0) as sock:
        buffer = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    assert longest < buffer / 3 / 2, "the kernel's own bookkeeping takes some of it"


def test_streams_that_nobody_reads_leave_threads_for_the_others(stub: Stub, tmp_path: Path) -> None:
    stub.default = Turn(pieces=100_000)
    with impatient(tmp_path, stub, MAX_QUESTIONS="4") as served, ExitStack() as stack:
        for _ in range(4):
            unread = stack.enter_context(socket.socket())
            unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            unread.connect(("127.0.0.1", served.port))
            unread.sendall(STREAM)
        wait_for(lambda: "questions_in_flight 4.0" in served.probe("/metrics").text)
        refused = served.ask(QUESTION)
        assert (refused.status, refused.text.partition(":")[0]) == (503, "TooBusy")
        assert served.ask(b"", "GET", "/health").status == 200


def test_on_sigterm_half_sent_requests_hold_up_nothing(stub: Stub, tmp_path: Path) -> None:
    with impatient(tmp_path, stub, DRAIN_SECONDS="60") as served, ExitStack() as stack:
        half_sent(stack, served, 400, b"", HALF_HEAD, HALF_BODY, HALF_CHUNKS)
        late = stack.enter_context(served.connect())
        late.sendall(HALF_BODY.replace(b"100", b"6"))
        assert served.ask(QUESTION).status == 200
        started = time.monotonic()
        served.terminate()
        wait_for(lambda: served.ready()["reason"] == "Draining")
        late.sendall(b"?")
        reply = rest_of(late)
        assert served.wait_for_end(10) == 0
        assert time.monotonic() - started < 4
    assert reply.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in reply
