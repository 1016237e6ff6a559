"""Reads a response of HTTP/1.1 (RFC 9112) as its bytes come; pure.

In place of `http.client`, which has the parser of e-mails read the head: that cost more than the
call of a model does otherwise. It reads responses to a POST alone. Those that only say that another
is yet to come (100, 102, 103) are passed over; one that changes the protocol (101), or is of no
known kind below 200, is no answer. Of transfer codings it knows `chunked` alone: a body of any
other is yielded as it comes.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from va_assistant.errors import Failure, Reason

MOST_HEAD_BYTES = 64 * 1024
"""A line between the chunks of a body beyond this is none; heads are none beyond this in sum, those
of responses that come before the answer among them, and so are headers after a body."""

_YET_TO_COME = frozenset({100, 102, 103})
"""Statuses of the responses before the one that counts (RFC 9110 15.2, RFC 2518, RFC 8297)."""

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: [^\r\n]*)?\r?\n")
_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?", re.DOTALL)


class Reading:
    """A response whose head was read, and whose body comes in pieces."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        """`receive` waits for the bytes that come next and returns them; none at the end."""
        self._receive = receive
        self._come = b""
        self._at = 0
        """Up to where it was read: cutting it for each line costs more than the line."""

        self._room = MOST_HEAD_BYTES
        """How much longer heads may be."""

        self._is_old, self.status, self.headers = self._head()
        while self.status in _YET_TO_COME:
            self._is_old, self.status, self.headers = self._head()
        if self.status < 200:
            raise Failure(
                Reason.UPSTREAM_ERROR, f"the server answered {self.status}, which is no answer"
            )
        self._is_chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        self._length = self._told_length()
        self._is_whole = False

    @property
    def can_go_on(self) -> bool:
        """Tell whether another response may come on the same connection; never before the end."""
        if not self._is_whole or self._at < len(self._come):
            return False
        if not self._is_chunked and self._length is None:
            return False
        said = self.headers.get("connection", "").lower()
        return "keep-alive" in said if self._is_old else "close" not in said

    def body(self) -> Iterator[bytes]:
        """Yield the body as it comes; raises `ConnectionLost` where it is cut."""
        if self._is_chunked:
            yield from self._chunks()
        elif self._length is not None:
            yield from self._counted(self._length)
        else:
            while piece := self._some(MOST_HEAD_BYTES):
                yield piece
        self._is_whole = True

    def _head(self) -> tuple[bool, int, Mapping[str, str]]:
        """Read a head; return whether it is of HTTP/1.0, its status and its headers."""
        looked = self._at
        while not (end := _END.search(self._come, looked)):
            ahead = len(self._come) - self._at
            is_none = self._come.find(b"\n", self._at) >= 0 and not _STATUS.match(
                self._come, self._at
            )
            if is_none or ahead > self._room:
                raise _no_http()
            self._more()
            looked = max(0, ahead - 3)
        head, self._at = self._come[self._at : end.end()], end.end()
        self._room -= len(head)
        status = _STATUS.match(head)
        if not status or self._room < 0:
            raise _no_http()
        headers: dict[str, str] = {}
        for line in head[status.end() :].decode("latin-1").split("\n"):
            name, colon, value = line.partition(":")
            if colon:
                headers.setdefault(name.lower(), value.strip())
        return status[1] == b"0", int(status[2]), headers

    def _told_length(self) -> int | None:
        """Return how many bytes the body has; None where only its end tells."""
        if self.status in {204, 304}:
            return 0
        said = self.headers.get("content-length", "")
        return int(said) if _LENGTH.fullmatch(said) else None

    def _chunks(self) -> Iterator[bytes]:
        while True:
            size = _CHUNK.fullmatch(self._line())
            if not size:
                raise lost()
            if not (length := int(size[1], 16)):
                break
            yield from self._counted(length)
            if self._line():
                raise lost()
        room = MOST_HEAD_BYTES
        while line := self._line():  # headers that come after the body are of no use here
            room -= len(line)
            if room < 0:
                raise lost()

    def _counted(self, length: int) -> Iterator[bytes]:
        while length:
            piece = self._some(length)
            if not piece:
                raise lost()
            length -= len(piece)
            yield piece

    def _line(self) -> bytes:
        """Return the next line without its end."""
        while (end := self._come.find(b"\n", self._at)) < 0:
            if len(self._come) - self._at > MOST_HEAD_BYTES:
                raise lost()
            self._more()
        line, self._at = self._come[self._at : end], end + 1
        return line.removesuffix(b"\r")

    def _some(self, most: int) -> bytes:
        """Return what has come, or comes next, but no more than so many bytes; none at the end."""
        if self._at == len(self._come):
            self._come, self._at = self._receive(), 0
        piece = self._come[self._at : self._at + most]
        self._at += len(piece)
        return piece

    def _more(self) -> None:
        """Wait for more; what was read goes."""
        piece = self._receive()
        if not piece:
            raise lost()
        self._come, self._at = self._come[self._at :] + piece, 0


def lost() -> Failure:
    """Return the failure of a response that was cut."""
    return Failure(Reason.CONNECTION_LOST, "the connection to the model was cut")


def _no_http() -> Failure:
    return Failure(Reason.UPSTREAM_ERROR, "the server does not speak HTTP")
