"""How a model server's response is read, however its bytes come."""

import http.client
import io
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from va_assistant.errors import Failure, Reason
from va_assistant.responses import MOST_HEAD_BYTES, Reading

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
READABLE = {
    "counted": OK + b"Content-Length: 5\r\n\r\nhello",
    "empty": OK + b"Content-Length: 0\r\n\r\n",
    "to its end": OK + b"\r\nhello",
    "without any header or body": b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
    "chunked": CHUNKED + b"5\r\nhello\r\n6;why=so\r\n, Ada!\r\n0\r\n\r\n",
    "chunked with headers after it": CHUNKED + b"A\r\n0123456789\r\n0\r\nX-Late: yes\r\n\r\n",
    "chunked in other letters": OK + b"transfer-encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "both counted and chunked": OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nhi\r\n0\r\n\r\n",
    "bare line ends": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    "no words for its status": b"HTTP/1.1 204\r\n\r\n",
    "no body by its status": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "told to come": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi",
    "a length that is none": OK + b"Content-Length: -1\r\n\r\nhi",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
    "an old server's": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "an old server's that stays": b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n"
    b"Content-Length: 2\r\n\r\nhi",
    "the last one": OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi",
    "letters that are not ASCII": OK + b"X-Who: Zo\xeb\r\nContent-Length: 2\r\n\r\nhi",
}  # fmt: skip


def coming(said: bytes, size: int) -> Callable[[], bytes]:
    """What is received where so many bytes come at a time."""
    parts: Iterator[bytes] = (said[at : at + size] for at in range(0, len(said), size))
    return lambda: next(parts, b"")


def read(said: bytes, size: int = 7) -> tuple[int, Mapping[str, str], bytes, bool]:
    reading = Reading(coming(said, size))
    body = b"".join(reading.body())
    return reading.status, reading.headers, body, reading.can_go_on


class _Said(io.BytesIO):
    def makefile(self, _mode: str) -> "_Said":
        return self


def as_the_library_reads(said: bytes) -> tuple[int, bytes, bool]:
    stream: Any = _Said(said)
    response = http.client.HTTPResponse(stream, method="POST")
    response.begin()
    return response.status, response.read(), not response.will_close


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("said", READABLE.values(), ids=READABLE)
def test_a_response_is_read_as_the_standard_library_does(said: bytes, size: int) -> None:
    status, _, body, can_go_on = read(said, size)
    assert (status, body, can_go_on) == as_the_library_reads(said)


def test_the_first_of_two_headers_counts_whatever_its_letters() -> None:
    said = OK + b"Retry-After:  3 \r\nno header\r\nRETRY-AFTER: 9\r\nContent-Length: 0\r\n\r\n"
    assert read(said)[1] == {"retry-after": "3", "content-length": "0"}


def test_hints_that_come_early_are_no_response() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    status, headers, body, _ = read(early * 2 + READABLE["counted"])
    assert (status, body) == (200, b"hello")
    assert "link" not in headers


@pytest.mark.parametrize("status", [101, 104, 199])
def test_a_response_that_is_final_below_200_is_no_answer_and_nothing_is_waited_for(
    status: int,
) -> None:
    received = iter([b"HTTP/1.1 %d X\r\nUpgrade: h2c\r\n\r\n" % status])
    with pytest.raises(Failure) as failure:
        Reading(lambda: next(received))
    assert failure.value.reason is Reason.UPSTREAM_ERROR
    assert str(status) in failure.value.message


def test_hints_without_end_are_no_response() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    with pytest.raises(Failure) as failure:
        Reading(lambda: early * 100)
    assert failure.value.reason is Reason.UPSTREAM_ERROR


def test_headers_without_end_after_a_body_are_lost() -> None:
    received = itertools.chain(
        [CHUNKED + b"5\r\nhello\r\n0\r\n"], itertools.repeat(b"X: y\r\n" * 100)
    )
    body = Reading(lambda: next(received)).body()
    assert next(body) == b"hello"
    with pytest.raises(Failure) as failure:
        next(body)
    assert failure.value.reason is Reason.CONNECTION_LOST


def test_many_small_chunks_that_came_at_once_are_not_copied_for_each() -> None:
    """Were the rest copied for each, ten times as many would take a hundred times as long."""

    def seconds(pieces: int) -> float:
        said = CHUNKED + b"1\r\nx\r\n" * pieces + b"0\r\n\r\n"
        started = time.thread_time()
        assert read(said, len(said))[2] == b"x" * pieces
        return time.thread_time() - started

    few, many = (min(seconds(pieces) for _ in range(3)) for pieces in (10_000, 100_000))
    assert many < 30 * few


@pytest.mark.parametrize(
    "said", [READABLE["counted"], READABLE["chunked"]], ids=["counted", "chunked"]
)
def test_wherever_a_response_is_cut_it_is_lost(said: bytes) -> None:
    for cut in range(len(said)):
        with pytest.raises(Failure) as failure:
            read(said[:cut])
        assert failure.value.reason is Reason.CONNECTION_LOST, said[:cut]


@pytest.mark.parametrize("chunk", [b"x\r\n", b"-1\r\n", b"\r\n", b"1\r\nxy\r\n", b"9" * 70_000])
def test_a_body_in_chunks_that_are_none_is_lost(chunk: bytes) -> None:
    with pytest.raises(Failure) as failure:
        read(CHUNKED + chunk + b"0\r\n\r\n", 4096)
    assert failure.value.reason is Reason.CONNECTION_LOST


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"\r\n\r\n",
        OK + b"X: " + b"x" * 2 * MOST_HEAD_BYTES + b"\r\n\r\n",
        b"x" * (MOST_HEAD_BYTES + 4096),
    ],
)
def test_what_is_no_http_is_no_answer(said: bytes) -> None:
    with pytest.raises(Failure) as failure:
        read(said, 4096)
    assert failure.value.reason is Reason.UPSTREAM_ERROR


def test_what_is_no_http_is_not_waited_for() -> None:
    received = iter([b"SSH-2.0-OpenSSH_9.2\r\n"])
    with pytest.raises(Failure):
        Reading(lambda: next(received))


def test_a_connection_with_more_than_its_response_is_not_used_again() -> None:
    assert read(READABLE["counted"], 1000)[3]
    assert not read(READABLE["counted"] + b"HTTP/1.1 200 OK", 1000)[3]


def test_a_connection_is_not_used_again_before_the_end_of_its_response() -> None:
    reading = Reading(coming(READABLE["chunked"], 1000))
    body = reading.body()
    assert next(body) == b"hello"
    assert not reading.can_go_on
    assert list(body) == [b", Ada!"]
    assert reading.can_go_on


def test_a_piece_is_told_before_the_next_one_comes() -> None:
    received = iter([CHUNKED, b"5\r\nhello\r\n"])
    assert next(Reading(lambda: next(received)).body()) == b"hello"
