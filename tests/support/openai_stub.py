"""A model server for tests: speaks OpenAI's chat completions and does as it is told.

Standard library only and one file, so that it also runs as a pod from any image
with a Python: `python3 openai_stub.py --port 9000`.

What it does with a request is a *turn*, a JSON object of the fields of `Turn`.
Turns are found in this order: the queue (each used once), the request's model
name (`stub-429`, `stub-hang` and so on, see `BY_MODEL`), the default turn.
A request whose key is not one of the known keys gets 401 whatever else is set.

    GET  /log      what was asked: a list of exchanges
    DELETE /log    forget it
    POST /script   {"keys": [...], "default": turn, "queue": [turn, ...]}; each optional

Without a script it answers with the line of the system message that shares the
longest word with the question, which proves that the context arrived.
"""

import argparse
import json
import re
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

RIGHT_KEY = "sk-right-key"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What the server does with one request."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    """`message`, `type`, `code` of an error; its body unless `raw` is set."""

    text: str | None = None
    """The answer; None quotes the context, empty is an answer without content."""

    obeys: bool = False
    """The answer, or the message of `error`, is all that the server was sent, key and messages, as
    an attacker wants it."""

    null: bool = False
    """`content` is null."""

    choices: bool = True
    finish_reason: str | None = "stop"
    usage: bool = True
    raw: str | None = None
    """Sent as the whole body, whatever it is."""

    delay: float = 0
    """Seconds before the first byte; negative hangs until the client leaves."""

    piece_delay: float = 0
    """Seconds before each piece of a stream."""

    pieces: int | None = None
    """How many pieces a stream has, a sentence each; None: one per word."""

    hang_at: int | None = None
    """Piece before which a stream falls silent until the client leaves."""

    cut_at: int | None = None
    """Piece before which the connection is closed; in a whole answer, half of the body."""

    malformed_at: int | None = None
    """Piece that is no JSON."""

    error_at: int | None = None
    """Piece in whose place `error` is sent, with status 200."""

    done: bool = True
    """Whether a stream ends with `[DONE]`."""

    split: int | None = None
    """Bytes per chunk, so that events and characters are cut anywhere."""


def error(status: int, message: str, *, code: str = "", **more: Any) -> Turn:
    """Return a turn that refuses."""
    headers = more.pop("headers", {})
    body = {"message": message, "type": more.pop("kind", "error"), "code": code or None}
    return Turn(status=status, error=body, headers=headers, **more)


WRONG_KEY = error(401, "Incorrect API key provided", code="invalid_api_key")
BY_MODEL = {
    "stub-fine": Turn(),
    "stub-401": WRONG_KEY,
    "stub-403": error(403, "Your organization is not verified"),
    "stub-404": error(404, "The model `stub-404` does not exist", code="model_not_found"),
    "stub-429": error(429, "Rate limit reached", code="rate_limit_exceeded",
                      headers={"Retry-After": "7"}),
    "stub-quota": error(429, "You exceeded your current quota", code="insufficient_quota"),
    "stub-500": error(500, "The server had an error"),
    "stub-503": error(503, "Overloaded", headers={"Retry-After": "3"}),
    "stub-too-long": error(400, "This model's maximum context length is 8192 tokens",
                           code="context_length_exceeded"),
    "stub-400": error(400, "Unsupported value: 'temperature'", code="unsupported_value"),
    "stub-hang": Turn(delay=-1),
    "stub-hang-midway": Turn(hang_at=2),
    "stub-cut": Turn(cut_at=2),
    "stub-malformed": Turn(malformed_at=2),
    "stub-no-choices": Turn(choices=False),
    "stub-filter": Turn(text="", finish_reason="content_filter"),
    "stub-length": Turn(finish_reason="length"),
}  # fmt: skip


@dataclass(kw_only=True)
class Exchange:
    """One request and what became of it."""

    started: float
    key: str | None
    headers: dict[str, str]
    body: dict[str, Any]
    raw: str
    pieces_sent: int = 0
    ended: float | None = None
    client_left: bool = False


class Stub:
    """The server in a thread of this process; `with Stub() as stub`."""

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.keys: set[str] | None = {RIGHT_KEY}
        """Known keys; None: any, and none at all."""

        self.default = Turn()
        self.queue: deque[Turn] = deque()
        self.log: list[Exchange] = []
        self.connections = 0
        self.changed = threading.Condition()
        self._server = self._listen(host, port, tls)
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}/v1"

    def _listen(self, host: str, port: int, tls: ssl.SSLContext | None) -> "_Server":
        server = _Server((host, port), _Handler)
        server.stub = self
        if tls:
            # The handshake belongs to the first read, in the thread of its connection.
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        return server

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve in a thread."""
        threading.Thread(target=self.serve, daemon=True).start()

    def serve_tls(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        """Serve the same at another port, too, in a thread for as long as the process lives."""
        server = self._listen(host, port, tls)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(self) -> None:
        """Serve until stopped."""
        self._server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        """Stop serving and refuse new connections."""
        self._server.shutdown()
        self._server.server_close()

    def turns(self, *turns: Turn) -> None:
        """Use these for the next requests, one each."""
        self.queue.extend(turns)

    def wait_for(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        """Return when the condition holds; it is looked at whenever something happens."""
        with self.changed:
            if not self.changed.wait_for(condition, seconds):
                raise TimeoutError(f"not within {seconds} s; log: {self.log}")

    def turn_for(self, exchange: Exchange) -> Turn:
        """Return what to do with a request."""
        if self.keys is not None and exchange.key not in self.keys:
            return WRONG_KEY
        try:
            return self.queue.popleft()
        except IndexError:
            return BY_MODEL.get(str(exchange.body.get("model")), self.default)

    def script(self, script: dict[str, Any]) -> None:
        """Do what `POST /script` says."""
        if "keys" in script:
            self.keys = None if script["keys"] is None else set(script["keys"])
        if "default" in script:
            self.default = _turn(script["default"])
        if "queue" in script:
            self.queue = deque(_turn(turn) for turn in script["queue"])


@contextmanager
def black_hole() -> Iterator[int]:
    """Yield a port of loopback where connecting hangs: nobody takes the one that waits."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        waiting = [socket.socket() for _ in range(3)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        try:
            yield server.getsockname()[1]
        finally:
            for sock in waiting:
                sock.close()


def quote(body: dict[str, Any]) -> str:
    """Return the line of the context that shares the longest word with the question."""
    messages = body.get("messages") or []
    context = "\n".join(str(m.get("content")) for m in messages if m.get("role") == "system")
    question = str(messages[-1].get("content")) if messages else ""
    words = sorted(set(re.findall(r"\w{4,}", question.lower())), key=lambda w: (-len(w), w))
    for word in words:
        for line in context.splitlines():
            if word in line.lower():
                return line.strip()
    return "The text does not say."


def _text(turn: Turn, exchange: Exchange) -> str:
    if turn.obeys:
        said = [str(message.get("content")) for message in exchange.body["messages"]]
        return "\n".join((f"Sure! My key is {exchange.key}.", *said))
    return quote(exchange.body) if turn.text is None else turn.text


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    stub: Stub

    def handle_error(self, *_: object) -> None:
        """Clients that leave are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.stub.connections += 1

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def do_GET(self) -> None:
        if self.path == "/log":
            self._json(200, [asdict(exchange) for exchange in self.server.stub.log])
        elif self.path == "/health":
            self._json(200, {"status": "ok"})
        else:
            self._json(404, {"error": {"message": f"no route {self.path}"}})

    def do_DELETE(self) -> None:
        self.server.stub.log.clear()
        self._json(200, {})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/script":
            self.server.stub.script(json.loads(raw))
            self._json(200, {})
        elif self.path.endswith("/chat/completions"):
            self._complete(raw)
        else:
            self._json(404, {"error": {"message": f"no route {self.path}"}})

    def _complete(self, raw: bytes) -> None:
        authorization = self.headers.get("Authorization")
        exchange = Exchange(
            started=time.monotonic(),
            key=authorization.removeprefix("Bearer ") if authorization else None,
            headers=dict(self.headers),
            body=json.loads(raw),
            raw=raw.decode(),
        )
        turn = self.server.stub.turn_for(exchange)
        with self.server.stub.changed:
            self.server.stub.log.append(exchange)
            self.server.stub.changed.notify_all()
        try:
            self._play(turn, exchange)
            self.wfile.flush()
        except (OSError, _ClientLeft):
            exchange.client_left = True
            self.close_connection = True
        finally:
            with self.server.stub.changed:
                exchange.ended = time.monotonic()
                self.server.stub.changed.notify_all()

    def _play(self, turn: Turn, exchange: Exchange) -> None:
        self._pause(turn.delay)
        if turn.raw is not None:
            self._bytes(turn, turn.raw.encode(errors="surrogateescape"))
        elif turn.error is not None and turn.error_at is None:
            said = {"message": _text(turn, exchange)} if turn.obeys else {}
            self._bytes(turn, json.dumps({"error": turn.error | said}).encode())
        elif exchange.body.get("stream"):
            self._stream(turn, exchange)
        else:
            self._whole(turn, exchange)

    def _whole(self, turn: Turn, exchange: Exchange) -> None:
        text = _text(turn, exchange)
        limit = exchange.body.get("max_tokens", exchange.body.get("max_completion_tokens"))
        finish_reason = turn.finish_reason
        if limit is not None and limit < len(text.split()):
            text, finish_reason = " ".join(text.split()[:limit]), "length"
        message = {"role": "assistant", "content": None if turn.null else text}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason}
        answer: dict[str, Any] = {"object": "chat.completion", "choices": [choice]}
        if not turn.choices:
            answer["choices"] = []
        if turn.usage:
            answer["usage"] = self._usage(exchange, text)
        body = json.dumps(answer, ensure_ascii=False).encode()
        if turn.cut_at is not None:
            self._head(turn, "application/json", len(body))
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self._bytes(turn, body)

    def _stream(self, turn: Turn, exchange: Exchange) -> None:
        text = _text(turn, exchange)
        pieces = re.findall(r"\S+\s*", text)
        if turn.pieces is not None:
            pieces = ["Again. "] * turn.pieces
        self._head(turn, "text/event-stream", None)
        # A model says its role first.
        self._event(turn, self._chunk({"role": "assistant", "content": ""}, None))
        for number, piece in enumerate([*pieces, None]):
            self._pause(turn.piece_delay)
            if turn.hang_at == number:
                self._pause(-1)
            if turn.cut_at == number:
                self.close_connection = True
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if turn.malformed_at == number:
                self._event(turn, '{"choices": [{"delta"')
            elif turn.error_at == number:
                self._event(turn, json.dumps({"error": turn.error}))
            elif piece is not None:
                self._event(turn, self._chunk({"content": piece}, None))
                exchange.pieces_sent += 1
        if turn.finish_reason:
            self._event(turn, self._chunk({}, turn.finish_reason))
        if turn.usage and exchange.body.get("stream_options"):
            usage = {"choices": [], "usage": self._usage(exchange, text)}
            self._event(turn, json.dumps(usage))
        if turn.done:
            self._event(turn, "[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return json.dumps({"choices": [choice]}, ensure_ascii=False)

    def _event(self, turn: Turn, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        size = turn.split or len(event)
        for start in range(0, len(event), size):
            part = event[start : start + size]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()

    def _usage(self, exchange: Exchange, text: str) -> dict[str, Any]:
        prompt = sum(len(str(m["content"]).split()) for m in exchange.body["messages"])
        return {
            "prompt_tokens": prompt,
            "completion_tokens": len(text.split()),
            "total_tokens": prompt + len(text.split()),
            "prompt_tokens_details": {"cached_tokens": prompt // 2},
        }

    def _pause(self, seconds: float) -> None:
        """Wait; raise when the client leaves meanwhile."""
        if not seconds:
            return
        self.wfile.flush()
        poller = select.poll()
        poller.register(self.connection, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        if poller.poll(None if seconds < 0 else seconds * 1000):
            raise _ClientLeft

    def _head(self, turn: Turn, content_type: str, length: int | None) -> None:
        self.send_response(turn.status)
        self.send_header("Content-Type", content_type)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        for name, value in turn.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _bytes(self, turn: Turn, body: bytes) -> None:
        self._head(turn, "application/json", len(body))
        self.wfile.write(body)

    def _json(self, status: int, value: object) -> None:
        self._bytes(Turn(status=status), json.dumps(value).encode())


class _ClientLeft(Exception):
    pass


def _turn(raw: dict[str, Any]) -> Turn:
    known = {item.name for item in fields(Turn)}
    unknown = set(raw) - known
    if unknown:
        raise ValueError(f"no such fields of a turn: {sorted(unknown)}")
    return Turn(**raw)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--key", action="append", help=f"a known key; default {RIGHT_KEY}")
    parser.add_argument("--any-key", action="store_true", help="know every key, and none")
    parser.add_argument("--tls", help="a file with a key and certificates: speak TLS, too")
    parser.add_argument("--tls-port", type=int, default=9443)
    options = parser.parse_args()
    stub = Stub(host=options.host, port=options.port)
    if options.any_key or options.key:
        stub.keys = None if options.any_key else set(options.key)
    if options.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.tls)
        stub.serve_tls(options.host, options.tls_port, tls)
    print(f"listening on {options.host}:{stub.port}", flush=True)
    stub.serve()


if __name__ == "__main__":
    main()
