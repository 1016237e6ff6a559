"""Who may act: every decision about the Lease, and what is written into it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from va_operator.api import Key, Manifest
from va_operator.lease import (
    DEADLINE_SECONDS,
    LEASE_SECONDS,
    LOOK_SECONDS,
    RENEW_SECONDS,
    RETRY_SECONDS,
    TRY_SECONDS,
    Sighting,
    Step,
    claim,
    decide,
    pause,
    release,
    see,
)

KEY = Key("system", "virtual-assistant-operator")
AT = datetime(2026, 5, 4, 3, 2, 1, 5, tzinfo=UTC)
MICRO = "2026-05-04T03:02:01.000005Z"


def a_lease(holder: str | None = "other", *, version: str = "7", **spec: Any) -> Manifest:
    return {
        "metadata": {"name": KEY.name, "namespace": KEY.namespace, "resourceVersion": version},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 10, "renewTime": "x", **spec},
    }


def seen(holder: str | None = "other", *, since: float = 100, **spec: Any) -> Sighting:
    return Sighting(body=a_lease(holder, **spec), since=since)


def step(found: Sighting | None, *, now: float, held_until: float | None = None) -> Step:
    return decide(found, "me", held_until=held_until, now=now)


@pytest.mark.parametrize("holder", ["", None, "me"])
def test_a_lease_that_is_nobodys_or_our_own_is_claimed(holder: str | None) -> None:
    assert step(seen(holder), now=100) is Step.CLAIM


def test_a_lease_that_never_was_is_claimed() -> None:
    assert step(None, now=0) is Step.CLAIM


@pytest.mark.parametrize("spec", [None, {}, {"renewTime": None}])
def test_a_lease_that_says_nothing_is_claimed(spec: Any) -> None:
    assert step(Sighting(body={"metadata": {}, "spec": spec}, since=0), now=0) is Step.CLAIM


@pytest.mark.parametrize(
    ("now", "expected"), [(100, Step.WAIT), (109.9, Step.WAIT), (110, Step.CLAIM)]
)
def test_anothers_lease_is_claimed_when_it_looked_the_same_for_its_duration(
    now: float, expected: Step
) -> None:
    assert step(seen(), now=now) is expected


def test_a_longer_lease_is_waited_for_and_a_shorter_one_not_believed() -> None:
    assert step(seen(leaseDurationSeconds=30), now=129) is Step.WAIT
    assert step(seen(leaseDurationSeconds=30), now=130) is Step.CLAIM
    assert step(seen(leaseDurationSeconds=1), now=109) is Step.WAIT


@pytest.mark.parametrize("held", ["me", ""])
def test_the_holder_renews_until_its_deadline(held: str) -> None:
    assert step(seen(held), held_until=107, now=106.9) is Step.CLAIM


def test_a_late_holder_may_still_renew_the_lease_that_names_it() -> None:
    assert step(seen("me"), held_until=107, now=107) is Step.CLAIM
    assert step(seen("me"), held_until=107, now=999) is Step.CLAIM


@pytest.mark.parametrize(
    "found", [seen(""), seen("other"), Sighting(body={**a_lease("me"), "metadata": {}}, since=0)],
    ids=["nobody's", "another's", "deleted"],
)  # fmt: skip
def test_a_late_holder_stops_where_another_may_have_held_the_lease(found: Sighting) -> None:
    assert step(found, held_until=107, now=107) is Step.LOST


def test_the_holder_stops_when_another_took_the_lease() -> None:
    assert step(seen("other"), held_until=107, now=101) is Step.LOST


def test_a_lease_is_alive_as_long_as_what_it_says_changes() -> None:
    first = see(a_lease(renewTime="1"), None, now=100)
    renewed = see(a_lease(renewTime="2", version="8"), first, now=105)
    assert (first.since, renewed.since) == (100, 105)


def test_what_is_written_beside_a_lease_does_not_keep_it_alive() -> None:
    first = see(a_lease(), None, now=100)
    labelled = a_lease(version="9")
    labelled["metadata"]["labels"] = {"a": "b"}
    again = see(labelled, first, now=109)
    assert again.since == 100
    assert again.body["metadata"]["resourceVersion"] == "9"


def test_times_in_the_lease_are_not_compared_with_our_clock() -> None:
    for renewed in ("1970-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"):
        found = see(a_lease(renewTime=renewed), None, now=100)
        assert step(found, now=109) is Step.WAIT
        assert step(found, now=110) is Step.CLAIM


def test_a_first_claim_creates_the_lease() -> None:
    assert claim(None, KEY, "me", at=AT) == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": KEY.name, "namespace": KEY.namespace},
        "spec": {
            "holderIdentity": "me",
            "leaseDurationSeconds": LEASE_SECONDS,
            "acquireTime": MICRO,
            "renewTime": MICRO,
            "leaseTransitions": 1,
        },
    }


def test_a_takeover_names_the_version_that_was_seen_and_counts() -> None:
    body = claim(seen(leaseTransitions=4, acquireTime="then", strategy="kept"), KEY, "me", at=AT)
    assert body["metadata"]["resourceVersion"] == "7"
    assert body["spec"]["leaseTransitions"] == 5
    assert body["spec"]["acquireTime"] == MICRO
    assert body["spec"]["strategy"] == "kept"


def test_a_renewal_changes_the_time_alone() -> None:
    before = seen("me", leaseTransitions=4, acquireTime="then")
    assert claim(before, KEY, "me", at=AT)["spec"] == {**before.spec, "renewTime": MICRO}


def test_a_release_leaves_no_holder() -> None:
    freed = release(seen("me", leaseTransitions=4), KEY, at=AT)
    assert freed["spec"]["holderIdentity"] == ""
    assert freed["spec"]["leaseTransitions"] == 4
    assert freed["metadata"]["resourceVersion"] == "7"


def test_a_standby_looks_each_second_and_in_the_moment_in_which_the_lease_runs_out() -> None:
    assert pause(seen(), held_until=None, now=101) == LOOK_SECONDS
    assert pause(seen(), held_until=None, now=109.5) == 0.5
    assert pause(seen(), held_until=None, now=120) == RETRY_SECONDS
    assert pause(None, held_until=None, now=120) == RETRY_SECONDS


def test_the_holder_renews_every_two_seconds() -> None:
    assert pause(seen("me"), held_until=107, now=100) == RENEW_SECONDS


def test_two_tries_that_hang_fit_between_a_renewal_and_the_deadline() -> None:
    assert RENEW_SECONDS + 2 * TRY_SECONDS <= DEADLINE_SECONDS
    assert DEADLINE_SECONDS + TRY_SECONDS <= LEASE_SECONDS
