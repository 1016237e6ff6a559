"""Where a request ends, with gunicorn's parser as the judge."""

import random
from collections.abc import Iterator
from functools import partial

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http import get_parser  # type: ignore[import-untyped]
from gunicorn.http.errors import NoMoreData, ParseException  # type: ignore[import-untyped]

from va_assistant.framing import CHUNKING_BYTES, HEAD_BYTES, Incoming, Stage
from va_assistant.questions import largest_body

CONFIG = Config()
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"

WHOLE = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.0\r\nAccept: */*\r\n\r\n",
    POST + b"Content-Length: 0\r\n\r\n",
    POST + b"content-LENGTH:\t5 \r\nX: y\r\n\r\nWho\r\n",
    POST + b"X: Content-Length: 9\r\nContent-Length: 4\r\n\r\nWho?",
    POST + b"X-Content-Length: 9\r\nContent-Length: 4\r\n\r\nWho?",
    POST + b"Content-Type: application/json\r\nContent-Length: 1500\r\n\r\n" + b" " * 1500,
    CHUNKED + b"0\r\n\r\n",
    CHUNKED + b"4\r\nWho?\r\n0\r\n\r\n",
    CHUNKED + b"1\r\nW\r\n2;a=b\r\nho\r\n01 ; c=\"d\"\r\n?\r\n000\r\nX: y\r\nZ: \r\n\r\n",
    CHUNKED + b"A\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
    POST + b"transfer-encoding: Chunked\r\n\r\n4\r\nWho?\r\n0\r\n\r\n",
]  # fmt: skip


def with_head_of(length: int) -> bytes:
    """A request with many headers, none of which is long; `length` is without the empty line."""
    lines = POST + b"".join(b"X-%d: %b\r\n" % (n, b"y" * 6000) for n in range(length // 6100))
    return lines + b"Z: " + b"z" * (length - len(lines) - 3) + b"\r\n\r\n"


def incoming(limit: int = 1000) -> Incoming:
    return Incoming(partial(largest_body, limit=limit))


def in_pieces(request: bytes, size: int) -> tuple[Stage, int]:
    """Return how it is seen when a piece has changed that, and how much had come by then."""
    coming = incoming()
    for start in range(0, len(request), size):
        piece = request[start : start + size]
        if (stage := coming.take(piece)) is not Stage.PART:
            return stage, start + len(piece)
    return Stage.PART, len(request)


def read(received: bytes) -> tuple[bool, bytes]:
    """Let gunicorn read a request; returns whether it wanted more, and what it left."""
    dry = False

    def given() -> Iterator[bytes]:
        nonlocal dry
        yield received
        dry = True

    parser = get_parser(CONFIG, given(), ("127.0.0.1", 1))
    try:
        next(parser).body.read()
    except ParseException:
        return False, b""
    except (NoMoreData, StopIteration):
        return True, b""
    return dry, parser.unreader.take_buffered()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
@pytest.mark.parametrize("request_", WHOLE)
def test_a_request_is_whole_with_its_last_byte_in_whatever_pieces_it_comes(
    request_: bytes, size: int
) -> None:
    assert read(request_) == (False, b"")
    assert in_pieces(request_, size) == (Stage.WHOLE, len(request_))
    assert in_pieces(request_ + NEXT, len(request_) + 10)[0] is Stage.WHOLE
    assert read(request_ + NEXT[:10]) == (False, NEXT[:10])


@pytest.mark.parametrize(
    "request_",
    [
        POST + b"Content-Length: 1001\r\n\r\n",
        POST + b"Content-Type: application/json\r\nContent-Length: 400000\r\n\r\n",
        POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        POST + b"Content-Length: -4\r\n\r\n",
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        POST + b"Transfer-Encoding: gzip\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-4\r\n",
        CHUNKED + b"\r\n",
        CHUNKED + b"900\r\n" + b"x" * 0x900,
        CHUNKED + b"1\r\nx\r\n" * 3000,
        CHUNKED + b"1;" + b"x" * (CHUNKING_BYTES + 1),
        CHUNKED + b"0\r\nX: " + b"x" * (CHUNKING_BYTES + 1),
        POST + b"X: " + b"y" * HEAD_BYTES,
        POST + b"X: " + b"y" * HEAD_BYTES + b"\r\n\r\n",
        b"POST / HTTP/1.1\nHost: a\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_what_is_refused_whatever_comes_is_waited_for_no_longer(request_: bytes) -> None:
    stage, came = in_pieces(request_, 1)
    assert stage is Stage.ENOUGH
    assert in_pieces(request_, len(request_))[0] is Stage.ENOUGH
    assert came <= len(request_)


@pytest.mark.parametrize("size", [1, 10_000, 100_000])
def test_a_head_is_too_long_in_whatever_pieces_it_comes(size: int) -> None:
    for length, stage in ((HEAD_BYTES, Stage.WHOLE), (HEAD_BYTES + 1, Stage.ENOUGH)):
        request = with_head_of(length)
        assert read(request) == (False, b""), "the parser alone finds nothing too long"
        coming = incoming()
        for start in range(0, len(request), size):
            seen = coming.take(request[start : start + size])
        assert seen is stage
        assert coming.is_head_too_long is (stage is Stage.ENOUGH)


@pytest.mark.parametrize("kind", ["", "Content-Type: application/json; charset=utf-8\r\n"])
def test_a_body_may_be_as_long_as_one_that_is_read(kind: str) -> None:
    most = largest_body(kind.removeprefix("Content-Type: ").strip(), limit=1000)
    for more, stage in ((0, Stage.WHOLE), (1, Stage.ENOUGH)):
        head = POST + f"{kind}Content-Length: {most + more}\r\n\r\n".encode()
        assert incoming().take(head + b"x" * most) is stage


@pytest.mark.parametrize(
    ("head", "due"),
    [
        (POST + b"Expect: 100-Continue\r\nContent-Length: 4\r\n\r\n", True),
        (CHUNKED.replace(b"\r\nHost", b"\r\nExpect: 100-continue\r\nHost"), True),
        (POST + b"Content-Length: 4\r\n\r\n", False),
        (POST + b"Expect: 100-continue\r\nContent-Length: 4000\r\n\r\n", False),
        (
            POST.replace(b"1.1", b"1.0") + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n",
            False,
        ),
    ],
)
def test_who_waits_to_be_told_to_go_on_is_told_once(head: bytes, due: bool) -> None:
    coming = incoming()
    coming.take(head[:-1])
    assert not coming.continue_is_due()
    coming.take(head[-1:])
    assert coming.continue_is_due() is due
    assert not coming.continue_is_due()


def test_whatever_is_seen_as_whole_is_so_for_the_parser() -> None:
    """Bytes of requests are lost, doubled and put in the place of others, ten thousand times."""
    chance = random.Random(9112)
    parts = (
        b"\r\n",
        b"\r",
        b"\n",
        b" ",
        b"0",
        b"5",
        b";",
        b":",
        b"chunked",
        b"Content-Length: 3\r\n",
    )
    seen = dict.fromkeys(Stage, 0)
    for _ in range(10_000):
        request = chance.choice(WHOLE)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(request))
            request = request[:at] + chance.choice(parts) + request[at + chance.randint(0, 3) :]
        stage, came = in_pieces(request, chance.choice((1, 5, 1000)))
        seen[stage] += 1
        if stage is Stage.WHOLE:
            dry, _ = read(request[:came])
            assert not dry, request
    assert all(count > 100 for count in seen.values()), seen
