"""`/healthz`: whether the process still does its work, `/readyz`: whether it has begun, `/metrics`.

kopf's own answer stays 200 when its watches are dead, so this one looks at what matters: that
the reflectors move, that the watch of the assistants is proved, that the queue moves, and that the
event loop has time to answer at all. What an API server that is away does is no reason to end: a
restart does not bring it back.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiohttp import web

from va_operator.leadership import Leadership
from va_operator.metrics import CONTENT_TYPE, Metrics
from va_operator.permission_review import PermissionReview
from va_operator.pulse import Pulse
from va_operator.reflector import Reflector
from va_operator.resync import Schedule

STALE_SECONDS: Final = 150.0
"""A reflector hears a bookmark each minute and tries again after 100 s of silence."""
STUCK_SECONDS: Final = 300.0
"""A worker gives a reconcile up after 240 s (`workers.RECONCILE_SECONDS`): none takes this long,
however slow the API server is, and every worker takes a key more often."""
LAG_SECONDS: Final = 5.0
"""A beat that is later than this: the Lease is nearly lost, the kubelet's probe too."""
PROOF_SECONDS: Final = 300.0
"""A resync waits a minute and a half at most, and each page of its lists is a sign of life: it is
this late only when it hangs."""


class Queue(Protocol):
    """What is looked at of the work queue."""

    def unmoved(self, now: float) -> float:
        """Return for how many seconds keys have waited and none was taken."""
        ...

    def longest_in_work(self, now: float) -> float:
        """Return for how many seconds one key has been worked on."""
        ...


@dataclass(slots=True, kw_only=True)
class Vitals:
    """What tells whether the process lives. Moments are those of `time.monotonic`."""

    reflectors: list[Reflector]
    queue: Queue
    pulse: Pulse
    permissions: PermissionReview
    schedule: Schedule = field(default_factory=Schedule)
    """When the watch of the assistants is to be proved again."""


def stale(reflectors: Iterable[Reflector], *, now: float) -> list[str]:
    """Return what is no longer followed: the plurals of silent reflectors."""
    return sorted({r.resource.plural for r in reflectors if now - r.alive_at > STALE_SECONDS})


def unusable(vitals: Vitals) -> dict[str | None, str]:
    """Return why nothing can be done in which namespace (None: all), of those that are watched."""
    found: dict[str | None, str] = {}
    for namespace in dict.fromkeys(r.namespace for r in vitals.reflectors):
        if denied := vitals.permissions.missing_in(namespace):
            found[namespace] = denied
        elif missing := _unsynced(vitals.reflectors, namespace):
            place = f" in {namespace}" if namespace else ""
            found[namespace] = f"not yet listed{place}: {', '.join(missing)}"
    return found


def _unsynced(reflectors: Iterable[Reflector], namespace: str | None) -> list[str]:
    return sorted(
        r.resource.plural for r in reflectors if r.namespace == namespace and not r.synced.is_set()
    )


def readiness(vitals: Vitals, leadership: Leadership | None) -> tuple[bool, str]:
    """Return whether it could act if it had to, and in words what it does and cannot do.

    One namespace of several that is gone is told, and no more: it must not keep an upgrade of the
    operator from going on.
    """
    watched = {reflector.namespace for reflector in vitals.reflectors}
    without = unusable(vitals)
    if len(without) == len(watched):
        return False, "; ".join(without.values()) or "not yet listed"
    if leadership is None or leadership.active.is_set():
        does = "ok"
    elif leadership.trouble:
        return False, f"no Lease: {leadership.trouble}"
    else:
        does = f"standing by: {leadership.holder or 'nobody'} holds the Lease"
    return True, "; ".join((does, *without.values()))


def faults(vitals: Vitals, *, leading: bool, now: float) -> Iterator[str]:
    """Yield what is wrong with the process in a way that only a restart cures."""
    if dead := stale(vitals.reflectors, now=now):
        yield f"not following {', '.join(dead)}"
    if (late := now - vitals.schedule.due) > PROOF_SECONDS:
        yield f"the watch of virtualassistants was to be proved {late:.0f} s ago"
    if vitals.pulse.lag > LAG_SECONDS:
        yield f"the event loop is late by {vitals.pulse.lag:.1f} s"
    if not leading:
        return
    if (waited := vitals.queue.unmoved(now)) > STUCK_SECONDS:
        yield f"no worker has taken a key for {waited:.0f} s"
    if (worked := vitals.queue.longest_in_work(now)) > STUCK_SECONDS:
        yield f"a key has been in work for {worked:.0f} s"


async def serve_health(
    vitals: Vitals, leadership: Leadership | None, metrics: Metrics, port: int
) -> web.AppRunner:
    """Start to answer on all addresses; the runner that is returned must be cleaned up."""

    async def healthz(_: web.Request) -> web.Response:
        leading = leadership is None or leadership.active.is_set()
        if found := list(faults(vitals, leading=leading, now=time.monotonic())):
            return web.Response(status=503, text=f"{'; '.join(found)}\n")
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        ready, told = readiness(vitals, leadership)
        return web.Response(status=200 if ready else 503, text=f"{told}\n")

    async def tell(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", tell)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner
