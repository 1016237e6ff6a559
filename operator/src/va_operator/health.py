"""`/healthz`: whether the process still does its work, and `/readyz`: whether it has begun.

kopf's own answer stays 200 when its watches are dead, so this one looks at what matters: that
the reflectors move and that the event loop has time to answer at all.
"""

import time
from collections.abc import Iterable
from typing import Final

from aiohttp import web

from va_operator.reflector import Reflector

STALE_SECONDS: Final = 150.0
"""A reflector hears a bookmark each minute and tries again after 100 s of silence."""


def stale(reflectors: Iterable[Reflector], *, now: float) -> list[str]:
    """Return what is no longer followed: the plurals of silent reflectors."""
    return sorted({r.resource.plural for r in reflectors if now - r.alive_at > STALE_SECONDS})


def unsynced(reflectors: Iterable[Reflector]) -> list[str]:
    """Return what was never listed: the plurals that a missing permission may explain."""
    return sorted({r.resource.plural for r in reflectors if not r.synced.is_set()})


async def serve_health(reflectors: list[Reflector], port: int) -> web.AppRunner:
    """Start to answer on all addresses; the runner that is returned must be cleaned up."""

    async def healthz(_: web.Request) -> web.Response:
        dead = stale(reflectors, now=time.monotonic())
        if dead:
            return web.Response(status=503, text=f"not following {', '.join(dead)}\n")
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        missing = unsynced(reflectors)
        if missing or not reflectors:
            return web.Response(status=503, text=f"not yet listed: {', '.join(missing)}\n")
        return web.Response(text="ok\n")

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner
