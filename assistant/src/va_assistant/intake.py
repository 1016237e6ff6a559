"""Takes requests in: a thread is given one that has come to its end, and waits for no client.

gunicorn's worker gives a thread what has sent its first byte, and the thread reads the rest: as
many half-sent requests as there are threads stop a server. Here the loop that waits for
connections reads them, too, and gunicorn's parser is given what has come. Who is slow costs a
connection and the bytes that were sent.
"""

import contextlib
import errno
import select
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from gunicorn.http import get_parser  # type: ignore[import-untyped]
from gunicorn.http.errors import LimitRequestHeaders  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from va_assistant.errors import Failure, Reason
from va_assistant.framing import HEAD_BYTES, Incoming, Stage
from va_assistant.parting import Parting
from va_assistant.turned_away import failure_of, told

RECEIVE_SECONDS = 15.0
"""How long a client may take to send a request, and to begin with its first one."""

DRAIN_RECEIVE_SECONDS = 1.0
"""The same once the end is near: what is on its way arrives by then."""

HELD_BYTES = 32 * 1024 * 1024
"""Of requests that no thread has taken yet, all together."""

_READ_BYTES = 16 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Connection(TConn):  # type: ignore[misc]
    """A connection, with what has come of its next request."""

    incoming: Incoming

    def __init__(self, worker: "Worker", sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(worker.cfg, sock, client, server)
        self._worker = worker
        self.ends = 0.0
        """When what has not come by then is waited for no longer."""

        self.is_whole = False
        """Whether a thread was given all of a request. If not, where the next would begin is
        unknown, and this was the last one here."""

        # gunicorn shall neither wait for data nor make a parser that reads from the socket.
        self.initialized = self.data_ready = True

    def next_request(self) -> bytes:
        """Begin with the next request; return what has come of it together with the one before."""
        self.incoming = Incoming(self._worker.app.largest_body)
        rest: bytes = self.parser.unreader.take_buffered() if self.parser else b""
        return rest

    def hand_over(self, *, whole: bool) -> None:
        """Give the parser what has come, and nothing more to wait for."""
        self.is_whole = whole
        self.parser = get_parser(self.cfg, self._given(), self.client)

    def _given(self) -> Iterator[bytes]:
        """Yield what has come; goes on where the parser wants more than that."""
        too_long = not self.incoming.has_head and len(self.incoming.received) > HEAD_BYTES
        yield self._worker.released(self.incoming)
        self.is_whole = False
        if too_long:
            raise LimitRequestHeaders(f"longer than {HEAD_BYTES} bytes")

    def close(self, graceful: bool = False) -> None:
        """Close it; gracefully, the client has a moment to read what was sent to it."""
        if graceful:
            self._worker.linger(self.sock)
        else:
            super().close()


class Worker(Parting):
    """Threads that no client can keep waiting."""

    wsgi: Callable[..., Iterable[bytes]]

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._waiting: dict[Connection, None] = {}
        """Those that no thread works at, the one that ends first at the front."""

        self._held = 0
        self._counting = threading.Lock()
        self._lacks_files = False

    def load_wsgi(self) -> None:
        """Let the application say that it wants no more of a connection."""
        super().load_wsgi()
        wsgi = self.wsgi

        def with_close(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            environ["va.close"] = start_response.__self__.force_close
            return wsgi(environ, start_response)

        self.wsgi = with_close

    # Connections come.

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and what it has sent already."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            # Whatever it is, the next one may come: the service does not end for it.
            self._lacks_files = error.errno in _NO_ROOM
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self, sock, client, listener.getsockname()))

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Do what is to be done at one turn, then see that there is room for more.

        Not before: what is ended meanwhile may be among what is still to be done.
        """
        super().wait_for_and_dispatch_events(timeout)
        if self._lacks_files or self.nr_conns >= self.worker_connections:
            self._lacks_files = False
            self._make_room()
        while self._held > HELD_BYTES and self._waiting:
            self._drop(next(iter(self._waiting)), _too_busy())

    def _make_room(self) -> None:
        """End the connection at which no thread has worked for the longest, if there is one."""
        waiting = next(iter(self._waiting), None)
        idle = self.keepalived_conns[0] if self.keepalived_conns else None
        if self.lingering:
            self.end(next(iter(self.lingering)))
        elif idle and not (waiting and waiting.ends < idle.timeout):
            idle.timeout = 0.0
            self.murder_keepalived()
        elif waiting:
            self._drop(waiting, _too_busy())

    # Requests come.

    def enqueue_req(self, conn: Connection) -> None:
        """Look for the next request of a connection, and give it a thread once it has come."""
        rest = conn.next_request()
        if rest:
            self._take(conn, rest)
        else:
            self._read(conn)

    def _read(self, conn: Connection, _sock: socket.socket | None = None) -> None:
        """Read what has come, without waiting."""
        try:
            piece = conn.sock.recv(_READ_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._wait_for(conn)
        except OSError:
            self._drop(conn)
        else:
            self._take(conn, piece)

    def _take(self, conn: Connection, piece: bytes) -> None:
        """Add a piece to a request; an empty one is the client's end."""
        incoming = conn.incoming
        is_first = not incoming.received
        if piece:
            with self._counting:
                self._held += len(piece)
            try:
                stage = incoming.take(piece)
            except Exception:  # nobody's bytes shall end the service of all others
                self.log.exception("unexpected")
                stage = Stage.ENOUGH
        elif is_first:
            self._drop(conn)
            return
        else:
            stage = Stage.ENOUGH
        if stage is Stage.PART:
            if is_first:
                self._forget(conn)  # the time for the request begins
            self._wait_for(conn)
            if incoming.continue_is_due():
                with contextlib.suppress(OSError):
                    conn.sock.send(_CONTINUE, socket.MSG_DONTWAIT)
        elif conn.parser and not _has_room(conn.sock):
            self._forget(conn)
            self._wait_for(conn, selectors.EVENT_WRITE, partial(self._give, conn, stage))
        else:
            self._give(conn, stage)

    def _give(self, conn: Connection, stage: Stage, _sock: socket.socket | None = None) -> None:
        """Give a thread what has come of a request."""
        self._forget(conn)
        conn.hand_over(whole=stage is Stage.WHOLE)
        super().enqueue_req(conn)

    def released(self, incoming: Incoming) -> bytes:
        """Return what has come of a request, which from now on is the caller's to hold."""
        received, incoming.received = bytes(incoming.received), bytearray()
        with self._counting:
            self._held -= len(received)
        return received

    def _wait_for(
        self,
        conn: Connection,
        event: int = selectors.EVENT_READ,
        then: Callable[[socket.socket], None] | None = None,
    ) -> None:
        """Wait in no thread for more of a request, or for room for the answer."""
        if conn not in self._waiting:
            seconds = RECEIVE_SECONDS if self.alive else DRAIN_RECEIVE_SECONDS
            conn.ends = time.monotonic() + seconds
            self._waiting[conn] = None
            self.poller.register(conn.sock, event, then or partial(self._read, conn))

    def _forget(self, conn: Connection) -> None:
        """Wait for it no longer."""
        if conn in self._waiting:
            del self._waiting[conn]
            self.poller.unregister(conn.sock)

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Serve a request; one that did not come to its end is the last of its connection."""
        req._expected_100_continue = False  # noqa: SLF001  # it was told to go on when it waited
        if not conn.is_whole:
            req.force_close()
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Connection, keepalive: Any) -> bool:
        """Serve no more on a connection whose parser wanted more than a whole request."""
        return bool(super()._keepalive_after(conn, keepalive)) and conn.is_whole

    def murder_pending(self) -> None:
        """Cut off those whose time is over; gunicorn calls this every second."""
        super().murder_pending()
        now = time.monotonic()
        for conn in list(self._waiting):
            if conn.ends > now:
                break
            is_read = self.poller.get_key(conn.sock).events == selectors.EVENT_READ
            if is_read and conn.incoming.has_head:
                self.app.not_sent(RECEIVE_SECONDS)
            failure = Failure(Reason.TOO_SLOW, "the request did not come in time")
            self._drop(conn, failure, graceful=self.alive)

    def _drop(
        self, conn: Connection, failure: Failure | None = None, *, graceful: bool = False
    ) -> None:
        """End a connection at which no thread works; whoever has sent a part is told why."""
        self._forget(conn)
        begun = bool(self.released(conn.incoming))
        if failure and begun:
            with contextlib.suppress(OSError):
                conn.sock.send(told(failure), socket.MSG_DONTWAIT)
        self.nr_conns -= 1
        conn.close(graceful=graceful and begun)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Once the end is near, wait no longer than what is on its way takes."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            ends = time.monotonic() + DRAIN_RECEIVE_SECONDS
            for conn in self._waiting:
                conn.ends = min(conn.ends, ends)

    def handle_error(
        self, _req: object, client: socket.socket, _addr: object, exc: BaseException
    ) -> None:
        """Answer what is no HTTP, or too much of it, with one line of text."""
        failure = failure_of(exc)
        if failure.reason is Reason.INTERNAL_ERROR:
            self.log.error("unexpected", exc_info=exc)
        with contextlib.suppress(OSError):
            client.sendall(told(failure))


def _has_room(sock: socket.socket) -> bool:
    """Tell whether a client has read enough of its answers for another to be sent without waiting.

    The kernel says so while a third of `SEND_BUFFER_BYTES` is free.
    """
    poller = select.poll()
    poller.register(sock, select.POLLOUT)
    return bool(poller.poll(0))


def _too_busy() -> Failure:
    return Failure(Reason.TOO_BUSY, "too many requests have not come to their end")
