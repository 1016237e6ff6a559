"""gunicorn with one process of many threads, and what it lacks for this use."""

import math
import os
import resource
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from va_assistant.intake import Worker
from va_assistant.parting import BACKLOG, SEND_SECONDS

SPARE_THREADS = 16
"""Threads beyond the questions at work: they say `TooBusy` and answer `/health`."""

KEEPALIVE_SECONDS = 15

SEND_BUFFER_BYTES = 128 * 1024
"""What the kernel holds for a client that does not read; Linux takes twice as much. A third of it
holds the longest thing that is sent without a seat, so no thread waits for its reader."""

MOST_CONNECTIONS = 1000
"""Over it, one at which nobody works makes room for each that comes."""

OTHER_FILES = 256
"""Open files beside the connections of askers: to models, of probes, and the program's own."""

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
        backlog=BACKLOG,
    )
    # Accepted connections inherit all of these.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
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
        draining: Callable[[], None],
        largest_body: Callable[[str], int],
        turned_away: Callable[[str], None],
    ) -> None:
        """`draining` is called by a signal handler when the end is near.

        `largest_body` tells by the Content-Type how many bytes of a request are ever read;
        `turned_away` takes note, by reason, of a connection whose request is not served.
        """
        self._wsgi = wsgi
        self._sock = sock
        self._threads = threads
        self._drain_seconds = drain_seconds
        self.draining = draining
        self.largest_body = largest_body
        self.turned_away = turned_away
        self.last_turn = time.monotonic()
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn what it shall be."""
        settings = {
            "threads": self._threads,
            "worker_connections": connections_for(self._threads),
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


def connections_for(threads: int) -> int:
    """Return how many connections are taken at once, with room for their files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + threads + OTHER_FILES
    if soft < wanted:
        soft = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(MOST_CONNECTIONS, max(soft - threads - OTHER_FILES, soft // 2))


class _ServerLogger(Logger):  # type: ignore[misc]
    """Sends gunicorn's lines where all others go."""

    def setup(self, cfg: Any) -> None:
        """Leave out gunicorn's own handlers and its access log."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
