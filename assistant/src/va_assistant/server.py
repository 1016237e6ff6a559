"""gunicorn with one process of many threads, and what it lacks for this use."""

import contextlib
import math
import os
import select
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from va_assistant.errors import Reason, one_line

SPARE_THREADS = 16
"""Threads beyond the questions at work: they say `TooBusy` and answer `/health`."""

KEEPALIVE_SECONDS = 15
SEND_SECONDS = 30
"""How long a client may leave what was sent to it untouched."""

LINGER_SECONDS = 2.0
"""How long a client may leave a connection open that is closed from this side."""

NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
"""What a model writes is never run, loaded or framed, whatever a browser takes it for."""

STALLED_SECONDS = 20.0
"""A loop that has not turned for so long does not serve."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; on every address where `host` is empty.

    Raises `OSError` where the port is taken.
    """
    both = not host and socket.has_dualstack_ipv6()
    sock = socket.create_server(
        (host, port),
        family=socket.AF_INET6 if both or ":" in host else socket.AF_INET,
        dualstack_ipv6=both,
        backlog=512,
    )
    # Accepted connections inherit both.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
    return sock


class Server(BaseApplication):  # type: ignore[misc]
    """Serves a WSGI application until a signal ends it.

    gunicorn's worker runs in this process, without the parent that gunicorn
    usually puts before it: the kubelet replaces a process that dies or hangs,
    and a second copy of everything would take half of the pod's memory.
    """

    def __init__(
        self,
        wsgi: Callable[..., Iterable[bytes]],
        sock: socket.socket,
        *,
        threads: int,
        drain_seconds: float,
        receive_seconds: float,
        draining: Callable[[], None],
    ) -> None:
        """`draining` is called by a signal handler when the end is near."""
        self._wsgi = wsgi
        self._sock = sock
        self._threads = threads
        self._drain_seconds = drain_seconds
        self.receive_seconds = receive_seconds
        self.draining = draining
        self.last_turn = time.monotonic()
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn what it shall be."""
        settings = {
            "threads": self._threads,
            "keepalive": KEEPALIVE_SECONDS,
            "graceful_timeout": math.ceil(self._drain_seconds),
            # The root is read-only, and only these two are memory.
            "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp",  # noqa: S108
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Iterable[bytes]]:
        """Return the application."""
        return self._wsgi

    def run(self) -> None:
        """Serve; answers that outlast the drain are left to the end of the process."""
        worker = Worker(0, os.getppid(), [self._sock], self, 0, self.cfg, _ServerLogger(self.cfg))
        worker.init_process()

    def is_serving(self) -> bool:
        """Tell whether the loop that accepts connections still turns."""
        return time.monotonic() - self.last_turn < STALLED_SECONDS


class Worker(ThreadWorker):  # type: ignore[misc]
    """Threads that a slow client cannot keep, and a stop that refuses newcomers at once."""

    app: Server
    wsgi: Callable[..., Iterable[bytes]]

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._receiving: dict[Any, float] = {}
        self._lingering: dict[socket.socket, float] = {}

    def notify(self) -> None:
        """Take note of a turn of the loop; gunicorn calls this at least every second."""
        self.app.last_turn = time.monotonic()

    def is_parent_alive(self) -> bool:
        """Serve on when the shell that started it is gone."""
        return True

    def load_wsgi(self) -> None:
        """Let the application say that it has the whole request, or wants no more of it."""
        super().load_wsgi()
        wsgi = self.wsgi

        def with_receipt(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            sock = environ["gunicorn.socket"]
            environ["va.received"] = lambda: self._receiving.pop(sock, None)
            environ["va.close"] = start_response.__self__.force_close
            return wsgi(environ, start_response)

        self.wsgi = with_receipt

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection a thread once it has sent something: many come and say nothing.

        gunicorn lets a new one hold a thread for five seconds of silence.
        """
        conn.close = partial(self._close, conn)
        if self.alive and not (conn.initialized or conn.data_ready or _has_sent(conn.sock)):
            conn.sock.setblocking(False)
            conn.timeout = time.monotonic() + KEEPALIVE_SECONDS
            self.pending_conns.append(conn)
            self.poller.register(
                conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn)
            )
            return
        super().enqueue_req(conn)

    def _close(self, conn: Any, graceful: bool = False) -> None:
        """Close a connection, in the end when the client has or when its time is over.

        gunicorn waits for the client, in the loop that everybody else needs.
        """
        if not (graceful and self.alive):
            type(conn).close(conn, graceful=graceful)
            return
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            conn.sock.close()  # it has left already
            return
        self._lingering[conn.sock] = time.monotonic() + LINGER_SECONDS
        self.poller.register(conn.sock, selectors.EVENT_READ, self._drain)

    def _drain(self, sock: socket.socket) -> None:
        """Read what a client still sends, for with a part unread it would lose its answer."""
        try:
            has_left = not sock.recv(64 * 1024)
        except BlockingIOError:
            return
        except OSError:
            has_left = True
        if has_left:
            self._end(sock)

    def _end(self, sock: socket.socket) -> None:
        del self._lingering[sock]
        self.poller.unregister(sock)
        sock.close()

    def handle(self, conn: Any) -> Any:
        """Serve one request, whose sender has a limited time to send it."""
        self._receiving[conn.sock] = time.monotonic() + self.app.receive_seconds
        try:
            return super().handle(conn)
        finally:
            self._receiving.pop(conn.sock, None)

    def murder_pending(self) -> None:
        """Also cut off those who are too slow; gunicorn calls this every second."""
        super().murder_pending()
        now = time.monotonic()
        for sock, ends in list(self._receiving.items()):
            if ends < now:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for sock, ends in list(self._lingering.items()):
            if ends < now:
                self._end(sock)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Say that the end is near, then end gracefully."""
        self.app.draining()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End the same way without waiting for open answers: Ctrl-C."""
        self.cfg.set("graceful_timeout", 0)
        self.handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """After the last connection that waits is taken, refuse instead of letting wait."""
        if not self.alive and self._accepting:
            for listener in self.sockets:
                while select.select([listener], [], [], 0)[0]:
                    self.accept(listener)
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()
            for silent in self.pending_conns:
                silent.timeout = time.monotonic()  # the end waits for answers, not for questions

    def handle_error(
        self, _req: object, client: socket.socket, _addr: object, exc: BaseException
    ) -> None:
        """Answer what is no HTTP with one line of text."""
        self.log.debug("bad request: %s", exc)
        line = f"{Reason.BAD_REQUEST}: {one_line(str(exc))}\n".encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"X-Content-Type-Options: nosniff\r\nContent-Security-Policy: {NO_PAGE}\r\n"
            f"Cache-Control: no-store\r\nContent-Length: {len(line)}\r\nConnection: close\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            client.sendall(head.encode() + line)


def _has_sent(sock: socket.socket) -> bool:
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(0))


class _ServerLogger(Logger):  # type: ignore[misc]
    """Sends gunicorn's lines where all others go."""

    def setup(self, cfg: Any) -> None:
        """Leave out gunicorn's own handlers and its access log."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
