"""The program as a pod runs it: real sockets, signals and slow clients."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from support.openai_stub import RIGHT_KEY, Stub, Turn, error
from support.serving import REVISION, Served, fetch, rest_of, serve, wait_for

QUESTION = "Which instrument is it, a cello?"
ANSWER = "Ada plays the cello in a string quartet."
STREAM = b"POST / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nContent-Length: 4\r\n\r\nWho?"


@contextmanager
def open_stream(served: Served) -> Iterator[socket.socket]:
    """A stream of which the first piece has arrived."""
    with served.connect() as sock:
        sock.sendall(STREAM)
        received = b""
        while b"event: text" not in received:
            part = sock.recv(4096)
            assert part, received
            received += part
        yield sock


def test_it_answers_on_one_port_and_reports_on_the_other(served: Served) -> None:
    reply = served.ask(QUESTION)
    assert (reply.status, reply.text) == (200, f"{ANSWER}\n")
    assert served.ask(None or b"", "GET", "/health").text == "ok\n"
    assert served.probe("/health").text == "ok\n"
    ready = served.probe("/ready")
    assert ready.status == 200
    assert ready.headers["Content-Type"] == "application/json"
    assert ready.json["revision"] == REVISION
    assert ready.json["models"] == [{"name": "stub", "state": "Ready", "lastError": None}]
    metrics = served.probe("/metrics").text
    assert 'va_assistant_questions_total{reason="",result="answered"} 1.0' in metrics
    assert served.probe("/nope").status == 404
    assert fetch(served.probe_port, "POST", "/ready", b"", {}).status == 405


def test_a_key_of_now_keeps_a_new_pod_out_until_it_is_right(stub: Stub, tmp_path: Path) -> None:
    with serve(tmp_path, stub, key="sk-wrong") as served:
        wait_for(
            lambda: served.responds("/ready", 503) and served.ready()["models"][0]["lastError"]
        )
        assert served.ready()["reason"] == "KeyRefused"
        served.key_file.write_text(RIGHT_KEY)
        served.wait_until_ready()


def test_a_url_that_is_none_keeps_a_pod_out_but_alive(tmp_path: Path) -> None:
    with serve(tmp_path, baseURL="http://host:abc/v1") as served:
        wait_for(
            lambda: served.responds("/ready", 503) and served.ready()["reason"] == "HostNotFound"
        )
        [model] = served.ready()["models"]
        assert model["state"] == "Failed"
        assert "baseURL" in model["lastError"]["message"]
        reply = served.ask("What is her salary?")
        assert (reply.status, reply.text.partition(":")[0]) == (503, "HostNotFound")
        assert served.probe("/health").status == 200
    assert "Traceback" not in served.log()


def test_a_fallback_answers_with_its_own_key_while_the_preferred_model_is_away(
    stub: Stub, tmp_path: Path
) -> None:
    key_file = tmp_path / "spare-key"
    key_file.write_text("sk-spare")
    stub.keys = {"sk-spare"}
    with serve(
        tmp_path,
        baseURL="http://127.0.0.1:1/v1",
        fallbacks=[{"name": "spare", "baseURL": stub.url}],
        environment={"VA_ASSISTANT_FALLBACK_API_KEY_FILES": json.dumps([str(key_file)])},
    ) as served:
        served.wait_until_ready()
        reply = served.ask()
        models = served.ready()["models"]
        metrics = served.probe("/metrics").text
    assert reply.status == 200
    assert (reply.headers["X-Model"], reply.headers["X-Fallback"]) == ("spare", "true")
    assert {exchange.key for exchange in stub.log} == {"sk-spare"}
    assert [(model["name"], model["state"]) for model in models] == [
        ("stub", "Failed"),
        ("spare", "Ready"),
    ]
    assert 'va_assistant_fallbacks_total{model="stub",reason="ConnectionRefused",rung="0"} 1.0' in (
        metrics
    )
    assert 'va_assistant_circuit_state{model="spare",rung="1"} 0.0' in metrics


def test_no_line_nor_reply_holds_key_question_or_answer(stub: Stub, tmp_path: Path) -> None:
    key = "sk-canary-key"
    canaries = [key, "canary-question", "canary-context"]
    stub.keys = {key}
    replies = []
    with serve(tmp_path, stub, key=key) as served:
        served.wait_until_ready()
        for turn in (
            Turn(),
            Turn(text="canary-context"),
            error(401, f"Incorrect API key provided: {key}"),
            error(400, f"no {key}"),
            error(429, f"no {key}"),
            error(500, f"no {key}"),
            Turn(raw=f"no {key}"),
            Turn(cut_at=1),
        ):
            stub.default = turn
            replies.append(served.ask("canary-question, is it a cello?"))
            served.ask("canary-question, is it a cello?", Accept="text/event-stream")
        served.ask(b"\xff canary-question")
        seen = served.probe("/ready").text + served.probe("/metrics").text
        seen += "".join(reply.text + str(reply.headers) for reply in replies if reply.status != 200)
    seen += served.log()
    assert len(served.lines) > 10
    for line in served.lines:
        assert isinstance(json.loads(line), dict)
    for canary in canaries:
        assert canary not in seen


def test_a_client_that_leaves_ends_the_call_within_a_second(served: Served, stub: Stub) -> None:
    stub.default = Turn(pieces=10_000, piece_delay=0.01)
    with open_stream(served):
        pass
    stub.wait_for(lambda: stub.log[-1].client_left, 1)
    stub.default = Turn(delay=-1)
    with served.connect() as sock:
        sock.sendall(STREAM)
        asked = len(stub.log)
        stub.wait_for(lambda: len(stub.log) > asked)
    stub.wait_for(lambda: stub.log[-1].client_left, 1)


def test_slow_clients_of_the_probes_starve_nobody_either(shared: Served) -> None:
    with ExitStack() as stack:
        for number in range(200):
            slow = stack.enter_context(
                socket.create_connection(("127.0.0.1", shared.probe_port), timeout=10)
            )
            if number % 2:
                slow.sendall(b"GET /rea")
        for path in ("/ready", "/health"):
            started = time.monotonic()
            assert shared.probe(path).status == 200
            assert time.monotonic() - started < 1


def test_over_capacity_it_says_so_at_once_and_still_reports(stub: Stub, tmp_path: Path) -> None:
    limits = {"VA_ASSISTANT_MAX_QUESTIONS": "3"}
    with serve(tmp_path, stub, environment=limits, timeoutSeconds=60) as served:
        served.wait_until_ready()
        stub.default = Turn(pieces=100_000, piece_delay=0.01)
        streams = [served.connect() for _ in range(3)]
        for sock in streams:
            sock.sendall(STREAM)
        wait_for(lambda: "questions_in_flight 3.0" in served.probe("/metrics").text)
        refused = served.ask(QUESTION)
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        assert refused.text.startswith("TooBusy: ")
        assert refused.headers["Connection"] == "close"
        assert served.ask(b"", "GET", "/health").status == 200
        assert served.probe("/ready").status == 200
        for sock in streams:
            sock.close()
        stub.default = Turn()
        wait_for(lambda: served.ask(QUESTION).status == 200)


def test_on_sigterm_open_streams_end_whole_and_the_exit_code_is_0(
    served: Served, stub: Stub
) -> None:
    stub.default = Turn(pieces=100, piece_delay=0.01)
    with served.connect() as idle, open_stream(served) as sock:
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"keep-alive" in idle.recv(4096)
        served.terminate()
        wait_for(lambda: served.ready()["reason"] == "Draining")
        assert served.probe("/ready").status == 503
        assert served.probe("/health").status == 200
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"Connection: close" in rest_of(idle)
        wait_for(lambda: not served.takes_connections())
        assert rest_of(sock).rstrip(b"\r\n0").endswith(b'"finishReason": "stop"}')
    assert served.wait_for_end() == 0


def test_on_sigterm_a_hundred_open_streams_end_whole(stub: Stub, tmp_path: Path) -> None:
    drain = {"VA_ASSISTANT_DRAIN_SECONDS": "60"}
    with serve(tmp_path, stub, environment=drain, timeoutSeconds=60) as served:
        served.wait_until_ready()
        stub.default = Turn(pieces=40, piece_delay=0.05)
        with ExitStack() as stack:
            streams = [stack.enter_context(served.connect()) for _ in range(100)]
            for sock in streams:
                sock.settimeout(60)
                sock.sendall(STREAM)
            wait_for(lambda: "questions_in_flight 100.0" in served.probe("/metrics").text)
            served.terminate()
            wait_for(lambda: served.ready()["reason"] == "Draining")
            wait_for(lambda: not served.takes_connections())
            received = [rest_of(sock) for sock in streams]
        assert served.wait_for_end(60) == 0
    whole = [one for one in received if one.rstrip(b"\r\n0").endswith(b'"finishReason": "stop"}')]
    assert len(whole) == 100
    assert {one.count(b"event: text") for one in whole} == {40}


def test_a_stream_that_does_not_end_is_cut_after_the_drain(stub: Stub, tmp_path: Path) -> None:
    drain = {"VA_ASSISTANT_DRAIN_SECONDS": "1"}
    with serve(tmp_path, stub, environment=drain, timeoutSeconds=60) as served:
        served.wait_until_ready()
        stub.default = Turn(pieces=100_000, piece_delay=0.01)
        with open_stream(served) as sock:
            started = time.monotonic()
            served.terminate()
            rest = rest_of(sock)
        assert b"event: done" not in rest
        assert served.wait_for_end() == 0
        assert time.monotonic() - started < 4


def test_a_signal_before_it_serves_ends_it_at_once(tmp_path: Path) -> None:
    with serve(tmp_path, baseURL="http://127.0.0.1:1/v1") as served:
        served.terminate()
        served.wait_for_end(5)


def test_a_process_that_accepts_nothing_any_more_is_not_healthy(stub: Stub, tmp_path: Path) -> None:
    """The loop of the questions' port is stopped from outside, the probes' thread goes on."""
    stalled = (
        "import time, va_assistant.server as server\n"
        "server.STALLED_SECONDS = 0.2\n"
        "server.Worker.murder_pending = lambda self: time.sleep(60)\n"
        "from va_assistant.main import main; main()"
    )
    with serve(tmp_path, stub, code=stalled) as served:
        wait_for(lambda: served.responds("/health", 503))
        assert served.probe("/health").text.startswith("Stalled: ")
