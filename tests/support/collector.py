"""A collector of OpenTelemetry: takes spans by OTLP over HTTP and keeps them."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """The server in a thread of this process; `with Collector() as collector`."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.collector = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def resource(self) -> dict[str, str]:
        """What the sender of the first spans says of itself."""
        given = self.requests[0].resource_spans[0].resource.attributes
        return {one.key: one.value.string_value for one in given}

    def wait_for(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Return when the condition holds; it is looked at whenever spans come."""
        with self.changed:
            held = self.changed.wait_for(condition, seconds)
            assert held, f"not within {seconds} s: {[span.name for span in self.spans]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    collector: Collector


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        collector = self.server.collector
        with collector.changed:
            collector.requests.append(ExportTraceServiceRequest.FromString(body))
            collector.changed.notify_all()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
