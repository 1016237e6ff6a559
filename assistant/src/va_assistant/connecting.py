"""How a connection to a model server comes about: its name, TCP, a proxy's tunnel, TLS.

All of it together takes no longer than `CONNECT_SECONDS` and the question's
deadline let it. Whatever fails here points to configuration: nothing was asked yet.
"""

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from va_assistant.deadlines import Deadline
from va_assistant.errors import Failure, Reason
from va_assistant.metadata_addresses import is_metadata
from va_assistant.proxies import Proxy, authority

MAX_HEAD_BYTES = 64 * 1024
"""A proxy's answer to CONNECT beyond this is none."""

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]
"""What `getaddrinfo` finds."""

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The way to one server."""

    host: str
    port: int
    secure: bool
    """Whether TLS is spoken with the server."""
    proxy: Proxy | None

    def __str__(self) -> str:
        return f"{self.server} through {self.proxy}" if self.proxy else self.server

    @property
    def server(self) -> str:
        """The server's host and port."""
        return authority(self.host, self.port)

    @property
    def is_forwarded(self) -> bool:
        """Tell whether a proxy reads each request and passes it on, as it does without TLS."""
        return self.proxy is not None and not self.secure

    def refusal(self, status: int) -> Failure:
        """Return the failure of a connection that the proxy does not make.

        Like one that comes to nothing without a proxy, and whatever the status: 502 or
        503 is what proxies answer to a host name that is misspelt, too.
        """
        said = f"{status} {http.client.responses.get(status, '')}".strip()
        return Failure(
            Reason.CONNECTION_REFUSED,
            f"{self.proxy} makes no connection to {self.server}: it answered {said}",
        )

    def connect(self, deadline: Deadline, tls: ssl.SSLContext | None) -> socket.socket:
        """Return a connection that is ready for a request; raises a `Failure`.

        `tls` is what verifies the server, None where no TLS is spoken.

        With a proxy, only the proxy's name is searched for here: the search for
        the server's is its affair.
        """
        limit = Deadline(
            ends=deadline.clock() + deadline.connect_left(), gap=0, clock=deadline.clock
        )
        # Who it is that fails: until it is reached, the proxy.
        who: object = self.proxy or self
        problem = "no connection in time"
        for family, kind, protocol, _, address in self._addresses(limit):
            if not limit.left():
                break
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(_left(limit))
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                who = self
                return self._prepare(sock, limit, tls)
            except OSError as error:
                sock.close()
                problem = _problem(error)
            except BaseException:
                sock.close()
                raise
        if not deadline.left():
            raise timed_out()
        raise Failure(Reason.CONNECTION_REFUSED, f"{who}: {problem}")

    def _addresses(self, limit: Deadline) -> Sequence[Address]:
        if self.proxy is None:
            found = _resolve(self.host, self.port, limit.left(), whose=self.host)
            # What a name leads to is looked at, and what was looked at is what is connected to.
            if any(is_metadata(str(address[0])) for *_, address in found):
                raise _never_asked(self)
            return found
        if any(is_metadata(str(address[0])) for *_, address in _literal(self.host)):
            raise _never_asked(self)
        proxy = self.proxy
        return _resolve(proxy.host, proxy.port, limit.left(), whose=str(proxy))

    def _prepare(
        self, sock: socket.socket, limit: Deadline, tls: ssl.SSLContext | None
    ) -> socket.socket:
        """Do on a new connection what comes before the first request."""
        if tls is None:
            return sock
        if self.proxy:
            self._open_tunnel(self.proxy, sock, limit)
        sock.settimeout(_left(limit))
        try:
            return tls.wrap_socket(sock, server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            untrusted = f"the certificate is not trusted: {error.verify_message}"
            raise Failure(Reason.TLS_FAILED, f"{self}: {untrusted}") from error
        except ssl.SSLError as error:
            raise Failure(Reason.TLS_FAILED, f"{self}: {error.reason or error}") from error

    def _open_tunnel(self, proxy: Proxy, sock: socket.socket, limit: Deadline) -> None:
        request = f"CONNECT {self.server} HTTP/1.1\r\nHost: {self.server}\r\n"
        if proxy.authorization:
            request += f"Proxy-Authorization: {proxy.authorization}\r\n"
        sock.settimeout(_left(limit))
        sock.sendall(f"{request}\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head and len(head) < MAX_HEAD_BYTES:
            sock.settimeout(_left(limit))
            piece = sock.recv(MAX_HEAD_BYTES)
            if not piece:
                break
            head += piece
        said = _STATUS_LINE.match(head)
        if not said or b"\r\n\r\n" not in head:
            raise Failure(
                Reason.CONNECTION_REFUSED, f"{proxy}: no HTTP answer to CONNECT {self.server}"
            )
        if not 200 <= (status := int(said[1])) < 300:
            raise self.refusal(status)


def timed_out() -> Failure:
    """Return the failure of a question whose time is over."""
    return Failure(Reason.TIMEOUT, "the model did not answer in time")


def _never_asked(route: Route) -> Failure:
    return Failure(
        Reason.CONNECTION_REFUSED,
        f"{route}: it is the address of a machine's own metadata, which is never asked",
    )


def _literal(host: str) -> Sequence[Address]:
    """Return the address that a host is written as, in any spelling; none for a name."""
    try:
        return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return ()


def _left(limit: Deadline) -> float:
    return limit.left() or 0.001  # 0 would mean not to block


def _problem(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no connection in time"
    return error.strerror or str(error)


def _resolve(host: str, port: int, seconds: float, *, whose: str) -> Sequence[Address]:
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
        raise Failure(Reason.HOST_NOT_FOUND, f"{whose}: no answer from the name server") from None
    if isinstance(result, UnicodeError):
        raise Failure(Reason.HOST_NOT_FOUND, f"{whose}: no name of a host") from result
    if isinstance(result, OSError):
        problem = result.strerror or str(result)
        raise Failure(Reason.HOST_NOT_FOUND, f"{whose}: {problem}") from result
    return result
