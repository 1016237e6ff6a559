"""How much of a request has come: where its head ends and, by RFC 9112 section 6, its body; pure.

It says when there is enough for a thread to work with, and judges nothing: gunicorn's parser does,
on what is here. So what is no HTTP counts as enough, and is refused by the parser.
"""

import re
from collections.abc import Callable
from enum import Enum

HEAD_BYTES = 32 * 1024
"""Of the request line and the headers together; nginx takes as much, browsers send a tenth."""

CHUNKING_BYTES = 64 * 1024
"""Of what chunks are sent in: their sizes, extensions and trailers. A question that is typed into a
pipe, a byte a chunk, has five for each byte."""

_HEAD_END = b"\r\n\r\n"
_NO_HEAD = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n")
"""What no head has: TLS, or lines that end otherwise."""

_READ_AT_LEAST = 1024
"""What gunicorn asks a chunked body for at once, however little is wanted of it."""

_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;|$)")


class Stage(Enum):
    """How far a request has come."""

    PART = "part"
    WHOLE = "whole"
    """It has come to its end, and perhaps the beginning of the next with it."""

    ENOUGH = "enough"
    """Not to its end, but whatever comes, it is refused: it is too long, or no HTTP."""


class Incoming:
    """One request as it comes, in pieces of any size."""

    __slots__ = ("_chunks", "_end", "_expects_continue", "_largest_body", "received")

    def __init__(self, largest_body: Callable[[str], int]) -> None:
        """`largest_body` tells by the Content-Type how many bytes of a body are ever read."""
        self.received = bytearray()
        self._expects_continue = False

        self._largest_body = largest_body
        self._end = 0
        """Where it ends, or its head where chunks follow; 0 before the head has come."""

        self._chunks: _Chunks | None = None

    @property
    def has_begun(self) -> bool:
        """Whether more has come than the empty line that RFC 9112 section 2.2 has ignored."""
        return bytes(self.received[:3]) not in (b"", b"\r", b"\r\n")

    @property
    def is_head_too_long(self) -> bool:
        """Whether more than `HEAD_BYTES` have come before an end of the head."""
        return not self._end and len(self.received) >= HEAD_BYTES + len(_HEAD_END)

    def take(self, piece: bytes) -> Stage:
        """Add what has come and tell how far that is."""
        searched = max(len(self.received) - len(_HEAD_END) + 1, 0)
        self.received += piece
        if not self._end:
            end = self.received.find(_HEAD_END, searched)
            if max(end, 0) > HEAD_BYTES or (end < 0 and self._no_head_comes(searched)):
                return Stage.ENOUGH
            if end < 0:
                return Stage.PART
            if not self._read_head(end + len(_HEAD_END)):
                return Stage.ENOUGH
        if self._chunks:
            return self._chunks.follow(self.received)
        return Stage.WHOLE if len(self.received) >= self._end else Stage.PART

    def continue_is_due(self) -> bool:
        """Tell once whether the client waits to be told to go on: `Expect: 100-continue`."""
        expected, self._expects_continue = self._expects_continue, False
        return expected

    def _no_head_comes(self, searched: int) -> bool:
        return self.is_head_too_long or bool(_NO_HEAD.search(self.received, searched))

    def _read_head(self, end: int) -> bool:
        """Find out where the request ends; False where its body is not worth waiting for."""
        self._end = end
        head = self.received[:end].lower()
        length = _value(head, b"\r\ncontent-length:")
        coding = _value(head, b"\r\ntransfer-encoding:")
        if not length and not coding:
            return True
        largest = self._largest_body(_value(head, b"\r\ncontent-type:").decode("latin-1"))
        if coding:
            if length or b"chunked" not in head:
                return False
            self._chunks = _Chunks(end, largest)
        else:
            # More digits than any length has are no number that is worth reading.
            if not length.isdigit() or len(length) > 15 or int(length) > largest:
                return False
            self._end += int(length)
        self._expects_continue = (
            _value(head, b"\r\nexpect:") == b"100-continue"
            and head[: head.find(b"\r\n", 2)].endswith(b" http/1.1")  # RFC 9110 section 10.1.1
        )
        return True


class _Chunks:
    """A body in chunks (RFC 9112 section 7.1)."""

    def __init__(self, start: int, largest: int) -> None:
        self._start = start
        self._largest = largest
        self._at = start
        """Where the chunk begins that is not all there."""

        self._body = 0
        """Bytes in the chunks before it."""

    def follow(self, received: bytearray) -> Stage:
        """Go over the chunks that have come."""
        there = 0
        while (line_end := received.find(b"\r\n", self._at)) >= 0:
            match = _CHUNK_SIZE.match(received[self._at : line_end])
            if not match:
                return Stage.ENOUGH
            size = int(match[1], 16)
            if not size:
                # Trailers, mostly none, and an empty line.
                if received.find(_HEAD_END, line_end) >= 0:
                    return Stage.WHOLE
                break
            there = min(size, len(received) - line_end - 2)
            if self._body + there > self._largest + _READ_AT_LEAST:
                return Stage.ENOUGH
            end = line_end + 2 + size + 2
            if end > len(received):
                break
            self._at, self._body, there = end, self._body + size, 0
        around = len(received) - self._start - self._body - there
        return Stage.ENOUGH if around > CHUNKING_BYTES else Stage.PART


def _value(head: bytearray, name: bytes) -> bytearray:
    """Return the first value of a header, empty where there is none; `name` with its line end."""
    begin = head.find(name)
    if begin < 0:
        return bytearray()
    begin += len(name)
    return head[begin : head.find(b"\r\n", begin)].strip(b" \t")
