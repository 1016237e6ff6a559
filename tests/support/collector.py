"""A collector of OpenTelemetry: takes spans by OTLP over HTTP and keeps them.

One file, so that it also runs as a pod from an image that has OpenTelemetry:
`python3 collector.py --port 4318`. `GET /requests` returns what came, each in hexadecimal.
"""

import argparse
import json
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """The server in a thread of this process; `with Collector() as collector`."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.changed = threading.Condition()
        self._server = _Server((host, port), _Handler)
        self._server.collector = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self) -> None:
        """Serve until stopped."""
        self._server.serve_forever(poll_interval=0.02)

    @property
    def spans(self) -> list[Span]:
        return spans_of(self.requests)

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


def spans_of(requests: Iterable[ExportTraceServiceRequest]) -> list[Span]:
    return [
        span
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def read_requests(listed: list[str]) -> list[ExportTraceServiceRequest]:
    """Read what `GET /requests` returns."""
    return [ExportTraceServiceRequest.FromString(bytes.fromhex(one)) for one in listed]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    collector: Collector


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        listed = [one.SerializeToString().hex() for one in self.server.collector.requests]
        body = json.dumps(listed).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

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


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=4318)
    Collector(host="0.0.0.0", port=parser.parse_args().port).serve()


if __name__ == "__main__":
    main()
