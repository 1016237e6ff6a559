"""The clients of the assistant's benchmark, against a server that says no."""

import asyncio

import pytest

from benchmarks.assistant.load import Job, Result, ask
from benchmarks.assistant.responses import Response

REFUSED = b"HTTP/1.1 503 Busy\r\n%sContent-Length: 4\r\n\r\nBusy"


def asked(response: bytes, *, takes_a_no: bool) -> Result:
    """Ask a server that always answers so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            writer.write(response)
        writer.close()

    async def measure() -> Result:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            job = Job(port=port, request="x\n", expect=(), seconds=0.2, takes_a_no=takes_a_no)
            return await ask(job)

    return asyncio.run(measure())


@pytest.mark.parametrize(("headers", "wait"), [(b"Retry-After: 7\r\n", 7.0), (b"", None)])
def test_when_to_come_back_is_read(headers: bytes, wait: float | None) -> None:
    response = Response()
    response.feed(REFUSED % headers)
    assert (response.status, response.retry_after) == (503, wait)


def test_a_client_that_takes_a_no_waits_and_counts_it_apart() -> None:
    result = asked(REFUSED % b"Retry-After: 7\r\n", takes_a_no=True)
    assert (len(result.refused), result.failures, result.times) == (1, {}, [])


@pytest.mark.parametrize(
    ("headers", "takes_a_no"), [(b"", True), (b"Retry-After: 7\r\n", False)], ids=str
)
def test_otherwise_it_is_a_failure(headers: bytes, takes_a_no: bool) -> None:
    result = asked(REFUSED % headers, takes_a_no=takes_a_no)
    assert not result.refused
    assert set(result.failures) == {"503: Busy"}
