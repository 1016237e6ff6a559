"""HTTP/1.1 to one model server, with every wait bounded by the question's deadline.

It stands below the `openai` package in place of httpx2's own transport. That
one limits each read but not their sum, so a server that sends a byte a second
holds a question for ever; it does not limit the search for a host's name at
all; and it cannot notice that the asker has left. It is also half the cost.
"""

import http.client
import io
import select
import socket
import ssl
from collections import deque
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import httpx2

from va_assistant.connecting import Route, timed_out
from va_assistant.deadlines import Deadline
from va_assistant.errors import AskerLeft, Failure, Reason
from va_assistant.proxies import Proxy
from va_assistant.trust import SystemTrust, Trust

MAX_BODY_BYTES = 16 * 1024 * 1024
"""An answer beyond this is no answer."""

READ_BYTES = 64 * 1024

PROXY_AUTHENTICATION_REQUIRED = 407
"""The one status that is certainly a proxy's."""

Writable = bytearray | memoryview

DEADLINE: ContextVar[Deadline] = ContextVar("deadline")
"""Of the question that this thread asks."""

ASKER: ContextVar[socket.socket | None] = ContextVar("asker", default=None)
"""The connection of whoever asked, watched during every wait; None watches nothing."""

TRACEPARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The header of W3C Trace Context for the call that this thread makes; None for none."""

_LEFT = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


def url_fault(base_url: str) -> str | None:
    """Return why nothing can be asked at a URL; None where it can be tried."""
    try:
        url = httpx2.URL(base_url)
        host, port = url.host, url.port
    except (httpx2.InvalidURL, ValueError) as error:  # UnicodeError is a ValueError
        return f"the baseURL is none: {error}"
    if url.scheme not in {"http", "https"} or not host:
        return "the baseURL is none: it must be http:// or https:// and a host"
    if port is not None and not 0 < port <= 65535:
        return f"the baseURL is none: there is no port {port}"
    return None


class Client(httpx2.Client):
    """What the `openai` package sends through: only what its requests need.

    httpx2's own looks for cookies, redirects, authentication and settings of the
    client that might belong to a request: a sixth of what asking costs.
    """

    def __init__(self, transport: "Transport") -> None:
        super().__init__(transport=transport, trust_env=False)
        self._sends = transport

    def build_request(
        self,
        method: str,
        url: httpx2.URL | str,
        *,
        content: Any = None,
        headers: Any = None,
        **_unused: Any,
    ) -> httpx2.Request:
        """Return a request that is complete as it is given."""
        return httpx2.Request(method, url, content=content, headers=headers)

    def send(
        self, request: httpx2.Request, *, stream: bool = False, **_unused: Any
    ) -> httpx2.Response:
        """Send a request and return the response, with its body unless it is streamed."""
        response = self._sends.handle_request(request)
        response.request = request
        if not stream:
            try:
                response.read()
            except BaseException:
                response.close()
                raise
        return response


class Transport(httpx2.BaseTransport):
    """Kept-alive connections to one server; any number of threads may use it."""

    def __init__(
        self, base_url: str, proxy: Proxy | None = None, trust: Trust | None = None
    ) -> None:
        """`trust` is for a server that is asked with TLS; None is the system's."""
        url = httpx2.URL(base_url)
        secure = url.scheme == "https"
        self._route = Route(
            host=url.raw_host.decode(),
            port=url.port or (443 if secure else 80),
            secure=secure,
            proxy=proxy,
        )
        self._trust = (trust or SystemTrust()) if secure else None
        self._is_forwarded = self._route.is_forwarded
        self._origin = b"http://" + url.netloc if self._is_forwarded else b""
        self._for_proxy: list[bytes] = []
        if proxy and proxy.authorization and self._is_forwarded:
            self._for_proxy = [b"Proxy-Authorization: " + proxy.authorization.encode()]
        self._idle: deque[_Connection] = deque()

    @property
    def answerer(self) -> str:
        """Who has set the status of a response."""
        return f"the provider or {self._route.proxy}" if self._is_forwarded else "the provider"

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request and return the response with its body still to come."""
        connection = self._take()
        try:
            response = self._exchange(connection, request)
        except BaseException:
            connection.close()
            raise
        return httpx2.Response(
            response.status,
            headers=response.headers.items(),
            stream=_Body(connection, response, self._idle),
        )

    def trust_now(self) -> ssl.SSLContext | None:
        """Return what verifies the server now, None without TLS; raises a `Failure`."""
        return self._trust.context() if self._trust else None

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _exchange(
        self, connection: "_Connection", request: httpx2.Request
    ) -> http.client.HTTPResponse:
        response = connection.exchange(request, self._origin, self._for_proxy)
        if self._is_forwarded and response.status == PROXY_AUTHENTICATION_REQUIRED:
            raise self._route.refusal(response.status)
        return response

    def _take(self) -> "_Connection":
        deadline, tls = DEADLINE.get(), self.trust_now()
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            # Whom nobody trusts any more is not asked over an old connection either.
            if connection.tls is tls and connection.is_usable():
                connection.deadline, connection.asker = deadline, ASKER.get()
                return connection
            connection.close()
        return _Connection(self._route.connect(deadline, tls), tls, deadline, ASKER.get())


class _Connection:
    """One connection and whose question it serves at the moment."""

    def __init__(
        self,
        sock: socket.socket,
        tls: ssl.SSLContext | None,
        deadline: Deadline,
        asker: socket.socket | None,
    ) -> None:
        self._sock = sock
        self.tls = tls
        self.deadline = deadline
        self.asker = asker

    def exchange(
        self, request: httpx2.Request, origin: bytes, for_proxy: list[bytes]
    ) -> http.client.HTTPResponse:
        """Send a request; return its response once the headers are there.

        `origin` (scheme, host and port) and the header lines `for_proxy` are what
        a proxy needs that passes requests on; else empty.
        """
        lines = [
            b"%s %s%s HTTP/1.1" % (request.method.encode(), origin, request.url.raw_path),
            *for_proxy,
            *(b"%s: %s" % pair for pair in request.headers.raw),
        ]
        if traceparent := TRACEPARENT.get():
            lines.append(b"traceparent: " + traceparent.encode())
        # In one piece: every call of the system costs.
        self.send(b"\r\n".join(lines) + b"\r\n\r\n" + request.read())
        response = http.client.HTTPResponse(_Wire(self), method=request.method)  # type: ignore[arg-type]
        try:
            response.begin()
        except http.client.RemoteDisconnected:
            raise _lost() from None
        except http.client.HTTPException as error:
            raise Failure(
                Reason.UPSTREAM_ERROR, f"the server does not speak HTTP: {type(error).__name__}"
            ) from error
        return response

    def send(self, data: bytes) -> None:
        """Write all of it before the deadline."""
        try:
            self._sock.settimeout(self.deadline.left() or 0.001)
            self._sock.sendall(data)
        except TimeoutError:
            raise timed_out() from None
        except OSError as error:
            raise _lost() from error

    def receive_into(self, buffer: Writable) -> int:
        """Read what is there, waiting as long as the deadline lets us."""
        self._wait()
        try:
            return self._sock.recv_into(buffer)
        except TimeoutError:
            raise timed_out() from None
        except OSError as error:
            raise _lost() from error

    def _wait(self) -> None:
        """Wait until there is something to read, or the asker has left."""
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return
        left = self.deadline.read_left()
        # A TLS record may arrive in parts: the read itself needs a limit too.
        self._sock.settimeout(left or 0.001)
        poller = select.poll()
        poller.register(self._sock, select.POLLIN)
        if self.asker is not None and self.asker.fileno() >= 0:
            poller.register(self.asker, _LEFT)
        ready = poller.poll(left * 1000)
        if not ready:
            raise timed_out()
        if all(fd != self._sock.fileno() for fd, _ in ready):
            raise AskerLeft

    def is_usable(self) -> bool:
        """Tell whether the server has kept the idle connection open."""
        poller = select.poll()
        poller.register(self._sock, select.POLLIN)
        return not poller.poll(0)

    def close(self) -> None:
        """Close it, also under an answer that is still being written."""
        self._sock.close()


class _Wire(io.RawIOBase):
    """What `http.client` reads a response from: a connection, with its deadline."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self, READ_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Writable, /) -> int:  # type: ignore[override]
        return self._connection.receive_into(buffer)


class _Body(httpx2.SyncByteStream):
    """The body of a response, in the pieces in which it comes."""

    def __init__(
        self,
        connection: _Connection,
        response: http.client.HTTPResponse,
        idle: deque[_Connection],
    ) -> None:
        self._connection = connection
        self._response = response
        self._idle = idle
        self._whole = False

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        try:
            while piece := self._response.read1(READ_BYTES):
                size += len(piece)
                if size > MAX_BODY_BYTES:
                    raise Failure(Reason.UPSTREAM_ERROR, "the answer is too large")
                yield piece
        except (http.client.HTTPException, ValueError) as error:  # ValueError: a bad chunk length
            raise _lost() from error
        if self._response.length:
            raise _lost()
        self._whole = True

    def close(self) -> None:
        """Keep the connection after a whole body, else close it: the server stops writing."""
        self._response.close()
        if self._whole and not self._response.will_close:
            self._idle.append(self._connection)
        else:
            self._connection.close()
        self._whole = False


def _lost() -> Failure:
    return Failure(Reason.CONNECTION_LOST, "the connection to the model was cut")
