"""The port for the kubelet, the operator and the metrics scraper.

It has a thread and a loop of its own: nothing that happens to questions, and
no slow client, keeps it from answering.
"""

import asyncio
import json
import socket
import threading
from collections.abc import Callable

from va_assistant.metrics import Metrics
from va_assistant.readiness import Readiness

REQUEST_SECONDS = 1.0
"""How long a client may take to send its request: it is one line and a few headers."""

ANSWER_SECONDS = 5.0
"""How long it may take the answer."""

MAX_CONNECTIONS = 64
"""Over it, whoever has kept silent for the longest makes room: who asks is never refused."""

_TEXT = "text/plain; charset=utf-8"


class Probes(threading.Thread):
    """Serves `/health`, `/ready` and `/metrics` on a socket that listens already."""

    def __init__(
        self,
        sock: socket.socket,
        readiness: Readiness,
        metrics: Metrics,
        is_serving: Callable[[], bool],
    ) -> None:
        """`is_serving` tells whether the other port still works."""
        super().__init__(name="probes", daemon=True)
        self._sock = sock
        self._readiness = readiness
        self._metrics = metrics
        self._is_serving = is_serving
        self._silent: dict[asyncio.StreamWriter, None] = {}
        """Connections whose request is not complete, the oldest first."""

    def run(self) -> None:
        """Serve for as long as the process lives."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._handle, sock=self._sock, limit=16 * 1024)
        await server.serve_forever()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._silent[writer] = None
        if len(self._silent) > MAX_CONNECTIONS:
            oldest = next(iter(self._silent))
            del self._silent[oldest]
            oldest.transport.abort()
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            self._silent.pop(writer, None)
            async with asyncio.timeout(ANSWER_SECONDS):
                writer.write(self._respond(head))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client's fault and loss
        finally:
            self._silent.pop(writer, None)
            writer.close()

    def _respond(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.split(b" ", 1)[0].split(b"?", 1)[0]
        status, content_type, body = 200, _TEXT, b"ok\n"
        if path == b"/ready":
            report = self._readiness.report()
            status = 200 if report.ready else 503
            content_type, body = "application/json", json.dumps(report.body).encode() + b"\n"
        elif path == b"/metrics":
            content_type, body = f"{_TEXT}; version=0.0.4", self._metrics.text()
        elif path == b"/health":
            if not self._is_serving():
                status, body = 503, b"Stalled: no connection is accepted any more\n"
        else:
            status, body = 404, b"NotFound: there is /health, /ready and /metrics\n"
        if method not in {b"GET", b"HEAD"}:
            status, content_type, body = 405, _TEXT, b"MethodNotAllowed: use GET\n"
        allow = "Allow: GET, HEAD\r\n" if status == 405 else ""
        lines = (
            f"HTTP/1.1 {status} {_PHRASES[status]}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
            f"X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
            f"{allow}Connection: close\r\n\r\n"
        )
        return lines.encode() + (b"" if method == b"HEAD" else body)


_PHRASES = {
    200: "OK",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}
