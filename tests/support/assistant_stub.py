"""An assistant that says what a test wants, over real HTTP as docs/reference/http.md has it."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 10.0
"""After which nothing in a test is waited for any longer."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the stub does with one question."""

    pieces: tuple[str, ...] = ("Ada works ", "at the Analytical Engine.")
    finish_reason: str = "stop"
    about: dict[str, Any] = field(default_factory=dict)
    """What else is said of the answer: `madeBy`, `sources`, `fallback`."""

    refusal: tuple[int, str, str] | None = None
    """Status, reason and message of an error answer."""

    retry_after: int | None = None
    error_event: tuple[str, str] | None = None
    """Reason and message of an event that ends the stream after the pieces."""

    cut: bool = False
    """Close the connection after the pieces, with neither `done` nor `error`."""

    raw: tuple[int, str, bytes] | None = None
    """Status, content type and body of something that is no assistant's."""

    events: bytes | None = None
    """The stream's bytes, as they are."""

    hold: threading.Event | None = None
    """What the stream waits for after its first piece."""

    silent: bool = False
    """Take the question and say nothing."""


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    question: str
    stream: bool
    headers: dict[str, str]
    history: tuple[tuple[str, str], ...] = ()
    """Role and text of each turn before the question."""


@dataclass
class AssistantStub:
    """A server on a port of its own; replies are taken from `script`, then `usual`."""

    usual: Reply = field(default_factory=Reply)
    model: str = "stub-model"
    revision: str = "3f2a91c0de"
    health: tuple[int, str, bytes] = (200, "text/plain; charset=utf-8", b"ok\n")
    port: int = 0
    script: deque[Reply] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    probed: list[dict[str, str]] = field(default_factory=list)
    """The headers of the requests for `/health`."""
    changed: threading.Condition = field(default_factory=threading.Condition)
    hung_up: int = 0
    """How many clients went away before their answer was whole."""

    def __post_init__(self) -> None:
        self._server = _Server(self)
        self.port = self._server.server_address[1]
        self.ending = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop; whoever waits in a reply is let go."""
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def questions(self) -> list[str]:
        return [asked.question for asked in self.asked]

    def until(self, holds: Callable[[AssistantStub], bool]) -> None:
        """Wait until something holds of this stub; fail after a while."""
        with self.changed:
            assert self.changed.wait_for(lambda: holds(self), SECONDS), "the deadline is over"

    def wait_in_reply(self, event: threading.Event | None) -> None:
        """Let a reply wait, for no longer than the stub lives."""
        waited = 0.0
        while not self.ending.wait(0.01) and waited < SECONDS:
            waited += 0.01
            if event is not None and event.is_set():
                return

    def note(self, asked: Asked | None = None) -> None:
        """Remember what happened and wake who waits for it."""
        with self.changed:
            if asked is None:
                self.hung_up += 1
            else:
                self.asked.append(asked)
            self.changed.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, stub: AssistantStub) -> None:
        super().__init__(("127.0.0.1", stub.port), _Handler)
        self.stub = stub

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    @property
    def _stub(self) -> AssistantStub:
        server = self.server
        assert isinstance(server, _Server)
        return server.stub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        if self.path.endswith("/health"):
            self._stub.probed.append(dict(self.headers))
            self._send(*self._stub.health)
        else:
            self._refuse(404, "NotFound", "there is only / and /health", None)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length))
        reply = self._stub.script.popleft() if self._stub.script else self._stub.usual
        history = tuple((turn["role"], turn["text"]) for turn in body.get("history", ()))
        stream = body.get("stream", False)
        self._stub.note(Asked(body["question"], stream, dict(self.headers), history))
        try:
            self._reply(reply, stream)
        except OSError:
            self._stub.note()
            self.close_connection = True

    def _reply(self, reply: Reply, stream: bool) -> None:
        if reply.silent:
            self._stub.wait_in_reply(None)
            self.close_connection = True
        elif reply.refusal:
            self._refuse(*reply.refusal, reply.retry_after)
        elif reply.raw:
            self._send(*reply.raw)
        elif stream:
            self._stream(reply)
        else:
            answer = {"answer": "".join(reply.pieces), **_done(self._stub, reply)}
            self._send(200, "application/json", json.dumps(answer).encode())

    def _stream(self, reply: Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if reply.events is not None:
            self._chunk(reply.events)
        for index, piece in enumerate(reply.pieces if reply.events is None else ()):
            if index == 1 and reply.hold:
                self._stub.wait_in_reply(reply.hold)
            self._event("text", {"text": piece})
        if reply.cut:
            self.close_connection = True
            return
        if reply.error_event:
            reason, message = reply.error_event
            self._event("error", {"error": {"reason": reason, "message": message}})
        elif reply.events is None:
            self._event("done", _done(self._stub, reply))
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, name: str, data: object) -> None:
        text = json.dumps(data, ensure_ascii=False)
        self._chunk(f"event: {name}\ndata: {text}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _refuse(self, status: int, reason: str, message: str, after: int | None) -> None:
        body = json.dumps({"error": {"reason": reason, "message": message}}).encode()
        headers = {} if after is None else {"Retry-After": str(after)}
        self._send(status, "application/json", body, headers)

    def _send(
        self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for key, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _done(stub: AssistantStub, reply: Reply) -> dict[str, Any]:
    return {
        "model": stub.model,
        "fallback": False,
        "revision": stub.revision,
        "madeBy": "Model",
        "sources": [],
        "nearest": [],
        **reply.about,
        "finishReason": reply.finish_reason,
    }
