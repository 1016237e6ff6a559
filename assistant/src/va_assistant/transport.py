"""HTTP/1.1 to one model server, with every wait bounded by the question's deadline.

It sends what the `openai` package would, in place of httpx2's own transport. That
one limits each read but not their sum, so a server that sends a byte a second
holds a question for ever; it does not limit the search for a host's name at
all; and it cannot notice that the asker has left.
"""

import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from contextvars import ContextVar

import httpx2

from va_assistant.connecting import Route, timed_out
from va_assistant.deadlines import Deadline
from va_assistant.errors import AskerLeft, Failure, Reason
from va_assistant.proxies import Proxy
from va_assistant.responses import Reading, lost
from va_assistant.trust import SystemTrust, Trust

MAX_BODY_BYTES = 16 * 1024 * 1024
"""An answer beyond this is no answer."""

READ_BYTES = 64 * 1024

IDLE_SECONDS = 30.0
"""After which a connection that nobody uses is closed: what stands between here and the server
forgets it in silence, some after minutes, and it would look as good as ever."""

PROXY_AUTHENTICATION_REQUIRED = 407
"""The one status that is certainly a proxy's."""

DEADLINE: ContextVar[Deadline] = ContextVar("deadline")
"""Of the question that this thread asks."""

ASKER: ContextVar[socket.socket | None] = ContextVar("asker", default=None)
"""The connection of whoever asked, watched during every wait; None watches nothing."""

TRACEPARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The header of W3C Trace Context for the call that this thread makes; None for none."""

_OWN = frozenset({b"content-length", b"connection"})
"""Headers of a request that are its connection's."""

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


class Transport:
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

    def head_of(self, request: httpx2.Request) -> bytes:
        """Return the head of requests like one, for bodies of their own.

        A proxy that passes requests on needs the scheme, host and port, and who we are.
        """
        target = b"%s %s%s HTTP/1.1" % (
            request.method.encode(), self._origin, request.url.raw_path
        )  # fmt: skip
        headers = (b"%s: %s" % pair for pair in request.headers.raw if pair[0].lower() not in _OWN)
        return b"\r\n".join((target, *self._for_proxy, *headers))

    def send(self, head: bytes, body: bytes) -> "Response":
        """Send a request and return the response with its body still to come."""
        lines = [head, b"Content-Length: %d" % len(body)]
        if traceparent := TRACEPARENT.get():
            lines.append(b"traceparent: " + traceparent.encode())
        # In one piece: every call of the system costs.
        request = b"\r\n".join((*lines, b"", body))
        connection = self._take() or self._connect()
        try:
            reading = self._exchange(connection, request)
        except Failure as failure:
            if failure.reason is not Reason.CONNECTION_LOST or not connection.may_be_gone:
                raise
            # It was closed while nobody looked, and so are others like it: this is no failure
            # of the model, and no try of it. One that had begun to answer has the question.
            connection = self._connect()
            reading = self._exchange(connection, request)
        return Response(connection, reading, self._keep)

    def trust_now(self) -> ssl.SSLContext | None:
        """Return what verifies the server now, None without TLS; raises a `Failure`."""
        return self._trust.context() if self._trust else None

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _exchange(self, connection: "_Connection", request: bytes) -> Reading:
        """Return the response on a connection, which is closed where there is none."""
        try:
            connection.send(request)
            reading = Reading(connection.receive)
        except BaseException:
            connection.close()
            raise
        if self._is_forwarded and reading.status == PROXY_AUTHENTICATION_REQUIRED:
            connection.close()
            raise self._route.refusal(reading.status)
        return reading

    def _take(self) -> "_Connection | None":
        """Return a connection that was used before; None where none is left that can be."""
        tls, oldest = self.trust_now(), time.monotonic() - IDLE_SECONDS
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            # Whom nobody trusts any more is not asked over an old connection either.
            if connection.tls is tls and connection.since > oldest and connection.is_usable():
                connection.deadline, connection.asker = DEADLINE.get(), ASKER.get()
                connection.may_be_gone = True
                return connection
            connection.close()
        return None

    def _connect(self) -> "_Connection":
        deadline, tls = DEADLINE.get(), self.trust_now()
        return _Connection(self._route.connect(deadline, tls), tls, deadline, ASKER.get())

    def _keep(self, connection: "_Connection") -> None:
        """Keep a connection for the next request, and none that was kept for too long."""
        connection.since = time.monotonic()
        self._idle.append(connection)
        while self._idle:
            try:
                oldest = self._idle.popleft()
            except IndexError:
                break
            if oldest.since > connection.since - IDLE_SECONDS:
                self._idle.appendleft(oldest)
                break
            oldest.close()


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
        self.since = time.monotonic()
        """When it was made, or last left idle."""

        self.may_be_gone = False
        """Whether it was kept, and nothing has come over it since."""

    def send(self, data: bytes) -> None:
        """Write all of it before the deadline."""
        try:
            self._sock.settimeout(self.deadline.left() or 0.001)
            self._sock.sendall(data)
        except OSError as error:
            raise _cut(error) from error

    def receive(self) -> bytes:
        """Return what is there, waiting as long as the deadline lets us; nothing at the end."""
        self._wait()
        try:
            received = self._sock.recv(READ_BYTES)
        except OSError as error:
            raise _cut(error) from error
        if received:
            self.may_be_gone = False
        return received

    def _wait(self) -> None:
        """Wait until there is something to read, or the asker has left."""
        left = self.deadline.read_left()
        if not left:  # also where there is something: a server may send without end
            raise timed_out()
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return
        # A TLS record may arrive in parts: the read itself needs a limit too.
        self._sock.settimeout(left)
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


class Response:
    """A response whose body comes in pieces; it must be closed."""

    def __init__(
        self, connection: _Connection, reading: Reading, keep: Callable[[_Connection], None]
    ) -> None:
        self._connection = connection
        self._reading = reading
        self._keep = keep
        self._is_open = True
        self.status = reading.status
        self.headers = reading.headers
        """By their names in small letters."""

    def read(self) -> bytes:
        """Return the whole body, and close."""
        with closing(self):
            return b"".join(self)

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._reading.body():
            size += len(piece)
            if size > MAX_BODY_BYTES:
                raise Failure(Reason.UPSTREAM_ERROR, "the answer is too large")
            yield piece

    def close(self) -> None:
        """Keep the connection after a whole body, else close it: the server stops writing."""
        if not self._is_open:
            return
        self._is_open = False
        if self._reading.can_go_on:
            self._keep(self._connection)
        else:
            self._connection.close()


def _cut(error: OSError) -> Failure:
    """Return what an error of a socket stands for: our own limit, or the end of the connection."""
    if isinstance(error, TimeoutError) and error.errno is None:
        return timed_out()
    return lost()
