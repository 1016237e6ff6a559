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
from itertools import chain
from typing import Any

from gunicorn.http import get_parser  # type: ignore[import-untyped]
from gunicorn.http.errors import (  # type: ignore[import-untyped]
    LimitRequestHeaders,
    NoMoreData,
    ParseException,
)
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from va_assistant.errors import Failure, Reason
from va_assistant.framing import HEAD_BYTES, Incoming, Stage
from va_assistant.parting import SEND_SECONDS, Parting
from va_assistant.turned_away import failure_of, told

RECEIVE_SECONDS = 15.0
"""How long a client may take to send a request, and to begin with its first one."""

DRAIN_RECEIVE_SECONDS = 1.0
"""The same once the end is near: what is on its way arrives by then."""

HELD_BYTES = 32 * 1024 * 1024
"""Of requests that no thread has taken yet, all together."""

NO_FILE_SECONDS = 1.0
"""How long nobody is taken after there was no file for a connection and nobody to make room."""

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

        self.claim = threading.Lock()
        """Whoever acquires it deals with the request that was handed over."""

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
        self.claim = threading.Lock()
        self.parser = get_parser(self.cfg, self._given(), self.client)

    def _given(self) -> Iterator[bytes]:
        """Yield what has come; goes on where the parser wants more than that."""
        too_long = self.incoming.is_head_too_long
        received = self._worker.released(self.incoming)
        # Without its end, which may be there, what is too long is refused for that at the latest.
        yield received[:HEAD_BYTES] if too_long else received
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
        """Those of which more is to come, the one that ends first at the front."""

        self._unread: dict[Connection, None] = {}
        """Those whose clients have to read answers before there is room for the next, likewise."""

        self._held = 0
        self._counting = threading.Lock()
        self._lacks_files = False
        self._accepts_from = 0.0

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
            self._lacks_files = self._lacks_files or error.errno in _NO_ROOM
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self, sock, client, listener.getsockname()))

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Do what is to be done at one turn, then see that there is room for more.

        Not before: what is ended meanwhile may be among what is still to be done.
        """
        super().wait_for_and_dispatch_events(timeout)
        lacks_files, self._lacks_files = self._lacks_files, False
        if lacks_files or self.nr_conns >= self.worker_connections:
            has_made_room = self._make_room()
            if lacks_files and not has_made_room:
                # The listener stays readable: the loop would do nothing but try again.
                self._accepts_from = time.monotonic() + NO_FILE_SECONDS
                self.set_accept_enabled(False)
        while self._held > HELD_BYTES:
            waiting = chain(self._waiting, self._unread)
            holder = next((conn for conn in waiting if conn.incoming.received), None)
            if not holder:
                break
            self._drop(holder, _too_busy())

    def _make_room(self) -> bool:
        """End one connection at which no thread has worked for long; False if there is none."""
        waiting = next(chain(self._waiting, self._unread), None)
        idle = self.keepalived_conns[0] if self.keepalived_conns else None
        if self.lingering:
            self.end(next(iter(self.lingering)))
        elif idle and not (waiting and waiting.ends < idle.timeout):
            idle.timeout = 0.0
            self.murder_keepalived()
        elif waiting:
            self._drop(waiting, _too_busy())
        else:
            return False
        return True

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
            self._wait_for_more(conn)
        except OSError:
            self._drop(conn)
        else:
            self._take(conn, piece)

    def _take(self, conn: Connection, piece: bytes) -> None:
        """Add a piece to a request; an empty one is the client's end."""
        incoming = conn.incoming
        is_first = not incoming.has_begun
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
            if is_first and incoming.has_begun:
                self._forget(conn)  # the time for the request begins
            self._wait_for_more(conn)
            if incoming.continue_is_due():
                with contextlib.suppress(OSError):
                    conn.sock.send(_CONTINUE, socket.MSG_DONTWAIT)
        elif conn.parser and not _has_room(conn.sock):
            self._forget(conn)
            self._unread[conn] = None
            give = partial(self._give, conn, stage)
            self._wait(conn, SEND_SECONDS, selectors.EVENT_WRITE, give)
        else:
            self._give(conn, stage)

    def _give(self, conn: Connection, stage: Stage, _sock: socket.socket | None = None) -> None:
        """Give a thread what has come of a request."""
        self._forget(conn)
        conn.hand_over(whole=stage is Stage.WHOLE)
        try:
            self.tpool.submit(self._serve, conn)
        except RuntimeError as error:
            # No thread can be started. The request is among the pool's work nevertheless, and
            # one that has just become idle may have taken it.
            if conn.claim.acquire(blocking=False):
                self.log.warning("no thread for a request: %s", error)
                self._drop(conn, _too_busy())

    def _serve(self, conn: Connection) -> None:
        """Do a thread's work."""
        if conn.claim.acquire(blocking=False):
            keeps = False
            try:
                keeps = self.handle(conn)
            finally:
                self.method_queue.defer(self.finish_request, conn, _Done(keeps))

    def released(self, incoming: Incoming) -> bytes:
        """Return what has come of a request, which from now on is the caller's to hold."""
        received, incoming.received = bytes(incoming.received), bytearray()
        with self._counting:
            self._held -= len(received)
        return received

    def _wait_for_more(self, conn: Connection) -> None:
        if conn not in self._waiting:
            self._waiting[conn] = None
            self._wait(conn, RECEIVE_SECONDS, selectors.EVENT_READ, partial(self._read, conn))

    def _wait(
        self,
        conn: Connection,
        seconds: float,
        event: int,
        then: Callable[[socket.socket], None],
    ) -> None:
        """Wait in no thread."""
        conn.ends = time.monotonic() + (seconds if self.alive else DRAIN_RECEIVE_SECONDS)
        self.poller.register(conn.sock, event, then)

    def _forget(self, conn: Connection) -> None:
        """Wait for it no longer."""
        if conn in self._waiting:
            del self._waiting[conn]
        elif conn in self._unread:
            del self._unread[conn]
        else:
            return
        self.poller.unregister(conn.sock)

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Serve a request; one that did not come to its end is the last of its connection."""
        req._expected_100_continue = False  # noqa: SLF001  # it was told to go on when it waited
        if not conn.is_whole:
            req.force_close()
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Connection, keepalive: Any) -> bool:
        """Serve no more on a connection whose parser wanted more than a whole request."""
        try:
            return bool(super()._keepalive_after(conn, keepalive)) and conn.is_whole
        except (ParseException, NoMoreData):
            # It was answered already, so whatever is said now would answer the next request.
            return False

    def murder_pending(self) -> None:
        """Cut off those whose time is over; gunicorn calls this at every turn of the loop."""
        super().murder_pending()
        now = time.monotonic()
        for among in (self._waiting, self._unread):
            while among and (conn := next(iter(among))).ends <= now:
                failure = Failure(Reason.TOO_SLOW, "the request did not come in time")
                begun = conn.incoming.has_begun
                self._drop(conn, failure if begun else None, graceful=self.alive)

    def _drop(
        self, conn: Connection, failure: Failure | None = None, *, graceful: bool = False
    ) -> None:
        """End a connection at which no thread works; whoever has sent a part is told why.

        Not those who do not even read what they were sent before.
        """
        is_told = conn.incoming.has_begun and conn not in self._unread
        self._forget(conn)
        self.released(conn.incoming)
        if failure:
            self.app.turned_away(failure.reason)
        if failure and is_told:
            with contextlib.suppress(OSError):
                conn.sock.send(told(failure), socket.MSG_DONTWAIT)
        self.nr_conns -= 1
        conn.close(graceful=graceful and is_told)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Once the end is near, wait no longer than what is on its way takes."""
        if enabled and time.monotonic() < self._accepts_from:
            return
        super().set_accept_enabled(enabled)
        if not self.alive:
            ends = time.monotonic() + DRAIN_RECEIVE_SECONDS
            for conn in chain(self._waiting, self._unread):
                conn.ends = min(conn.ends, ends)

    def handle_error(
        self, _req: object, client: socket.socket, _addr: object, exc: BaseException
    ) -> None:
        """Answer what is no HTTP, or too much of it, with one line of text."""
        failure = failure_of(exc)
        if failure.reason is Reason.INTERNAL_ERROR:
            self.log.error("unexpected", exc_info=exc)
        self.app.turned_away(failure.reason)
        with contextlib.suppress(OSError):
            client.sendall(told(failure))


class _Done:
    """What a thread's work came to, as `finish_request` asks a future for it."""

    def __init__(self, keeps: bool) -> None:
        self._keeps = keeps

    def cancelled(self) -> bool:
        return False

    def result(self) -> bool:
        """Return whether the connection is kept."""
        return self._keeps


def _has_room(sock: socket.socket) -> bool:
    """Tell whether a client has read enough of its answers for another to be sent without waiting.

    The kernel says so while a third of `SEND_BUFFER_BYTES` is free.
    """
    poller = select.poll()
    poller.register(sock, select.POLLOUT)
    return bool(poller.poll(0))


def _too_busy() -> Failure:
    return Failure(Reason.TOO_BUSY, "too many requests have not come to their end")
