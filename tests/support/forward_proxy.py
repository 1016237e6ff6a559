"""A forward proxy for tests: tunnels (CONNECT) and plain requests in absolute form.

    with ForwardProxy({"model.test": stub.port}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)

It alone knows where the names are, so what asks for one of them has gone through it.
"""

import base64
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Self
from urllib.parse import urlsplit

READ_BYTES = 65536


@dataclass(frozen=True)
class Seen:
    """One request as the proxy saw it."""

    line: str
    headers: dict[str, str]
    """Names in lower case."""


@dataclass
class ForwardProxy:
    """The proxy in threads of this process; its fields may be changed while it runs."""

    ports: Mapping[str, int]
    """Port of loopback by host name; another name is answered 502."""

    user: str | None = None
    """`user:password` that is asked for."""

    status: int | None = None
    """Answer to every request; None does what is asked."""

    said: bytes | None = None
    """The whole answer to every request, whatever it is; then the connection is closed."""

    hangs: bool = False
    """Never answers."""

    drips: bool = False
    """Answers a byte now and then, without an end."""

    cut_after: int | None = None
    """Bytes from the server after which the connection is cut."""

    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.stopped = threading.Event()
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def refuses(self, request: Seen) -> int | None:
        """Return the status with which a request is refused."""
        if self.status is not None:
            return self.status
        if self.user is None:
            return None
        right = f"Basic {base64.b64encode(self.user.encode()).decode()}"
        return None if request.headers.get("proxy-authorization") == right else 407


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    proxy: ForwardProxy

    def handle_error(self, *_: object) -> None:
        """Those who leave are part of the tests."""


class _Handler(StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        proxy = self.server.proxy
        proxy.connections += 1
        upstream: socket.socket | None = None
        try:
            while request := self._read_head():
                proxy.seen.append(request)
                if proxy.hangs:
                    proxy.stopped.wait()
                    return
                while proxy.drips:
                    if proxy.stopped.wait(0.02):
                        return
                    self.wfile.write(b"H")
                if proxy.said is not None:
                    self.wfile.write(proxy.said)
                    return
                if status := proxy.refuses(request):
                    self._answer(status)
                    return
                method, target, _ = request.line.split(" ")
                connects = method == "CONNECT"
                url = urlsplit(f"//{target}" if connects else target)
                port = proxy.ports.get(url.hostname or "")
                if port is None:
                    self._answer(502)
                    return
                if upstream is None:
                    upstream = self._reach(port, connects=connects)
                    threading.Thread(target=self._pump, args=(upstream,), daemon=True).start()
                if connects:
                    while data := self.connection.recv(READ_BYTES):
                        upstream.sendall(data)
                    return
                self._forward(request, url.path, upstream)
        finally:
            if upstream:
                with suppress(OSError):
                    upstream.shutdown(socket.SHUT_RDWR)

    def _read_head(self) -> Seen | None:
        line = self.rfile.readline().decode().rstrip("\r\n")
        headers = {}
        while field_line := self.rfile.readline().decode().rstrip("\r\n"):
            name, _, value = field_line.partition(": ")
            headers[name.lower()] = value
        return Seen(line, headers) if line else None

    def _reach(self, port: int, *, connects: bool) -> socket.socket:
        upstream = socket.create_connection(("127.0.0.1", port), timeout=10)
        try:
            if connects:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        except OSError:
            upstream.close()
            raise
        return upstream

    def _forward(self, request: Seen, path: str, upstream: socket.socket) -> None:
        method = request.line.split(" ")[0]
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [
            f"{name}: {value}" for name, value in request.headers.items() if name[:6] != "proxy-"
        ]
        body = self.rfile.read(int(request.headers.get("content-length", "0")))
        upstream.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    def _pump(self, upstream: socket.socket) -> None:
        """Bring what the server says to the client, up to where it is to be cut."""
        left = self.server.proxy.cut_after
        with upstream, suppress(OSError):
            while data := upstream.recv(READ_BYTES):
                self.connection.sendall(data[:left])
                if left is not None and (left := left - len(data)) <= 0:
                    break
            self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, status: int) -> None:
        self.wfile.write(b"HTTP/1.1 %d No\r\nContent-Length: 3\r\n\r\nno\n" % status)
