"""`/healthz`, `/readyz` and `/metrics` as the kubelet and Prometheus see them."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import aiohttp
import pytest

from va_operator.api import Key
from va_operator.fence import Fence, clock
from va_operator.health import (
    LAG_SECONDS,
    PROOF_SECONDS,
    STALE_SECONDS,
    STUCK_SECONDS,
    Vitals,
    faults,
    readiness,
    serve_health,
    unusable,
)
from va_operator.kinds import PODS
from va_operator.leadership import Leadership
from va_operator.metrics import Metrics
from va_operator.permission_review import PermissionReview
from va_operator.permissions import Rule
from va_operator.pulse import BEAT_SECONDS, BEATS_KEPT, Pulse
from va_operator.reflector import Reflector
from va_operator.workers import RECONCILE_SECONDS


@dataclass
class StillQueue:
    """A queue that says of itself what a test wants."""

    waited: float = 0.0
    worked: float = 0.0

    def unmoved(self, now: float) -> float:
        return self.waited

    def longest_in_work(self, now: float) -> float:
        return self.worked


def vitals(*reflectors: Reflector, queue: StillQueue | None = None) -> Vitals:
    return Vitals(
        reflectors=list(reflectors),
        queue=queue or StillQueue(),
        pulse=Pulse(),
        permissions=PermissionReview(api=cast("Any", None)),
    )


def a_leadership(*, active: bool = False, trouble: str = "") -> Leadership:
    leadership = Leadership(
        leases=cast("Any", None),
        key=Key("system", "lease"),
        identity="me",
        fence=Fence(),
        now=clock,
        wall=lambda: datetime.now(UTC),
        trouble=trouble,
    )
    if active:
        leadership.active.set()
    return leadership


def a_reflector(namespace: str | None = None, *, synced: bool = False) -> Reflector:
    reflector = Reflector(
        source=cast("Any", None),
        resource=PODS,
        namespace=namespace,
        read=lambda body: body,
        replace=lambda *_: None,
        changed=lambda *_: None,
    )
    if synced:
        reflector.synced.set()
    return reflector


async def asked(found: Vitals, path: str, leadership: Leadership | None = None) -> tuple[int, str]:
    runner = await serve_health(found, leadership, Metrics(), 0)
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
        assert (await asked(vitals(), "/readyz"))[0] == 503
        reflector = a_reflector()
        assert await asked(vitals(reflector), "/readyz") == (503, "not yet listed: pods")
        reflector.synced.set()
        assert await asked(vitals(reflector), "/readyz") == (200, "ok")

    asyncio.run(run())


def test_a_synced_standby_is_ready_and_says_that_it_stands_by() -> None:
    async def run() -> None:
        reflector = a_reflector()
        found = vitals(reflector)
        assert (await asked(found, "/readyz", a_leadership()))[0] == 503
        reflector.synced.set()
        told = (200, "standing by: nobody holds the Lease")
        assert await asked(found, "/readyz", a_leadership()) == told
        assert await asked(found, "/readyz", a_leadership(active=True)) == (200, "ok")

    asyncio.run(run())


def test_a_standby_that_cannot_have_the_lease_is_not_ready() -> None:
    async def run() -> None:
        reflector = a_reflector()
        reflector.synced.set()
        leadership = a_leadership(trouble="403: forbidden")
        told = (503, "no Lease: 403: forbidden")
        assert await asked(vitals(reflector), "/readyz", leadership) == told

    asyncio.run(run())


def test_it_is_not_ready_without_a_permission_and_names_it_but_needs_no_restart() -> None:
    async def run() -> None:
        found = vitals(a_reflector("shop", synced=True))
        found.permissions.heard("shop", (Rule("", "pods", ("list",)),))
        assert await asked(found, "/readyz") == (503, "not allowed in shop: list pods")
        assert await asked(found, "/healthz") == (200, "ok")

    asyncio.run(run())


def test_one_namespace_of_several_that_is_gone_is_told_and_it_stays_ready() -> None:
    gone = (Rule("", "pods", ("list", "watch")),)
    found = vitals(a_reflector("shop", synced=True), a_reflector("lab"), a_reflector("old"))
    found.permissions.heard("old", gone)
    told = "not yet listed in lab: pods; not allowed in old: list, watch pods"
    assert readiness(found, None) == (True, f"ok; {told}")
    assert readiness(found, a_leadership()) == (
        True,
        f"standing by: nobody holds the Lease; {told}",
    )
    assert set(unusable(found)) == {"lab", "old"}

    found.permissions.heard("shop", gone)
    told = f"not allowed in shop: list, watch pods; {told}"
    assert readiness(found, None) == (False, told)


def test_what_is_stuck_is_given_up_before_the_process_is() -> None:
    assert RECONCILE_SECONDS < STUCK_SECONDS


def test_it_is_healthy_while_its_reflectors_move() -> None:
    async def run() -> None:
        reflector = a_reflector()
        assert await asked(vitals(reflector), "/healthz") == (200, "ok")
        reflector.alive_at -= STALE_SECONDS + 1
        assert await asked(vitals(reflector), "/healthz") == (503, "not following pods")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("queue", "words"),
    [
        (StillQueue(waited=STUCK_SECONDS + 1), "no worker has taken a key for 301 s"),
        (StillQueue(worked=STUCK_SECONDS + 1), "a key has been in work for 301 s"),
    ],
)
def test_a_stuck_queue_is_a_fault_of_who_leads(queue: StillQueue, words: str) -> None:
    assert list(faults(vitals(queue=queue), leading=True, now=0)) == [words]
    assert list(faults(vitals(queue=queue), leading=False, now=0)) == []


def test_a_slow_queue_is_none() -> None:
    queue = StillQueue(waited=STUCK_SECONDS, worked=STUCK_SECONDS)
    assert list(faults(vitals(queue=queue), leading=True, now=0)) == []


def test_a_watch_that_is_no_longer_proved_is_a_fault() -> None:
    found = vitals()
    assert list(faults(found, leading=False, now=1e9)) == []  # nothing was listed yet
    found.schedule.due = 1000
    assert list(faults(found, leading=False, now=1000 + PROOF_SECONDS)) == []
    told = list(faults(found, leading=False, now=1001 + PROOF_SECONDS))
    assert told == ["the watch of virtualassistants was to be proved 301 s ago"]


def test_an_event_loop_that_is_late_is_a_fault_until_it_is_in_time_again() -> None:
    found = vitals()
    found.pulse.lag = LAG_SECONDS + 1
    assert list(faults(found, leading=False, now=0)) == ["the event loop is late by 6.0 s"]
    found.pulse.lag = 0.1
    assert list(faults(found, leading=False, now=0)) == []


def test_all_faults_are_named_at_once() -> None:
    async def run() -> None:
        reflector = a_reflector()
        reflector.alive_at -= STALE_SECONDS + 1
        found = vitals(reflector, queue=StillQueue(worked=400))
        told = (503, "not following pods; a key has been in work for 400 s")
        assert await asked(found, "/healthz") == told

    asyncio.run(run())


def test_the_pulse_tells_by_how_much_the_loop_was_blocked() -> None:
    async def run() -> float:
        pulse = Pulse()
        beating = asyncio.ensure_future(pulse.run())
        await asyncio.sleep(0)
        time.sleep(BEAT_SECONDS + 0.3)  # noqa: ASYNC251 - to block the loop is the point
        while pulse.lag == 0:
            await asyncio.sleep(0)
        beating.cancel()
        return pulse.lag

    assert 0.2 < asyncio.run(run()) < 2


def test_a_burst_is_seen_for_a_minute() -> None:
    pulse = Pulse()
    assert pulse.worst == 0
    pulse.beat(3.0)
    for _ in range(BEATS_KEPT - 1):
        pulse.beat(0.1)
    assert (pulse.lag, pulse.worst) == (0.1, 3.0)
    pulse.beat(0.1)
    assert pulse.worst == 0.1


def test_metrics_are_told_in_the_format_of_prometheus() -> None:
    async def run() -> None:
        status, text = await asked(vitals(), "/metrics")
        assert status == 200
        assert "# TYPE va_operator_reconciles_total counter" in text

    asyncio.run(run())
