"""Reads HTTP/1.1 responses as they come, with little work; pure."""

import re

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d+)\r\n", re.IGNORECASE)
LAST_CHUNK = b"\r\n0\r\n\r\n"


class Response:
    """One response: feed it what was received until it is `whole`."""

    def __init__(self) -> None:
        self.status = 0
        self.whole = False
        self.begun = False
        """Whether the first byte of the body has come."""

        self.closes = False
        """Whether the connection ends with the response."""

        self._data = b""
        self._body_at = 0
        self._length: int | None = None
        self._chunked = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes. No server here sends trailers, or the next response early."""
        self._data += data
        if not self._body_at and not self._read_head():
            return
        size = len(self._data) - self._body_at
        self.begun = self.begun or size > 0
        if self._length is not None:
            self.whole = size >= self._length
        elif self._chunked:
            self.whole = self._data.endswith(LAST_CHUNK)

    def end(self) -> None:
        """Take note that the server has closed: without a length, that is the response's end."""
        if self._body_at and self._length is None and not self._chunked:
            self.whole = True

    def holds(self, text: bytes) -> bool:
        """Tell whether the body holds a text that no chunk boundary divides."""
        return self._data.find(text, self._body_at) >= 0

    @property
    def retry_after(self) -> float | None:
        """Seconds after which the server wants to be asked again; None where it does not say."""
        found = _RETRY_AFTER.search(self._data, 0, self._body_at)
        return float(found[1]) if found else None

    @property
    def raw_body(self) -> bytes:
        """What came after the head, with the marks of chunks."""
        return self._data[self._body_at :]

    def _read_head(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return False
        self._body_at = end + 4
        self.status = int(self._data[9:12])
        length = _LENGTH.search(self._data, 0, end + 2)
        self._length = int(length[1]) if length else None
        self._chunked = _CHUNKED.search(self._data, 0, end + 2) is not None
        self.closes = _CLOSES.search(self._data, 0, end + 2) is not None or not (
            length or self._chunked
        )
        return True
