"""Asking a pod directly, which is not trusted to be brief, quick or honest."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from support.builders import a_pod
from va_operator.api import Manifest
from va_operator.errors import ClusterFailure
from va_operator.pod_http import PodHttp

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def ask(answer: Answer) -> Manifest:
    async def run() -> Manifest:
        app = web.Application()
        app.router.add_get("/{path}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        [(_, port)] = runner.addresses
        client = PodHttp()
        try:
            return await client.ask(a_pod(ip="127.0.0.1"), port, "/ready")
        finally:
            await client.close()
            await runner.cleanup()

    return asyncio.run(run())


def saying(body: bytes, status: int = 200) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status)

    return answer


@pytest.mark.parametrize("status", [200, 503])
def test_the_body_is_what_counts(status: int) -> None:
    assert ask(saying(b'{"ready": true}', status)) == {"ready": True}


def test_a_body_that_comes_in_pieces_is_read_whole() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b'{"rea', b'dy": ', b"true}"):
            await response.write(piece)
            await asyncio.sleep(0.01)
        return response

    assert ask(answer) == {"ready": True}


async def elsewhere(_: web.Request) -> web.Response:
    raise web.HTTPFound("/other")


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport
    request.transport.close()
    return response


BAD: dict[str, Any] = {
    "no JSON": saying(b"<html>"),
    "nothing": saying(b""),
    "no UTF-8": saying(b'"\xff"'),
    "too much": saying(b'"' + b"x" * 100_000 + b'"'),
    "too deep": saying(b"[" * 60_000),
    "a redirect": elsewhere,
    "a cut connection": cut,
}


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD)
def test_what_is_no_answer_is_a_failure_and_nothing_worse(answer: Answer) -> None:
    with pytest.raises(ClusterFailure, match="pod shop/ada-1 gives no answer"):
        ask(answer)


def test_nobody_there_is_a_failure() -> None:
    async def run() -> None:
        client = PodHttp()
        try:
            with pytest.raises(ClusterFailure):
                await client.ask(a_pod(ip="127.0.0.1"), 1, "/ready")
        finally:
            await client.close()

    asyncio.run(run())
