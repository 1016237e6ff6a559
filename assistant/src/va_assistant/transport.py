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
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from typing import Any

import httpx2

from va_assistant.deadlines import Deadline
from va_assistant.errors import AskerLeft, Failure, Reason

MAX_BODY_BYTES = 16 * 1024 * 1024
"""An answer beyond this is no answer."""

READ_BYTES = 64 * 1024

Writable = bytearray | memoryview

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]
"""What `getaddrinfo` finds."""

DEADLINE: ContextVar[Deadline] = ContextVar("deadline")
"""Of the question that this thread asks."""

ASKER: ContextVar[socket.socket | None] = ContextVar("asker", default=None)
"""The connection of whoever asked, watched during every wait; None watches nothing."""

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


class Transport(httpx2.BaseTransport):
    """Kept-alive connections to one server; any number of threads may use it."""

    def __init__(self, base_url: str) -> None:
        url = httpx2.URL(base_url)
        self._host = url.host
        self._port = url.port or (443 if url.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if url.scheme == "https" else None
        self._idle: deque[_Connection] = deque()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request and return the response with its body still to come."""
        connection = self._take()
        try:
            response = connection.exchange(request)
        except BaseException:
            connection.close()
            raise
        return httpx2.Response(
            response.status,
            headers=response.headers.items(),
            stream=_Body(connection, response, self._idle),
        )

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> "_Connection":
        deadline = DEADLINE.get()
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if connection.is_usable():
                connection.deadline, connection.asker = deadline, ASKER.get()
                return connection
            connection.close()
        sock = _connect(self._host, self._port, self._tls, deadline)
        return _Connection(sock, deadline, ASKER.get())


class _Connection:
    """One connection and whose question it serves at the moment."""

    def __init__(
        self, sock: socket.socket, deadline: Deadline, asker: socket.socket | None
    ) -> None:
        self._sock = sock
        self.deadline = deadline
        self.asker = asker

    def exchange(self, request: httpx2.Request) -> http.client.HTTPResponse:
        """Send a request; return its response once the headers are there."""
        lines = [
            b"%s %s HTTP/1.1" % (request.method.encode(), request.url.raw_path),
            *(b"%s: %s" % pair for pair in request.headers.raw),
        ]
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
            raise _timed_out() from None
        except OSError as error:
            raise _lost() from error

    def receive_into(self, buffer: Writable) -> int:
        """Read what is there, waiting as long as the deadline lets us."""
        self._wait()
        try:
            return self._sock.recv_into(buffer)
        except TimeoutError:
            raise _timed_out() from None
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
            raise _timed_out()
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


def _connect(host: str, port: int, tls: ssl.SSLContext | None, deadline: Deadline) -> socket.socket:
    ends = deadline.clock() + deadline.connect_left()
    where = f"{host}:{port}"
    problem = "no connection in time"
    for family, kind, protocol, _, address in _resolve(host, port, ends - deadline.clock()):
        left = ends - deadline.clock()
        if left <= 0:
            break
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(left)
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return tls.wrap_socket(sock, server_hostname=host) if tls else sock
        except ssl.SSLError as error:
            sock.close()
            raise Failure(Reason.TLS_FAILED, f"{where}: {error.reason or error}") from error
        except TimeoutError:
            sock.close()
            problem = "no connection in time"
        except OSError as error:
            sock.close()
            problem = error.strerror or str(error)
    if not deadline.left():
        raise _timed_out()
    raise Failure(Reason.CONNECTION_REFUSED, f"{where}: {problem}")


def _resolve(host: str, port: int, seconds: float) -> Sequence[Address]:
    """Return the addresses of a host, waiting no longer than given.

    The system's resolver has no limit that a caller could set, so it gets a
    thread of its own, which is left behind when it takes too long.
    """
    found: SimpleQueue[Sequence[Address] | OSError | UnicodeError] = SimpleQueue()

    def search() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:  # UnicodeError: a label over 63 characters
            found.put(error)

    threading.Thread(target=search, name="resolve", daemon=True).start()
    try:
        result = found.get(timeout=seconds)
    except Empty:
        raise Failure(Reason.HOST_NOT_FOUND, f"{host}: no answer from the name server") from None
    if isinstance(result, UnicodeError):
        raise Failure(Reason.HOST_NOT_FOUND, f"{host}: no name of a host") from result
    if isinstance(result, OSError):
        problem = result.strerror or str(result)
        raise Failure(Reason.HOST_NOT_FOUND, f"{host}: {problem}") from result
    return result


def _timed_out() -> Failure:
    return Failure(Reason.TIMEOUT, "the model did not answer in time")


def _lost() -> Failure:
    return Failure(Reason.CONNECTION_LOST, "the connection to the model was cut")
