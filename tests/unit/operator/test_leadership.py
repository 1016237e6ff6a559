"""Holding the Lease: taking it, losing it, giving it back, on a server that may hang."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from va_operator.api import Key, Manifest
from va_operator.errors import ClusterFailure, Fenced, LeaseLost
from va_operator.fence import Fence
from va_operator.leadership import Leadership
from va_operator.lease import DEADLINE_SECONDS, LEASE_SECONDS, TRY_SECONDS

KEY = Key("system", "virtual-assistant-operator")


@dataclass
class MemoryLeases:
    """The API server's part: versions, conflicts, and faults that tests put in."""

    body: Manifest | None = None
    version: int = 0
    faults: list[ClusterFailure | None] = field(default_factory=list)
    after: list[ClusterFailure | None] = field(default_factory=list)
    """Faults of writes that arrive all the same."""
    writes: list[ClusterFailure] = field(default_factory=list)
    """Faults of writes alone."""
    limits: list[float] = field(default_factory=list)
    looked: Callable[[], None] = lambda: None
    took: Callable[[], None] = lambda: None

    async def read_lease(self, key: Key, *, within: float) -> Manifest | None:
        self._meet(within)
        found = self.body
        self.looked()
        return found

    async def write_lease(self, lease: Manifest, *, within: float) -> Manifest:
        self._meet(within)
        if self.writes:
            raise self.writes.pop(0)
        there = self.body["metadata"]["resourceVersion"] if self.body else None
        if lease["metadata"].get("resourceVersion") != there:
            raise ClusterFailure(409, "the object has been modified", reason="Conflict")
        self.version += 1
        metadata = {**lease["metadata"], "resourceVersion": str(self.version)}
        self.body = {**lease, "metadata": metadata}
        self.took()
        if self.after and (fault := self.after.pop(0)):
            raise fault
        return self.body

    def _meet(self, within: float) -> None:
        self.limits.append(within)
        if self.faults and (fault := self.faults.pop(0)):
            raise fault

    @property
    def spec(self) -> Manifest:
        assert self.body is not None
        found: Manifest = self.body["spec"]
        return found

    @property
    def holder(self) -> str:
        found: str = self.spec["holderIdentity"]
        return found


@dataclass
class World:
    """A clock that only sleeping moves, and everything that goes by it."""

    leases: MemoryLeases = field(default_factory=MemoryLeases)
    now: float = 1000.0

    def candidate(self, identity: str = "me") -> Leadership:
        return Leadership(
            leases=self.leases,
            key=KEY,
            identity=identity,
            fence=Fence(lambda: self.now),
            now=lambda: self.now,
            wall=lambda: datetime.fromtimestamp(self.now, UTC),
        )

    def pass_time(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Let sleeping move the clock."""
    world = World()
    really = asyncio.sleep

    async def sleep(seconds: float) -> None:
        world.now += seconds
        await really(0)

    monkeypatch.setattr("va_operator.leadership.asyncio.sleep", sleep)
    return world


def runs(test: Callable[[], Awaitable[Any]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(10):
            await test()

    asyncio.run(run())


async def running(world: World, leadership: Leadership, *, until: float) -> None:
    """Run it until a moment of the world's clock."""
    task = asyncio.ensure_future(leadership.run())
    while world.now < until and not task.done():
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def a_foreign_lease(version: str = "5", **spec: Any) -> Manifest:
    return {"metadata": {"name": KEY.name, "namespace": KEY.namespace, "resourceVersion": version},
            "spec": {"holderIdentity": "other", "leaseDurationSeconds": 10, **spec}}  # fmt: skip


def test_a_lone_operator_creates_the_lease_and_acts(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        with pytest.raises(Fenced):
            me.fence.remaining()
        await running(world, me, until=1001)
        assert me.active.is_set()
        assert world.leases.holder == "me"
        assert 0 < me.fence.remaining() <= DEADLINE_SECONDS

    runs(test)


def test_it_renews_and_each_renewal_opens_the_fence_anew(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await running(world, me, until=1060)
        assert me.fence.remaining() > DEADLINE_SECONDS - 3
        assert world.leases.version >= 29

    runs(test)


def test_a_renewal_counts_from_when_it_was_sent(world: World) -> None:
    async def test() -> None:
        world.leases.took = lambda: world.pass_time(2)
        me = world.candidate()
        task = asyncio.ensure_future(me.run())
        await me.active.wait()
        assert world.now >= 1002
        assert me.fence.remaining() <= DEADLINE_SECONDS - 2
        task.cancel()

    runs(test)


def test_a_standby_waits_for_the_whole_lease_and_no_longer(world: World) -> None:
    async def test() -> None:
        world.leases.body = a_foreign_lease()
        me = world.candidate()
        await running(world, me, until=1000 + LEASE_SECONDS - 0.5)
        assert not me.active.is_set()
        with pytest.raises(Fenced):
            me.fence.remaining()
        assert me.holder == "other"
        await running(world, me, until=1000 + LEASE_SECONDS + 0.5)
        assert me.active.is_set()
        assert world.leases.holder == "me"

    runs(test)


def test_a_standby_takes_a_released_lease_at_once(world: World) -> None:
    async def test() -> None:
        first, second = world.candidate("first"), world.candidate("second")
        await running(world, first, until=1003)
        await first.give_up()
        assert world.leases.holder == ""
        with pytest.raises(Fenced):
            first.fence.remaining()
        await running(world, second, until=world.now + 0.2)
        assert second.active.is_set()

    runs(test)


def test_only_one_of_two_takes_a_lease_that_has_run_out(world: World) -> None:
    async def test() -> None:
        world.leases.body = a_foreign_lease()
        candidates = [world.candidate("first"), world.candidate("second")]
        tasks = [asyncio.ensure_future(found.run()) for found in candidates]
        while world.now < 1060:
            await asyncio.sleep(0)
        assert [found.active.is_set() for found in candidates].count(True) == 1
        for task in tasks:
            task.cancel()

    runs(test)


NO_ANSWER = ClusterFailure(0, "no answer")


async def late(world: World, me: Leadership) -> None:
    """Lead, and then let the API server be away for half a minute."""
    await running(world, me, until=1001)
    world.leases.faults = [NO_ANSWER] * 1000
    await running(world, me, until=1030)
    world.leases.faults.clear()


def test_a_holder_that_cannot_renew_writes_nothing_after_its_deadline(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await running(world, me, until=1001)
        world.leases.faults = [NO_ANSWER] * 1000
        await running(world, me, until=1000 + DEADLINE_SECONDS - 0.3)
        assert me.active.is_set()
        assert 0 < me.fence.remaining() <= 0.5
        await running(world, me, until=1000 + DEADLINE_SECONDS)
        await running(world, me, until=1030)
        assert not me.active.is_set()
        assert me.lapsed.is_set()
        with pytest.raises(Fenced):
            me.fence.remaining()

    runs(test)


def test_a_late_holder_goes_on_where_nobody_held_the_lease_between(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await late(world, me)
        transitions = world.leases.spec["leaseTransitions"]
        await running(world, me, until=world.now + 1.5)
        assert me.active.is_set()
        assert me.fence.remaining() > 0
        assert me.trouble == ""
        assert world.leases.holder == "me"
        assert world.leases.spec["leaseTransitions"] == transitions

    runs(test)


def test_a_late_holder_asks_no_more_often_than_a_standby(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await late(world, me)
        world.leases.faults = [NO_ANSWER] * 1000
        world.leases.limits.clear()
        await running(world, me, until=world.now + 10)
        assert 9 <= len(world.leases.limits) <= 11

    runs(test)


@pytest.mark.parametrize(
    "then", [a_foreign_lease("99"), a_foreign_lease("99", holderIdentity=""), None],
    ids=["holds it", "gave it back", "deleted it"],
)  # fmt: skip
def test_a_late_holder_ends_where_another_may_have_held_the_lease(
    then: Manifest | None, world: World
) -> None:
    async def test() -> None:
        me = world.candidate()
        await late(world, me)
        world.leases.body = then
        version = world.leases.version
        with pytest.raises(LeaseLost):
            await me.run()
        assert world.leases.version == version, "it wrote the Lease"
        with pytest.raises(Fenced):
            me.fence.remaining()

    runs(test)


def test_a_late_holder_that_another_overtakes_between_look_and_write_ends(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await late(world, me)

        def overtake() -> None:
            world.leases.looked = lambda: None
            world.leases.body = a_foreign_lease("99")

        world.leases.looked = overtake
        with pytest.raises(LeaseLost, match="other holds it"):
            await me.run()
        with pytest.raises(Fenced):
            me.fence.remaining()

    runs(test)


def test_a_late_renewal_that_arrived_although_it_seemed_lost_is_our_own(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await late(world, me)
        world.leases.after = [NO_ANSWER]
        version = world.leases.version
        await running(world, me, until=world.now + 0.5)
        assert world.leases.version == version + 1
        with pytest.raises(Fenced):  # When it was taken in nobody knows.
            me.fence.remaining()
        await running(world, me, until=world.now + 1.5)
        assert me.fence.remaining() > 0

    runs(test)


def test_a_late_holder_whose_writes_alone_hang_sees_that_another_took_over(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await running(world, me, until=1001)
        world.leases.writes = [NO_ANSWER] * 1000
        await running(world, me, until=1012)
        world.leases.body = a_foreign_lease("99")
        begun = world.now
        with pytest.raises(LeaseLost, match="other holds it"):
            await me.run()
        assert world.now - begun <= 2

    runs(test)


def test_a_holder_that_wakes_after_its_deadline_looks_before_anything_else(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await running(world, me, until=1001)
        world.now += 60
        world.leases.body = a_foreign_lease("99")
        asked = len(world.leases.limits)
        with pytest.raises(LeaseLost):
            await me.run()
        assert len(world.leases.limits) == asked + 1
        with pytest.raises(Fenced):
            me.fence.remaining()

    runs(test)


def test_a_late_holder_gives_back_what_is_still_its_own(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await late(world, me)
        await me.give_up()
        assert world.leases.holder == ""

    runs(test)


def test_a_holder_whose_lease_was_taken_ends(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await running(world, me, until=1001)
        world.leases.body = a_foreign_lease("99")
        with pytest.raises(LeaseLost, match="other holds it"):
            await me.run()

    runs(test)


def test_a_renewal_that_arrived_although_it_seemed_lost_is_no_loss(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await running(world, me, until=1001)
        world.leases.after = [ClusterFailure(0, "timed out")]
        await running(world, me, until=1020)
        assert me.active.is_set()
        assert me.fence.remaining() > 0
        assert world.leases.holder == "me"

    runs(test)


def test_a_lease_that_is_edited_beside_is_renewed_all_the_same(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await running(world, me, until=1001)
        assert world.leases.body is not None
        world.leases.body["metadata"] |= {"resourceVersion": "77", "labels": {"a": "b"}}
        await running(world, me, until=1020)
        assert me.fence.remaining() > 0
        assert world.leases.body["metadata"]["labels"] == {"a": "b"}

    runs(test)


def test_a_deleted_lease_is_made_anew_by_its_holder(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await running(world, me, until=1001)
        world.leases.body = None
        await running(world, me, until=1010)
        assert world.leases.holder == "me"
        assert me.fence.remaining() > 0

    runs(test)


def test_a_standby_does_not_take_the_deletion_of_a_lease_for_the_end_of_its_holder(
    world: World,
) -> None:
    async def test() -> None:
        world.leases.body = a_foreign_lease()
        me = world.candidate()
        await running(world, me, until=1003)
        world.leases.body = None
        await running(world, me, until=1009)
        assert not me.active.is_set()
        await running(world, me, until=1012)
        assert me.active.is_set()

    runs(test)


def test_each_request_has_a_limit_that_ends_before_the_deadline(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await running(world, me, until=1001)
        world.leases.limits.clear()

        in_time: list[float] = []

        def hang() -> None:
            world.now += world.leases.limits[-1]
            if me.active.is_set():
                in_time.append(world.now - begun)
            raise ClusterFailure(0, "timed out")

        world.leases.took = hang
        begun = world.now
        await running(world, me, until=1020)
        assert me.lapsed.is_set()
        assert 0 < max(world.leases.limits) <= TRY_SECONDS
        assert max(in_time) <= DEADLINE_SECONDS + 0.01

    runs(test)


def test_what_keeps_it_from_the_lease_is_told_once_and_forgotten(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        me = world.candidate()
        world.leases.faults = [ClusterFailure(403, "forbidden")] * 3
        await running(world, me, until=1001.5)
        assert me.trouble == "403: forbidden"
        await running(world, me, until=1004)
        assert me.trouble == ""

    runs(test)
    assert caplog.text.count("forbidden") == 1


def test_a_standby_that_is_refused_asks_no_more_often_than_it_looks(world: World) -> None:
    async def test() -> None:
        world.leases.faults = [ClusterFailure(403, "forbidden")] * 100
        await running(world, world.candidate(), until=1010)
        assert len(world.leases.limits) <= 11

    runs(test)


def test_who_never_held_the_lease_does_not_release_it(world: World) -> None:
    async def test() -> None:
        world.leases.body = a_foreign_lease()
        me = world.candidate()
        await running(world, me, until=1002)
        await me.give_up()
        assert world.leases.holder == "other"

    runs(test)


def test_a_release_that_fails_is_no_fault(world: World) -> None:
    async def test() -> None:
        me = world.candidate()
        await running(world, me, until=1001)
        world.leases.faults = [ClusterFailure(503, "busy")]
        await me.give_up()
        assert world.leases.holder == "me"

    runs(test)
