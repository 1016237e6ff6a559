"""The clients of the assistant's benchmark, against a server that is slow or says no."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from statistics import mean
from typing import Any

import pytest

from benchmarks.assistant.cells import summary
from benchmarks.assistant.load import Job, Result, ask
from benchmarks.assistant.responses import Response

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nLisbon"
REFUSED = b"HTTP/1.1 503 Busy\r\n%sContent-Length: 4\r\n\r\nBusy"


def asked(response: bytes, *, takes_a_no: bool) -> Result:
    """Ask a server that always answers so."""
    return measured(response, lambda _: 0.0, clients=1, seconds=0.2, takes_a_no=takes_a_no)


def measured(response: bytes, latency: Callable[[int], float], **job: Any) -> Result:
    """Ask a server that takes so many seconds for the first, second, ... answer of a connection."""

    served: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        served.add(task)
        number = 0
        try:
            while await reader.readline():
                await asyncio.sleep(latency(number))
                writer.write(response)
                number += 1
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def measure() -> Result:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            result = await ask(Job(port=port, request="x\n", expect=(), **job))
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)
        return result

    return asyncio.run(measure())


@pytest.mark.parametrize(
    ("latency", "seconds", "answers_each"),
    [(0.02, 0.5, 10), (0.1, 0.3, 10), (0.3, 0.1, 2)],
    ids=("many in the time", "some in the time", "longer than the time"),
)
def test_the_rate_of_a_slow_way_is_that_of_its_clients_by_their_latency(
    latency: float, seconds: float, answers_each: int
) -> None:
    """Little's law: so many are under way, each for so long. The warm-up is shorter than most."""
    result = measured(
        ANSWER, lambda _: latency, clients=32, seconds=seconds, warm_seconds=0.05,
        answers_each=answers_each,
    )  # fmt: skip
    assert min(result.times) >= latency * 1000
    assert len(result.times) >= 32 * answers_each
    rate = summary(result, None)["rate"]
    assert rate == pytest.approx(32 / mean(result.times) * 1000, rel=0.1)


def test_what_was_sent_in_the_warm_up_counts_where_it_completes() -> None:
    result = measured(ANSWER, lambda _: 0.4, clients=8, seconds=0.4, warm_seconds=0.6)
    assert len(result.times) == 8


def test_the_first_answer_of_each_client_is_warm_up_however_long_it_takes() -> None:
    result = measured(
        ANSWER, lambda number: 0.01 if number else 0.4, clients=4, seconds=0.2, warm_seconds=0.05
    )
    assert 0 < len(result.times) < result.asked
    assert max(result.times) < 400


def test_a_turn_without_an_answer_is_no_rate_but_a_failure_of_each_client() -> None:
    result = measured(ANSWER, lambda number: 0.5 * number, clients=4, seconds=0.1)
    assert (result.times, result.failures) == ([], {"no answer within 0.1 s": 4})
    assert summary(result, None)["rate"] is None


def test_a_server_that_never_answers_is_given_up() -> None:
    result = measured(ANSWER, lambda _: 60, clients=4, seconds=0.1, answers_each=10, patience=0.3)
    assert result.failures == {"no answer within 0.3 s": 4}
    assert (result.asked, result.times) == (4, [])


def test_a_turn_does_not_wait_for_ever_for_one_that_is_hardly_answered() -> None:
    result = measured(ANSWER, lambda _: 0.2, clients=2, seconds=0.1, answers_each=100, patience=0.5)
    assert 0.5 <= result.seconds < 2
    assert result.times
    assert result.failures == {}


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
