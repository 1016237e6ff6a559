"""`/healthz` and `/readyz` as the kubelet sees them."""

import asyncio
from typing import Any, cast

import aiohttp

from va_operator.cluster import PODS
from va_operator.health import STALE_SECONDS, serve_health
from va_operator.reflector import Reflector


def a_reflector() -> Reflector:
    return Reflector(
        source=cast("Any", None),
        resource=PODS,
        namespace=None,
        replace=lambda *_: None,
        changed=lambda *_: None,
    )


async def asked(reflectors: list[Reflector], path: str) -> tuple[int, str]:
    runner = await serve_health(reflectors, 0)
    try:
        # One port for each family, in no order; an IPv4 address is a pair.
        [port] = [address[1] for address in runner.addresses if len(address) == 2]
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}{path}") as response,
        ):
            return response.status, (await response.text()).strip()
    finally:
        await runner.cleanup()


def test_it_is_ready_when_everything_was_listed_once_and_names_what_was_not() -> None:
    async def run() -> None:
        assert (await asked([], "/readyz"))[0] == 503
        reflector = a_reflector()
        assert await asked([reflector], "/readyz") == (503, "not yet listed: pods")
        reflector.synced.set()
        assert await asked([reflector], "/readyz") == (200, "ok")

    asyncio.run(run())


def test_it_is_healthy_while_its_reflectors_move() -> None:
    async def run() -> None:
        reflector = a_reflector()
        assert await asked([reflector], "/healthz") == (200, "ok")
        reflector.alive_at -= STALE_SECONDS + 1
        assert await asked([reflector], "/healthz") == (503, "not following pods")

    asyncio.run(run())
