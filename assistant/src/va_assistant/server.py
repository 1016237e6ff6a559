"""gunicorn with one process of many threads, and what it lacks for this use."""

import contextlib
import math
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterable
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
    # Accepted connections inherit it.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
    return sock


class Server(BaseApplication):  # type: ignore[misc]
    """Serves a WSGI application until a signal ends it."""

    def __init__(
        self,
        wsgi: Callable[..., Iterable[bytes]],
        sock: socket.socket,
        *,
        threads: int,
        drain_seconds: float,
        receive_seconds: float,
        started: Callable[[], None],
        draining: Callable[[], None],
    ) -> None:
        """`started` runs in the process that serves, `draining` in its signal handler."""
        self._wsgi = wsgi
        self._sock = sock
        self._threads = threads
        self._drain_seconds = drain_seconds
        self._started = started
        self.receive_seconds = receive_seconds
        self.draining = draining
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn what it shall be."""
        settings = {
            "bind": f"fd://{self._sock.fileno()}",
            "workers": 1,
            "worker_class": Worker,
            "threads": self._threads,
            "keepalive": KEEPALIVE_SECONDS,
            "graceful_timeout": math.ceil(self._drain_seconds),
            "timeout": 60,
            "preload_app": True,
            # The root is read-only; a heartbeat on a disk can stall.
            "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108
            "control_socket_disable": True,
            "logger_class": _ServerLogger,
            "post_worker_init": lambda _worker: self._started(),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Iterable[bytes]]:
        """Return the application."""
        return self._wsgi


class Worker(ThreadWorker):  # type: ignore[misc]
    """Threads that a slow client cannot keep, and a stop that refuses newcomers at once."""

    app: Server
    wsgi: Callable[..., Iterable[bytes]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._receiving: dict[Any, float] = {}

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

    def init_signals(self) -> None:
        """Leave Ctrl-C to the parent, which would replace a worker that ends by itself."""
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Say that the end is near, then end gracefully."""
        self.app.draining()
        super().handle_exit(sig, frame)

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

    def handle_error(
        self, _req: object, client: socket.socket, _addr: object, exc: BaseException
    ) -> None:
        """Answer what is no HTTP with one line of text."""
        self.log.debug("bad request: %s", exc)
        line = f"{Reason.BAD_REQUEST}: {one_line(str(exc))}\n".encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(line)}\r\n"
            "Connection: close\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            client.sendall(head.encode() + line)


class _ServerLogger(Logger):  # type: ignore[misc]
    """Sends gunicorn's lines where all others go."""

    def setup(self, cfg: Any) -> None:
        """Leave out gunicorn's own handlers and its access log."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
