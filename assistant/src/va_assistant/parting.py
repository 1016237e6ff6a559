"""How connections end, and in the end the server: nobody loses an answer, nobody holds it up."""

import select
import selectors
import socket
import time
from typing import TYPE_CHECKING, Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from va_assistant.server import Server

BACKLOG = 512
"""Connections that wait to be taken."""

SEND_SECONDS = 30
"""How long a client may leave what was sent to it untouched."""

LINGER_SECONDS = 2.0
"""How long a client may leave a connection open that is closed from this side."""

_READ_BYTES = 64 * 1024


class Parting(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker, with a loop that waits for no client and a stop that takes no newcomer."""

    app: "Server"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lingering: dict[socket.socket, float] = {}
        """Connections that are closed from this side, and until when."""

    def notify(self) -> None:
        """Take note of a turn of the loop; gunicorn calls this at least every second."""
        self.app.last_turn = time.monotonic()

    def is_parent_alive(self) -> bool:
        """Serve on when the shell that started it is gone."""
        return True

    def linger(self, sock: socket.socket) -> None:
        """Close a connection once the client has, so that it can read what was sent last.

        gunicorn waits for the client, in the loop that everybody else needs.
        """
        try:
            sock.setblocking(False)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            sock.close()  # it has left already
            return
        self.nr_conns += 1
        self.lingering[sock] = time.monotonic() + LINGER_SECONDS
        self.poller.register(sock, selectors.EVENT_READ, self._drain)

    def _drain(self, sock: socket.socket) -> None:
        """Read what a client still sends, for with a part unread it would lose its answer."""
        try:
            has_left = not sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            has_left = True
        if has_left:
            self.end(sock)

    def end(self, sock: socket.socket) -> None:
        """Close it now."""
        del self.lingering[sock]
        self.poller.unregister(sock)
        sock.close()
        self.nr_conns -= 1

    def murder_pending(self) -> None:
        """End what lingers for too long; gunicorn calls this at every turn of the loop."""
        now = time.monotonic()
        while self.lingering:
            sock, ends = next(iter(self.lingering.items()))
            if ends > now:
                break
            self.end(sock)

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
                for _ in range(BACKLOG):
                    if not select.select([listener], [], [], 0)[0]:
                        break
                    self.accept(listener)
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()
