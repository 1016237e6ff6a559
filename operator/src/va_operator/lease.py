"""When to take the Lease, keep it, or give up: who of several operators acts.

The rules are those of client-go's `leaderelection`. A Lease is never judged by the times written in
it, for clocks of machines differ: another's Lease has run out when it has looked the same for its
whole duration by our own clock. The holder stops before that: it counts from the moment in which
it sent its last renewal that succeeded, which is before anyone can have seen it.

    sent      +2 s          +7 s                      +10 s
    renewed   next renewal  no write is sent any more  another may take it

The three seconds between are for a write that was sent at the last moment. Takeover after a
kill is within LEASE_SECONDS + LOOK_SECONDS of the last renewal, and the requests' own time.

Beyond those rules, a holder that is late may go on where nobody else came: each write of the Lease
names the version that it replaces, so whoever holds it in between leaves a trace.
All seconds are those of one clock that never jumps.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

from va_operator.api import Key, Manifest

LEASE_NAME: Final = "virtual-assistant-operator"
API_VERSION: Final = "coordination.k8s.io/v1"

LEASE_SECONDS: Final = 10
"""How long a Lease lasts after its last renewal; the API wants whole seconds."""
RENEW_SECONDS: Final = 2.0
"""How often the holder renews."""
DEADLINE_SECONDS: Final = 7.0
"""How long after sending its last renewal the holder acts."""
LOOK_SECONDS: Final = 1.0
"""How often a standby looks."""
TRY_SECONDS: Final = 2.5
"""How long one request for the Lease may take: two whole tries fit before the deadline."""
RETRY_SECONDS: Final = 0.25
"""The holder's pause after a renewal that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The Lease as it was last seen, and since when it looks so, by our clock."""

    body: Manifest
    since: float

    @property
    def spec(self) -> dict[str, Any]:
        """Return what it says, as it may have been edited by hand."""
        return self.body.get("spec") or {}

    @property
    def holder(self) -> str:
        """Return who holds it, "" where nobody does."""
        return self.spec.get("holderIdentity") or ""

    @property
    def exists(self) -> bool:
        """Tell whether it was there when it was last looked for."""
        return "resourceVersion" in self.body["metadata"]

    @property
    def expires(self) -> float:
        """Return when it has run out, unless it changes before."""
        return self.since + max(LEASE_SECONDS, self.spec.get("leaseDurationSeconds") or 0)


class Step(Enum):
    """What to do now."""

    CLAIM = auto()
    """Write it: it is ours and wants renewal, is nobody's, or has run out."""
    WAIT = auto()
    """Another holds it."""
    LOST = auto()
    """It was ours, and is no more: another had it, or may have had."""


def see(body: Manifest, before: Sighting | None, *, now: float) -> Sighting:
    """Take in a Lease: what says the same as before has looked so since then.

    What is beside ``spec``, as labels, is no sign of life.
    """
    same = before is not None and before.spec == (body.get("spec") or {})
    return Sighting(body=body, since=before.since if before is not None and same else now)


def decide(seen: Sighting | None, identity: str, *, held_until: float | None, now: float) -> Step:
    """Return what to do about the Lease.

    ``held_until`` is the end of what our last renewal has earned, None where we do not
    hold it. A Lease that was never seen is nobody's. One that was deleted is judged as it was last
    seen: its deletion does not stop its holder.

    After ``held_until`` our Lease may still be renewed, where each version of it that we saw names
    us: such a renewal replaces the last of them and no other, so nobody held it between. One
    that is nobody's, or that was deleted, may have been another's in the meantime.
    """
    if held_until is not None:
        unbroken = seen is not None and seen.exists and seen.holder == identity
        early = now < held_until and (seen is None or seen.holder in {identity, ""})
        return Step.CLAIM if early or unbroken else Step.LOST
    if seen is None or seen.holder in {identity, ""} or now >= seen.expires:
        return Step.CLAIM
    return Step.WAIT


def pause(seen: Sighting | None, *, held_until: float | None, now: float) -> float:
    """Return the seconds until the next look or renewal, after all went well."""
    if held_until is not None:
        return RENEW_SECONDS
    if seen is None:
        return RETRY_SECONDS
    return min(LOOK_SECONDS, max(seen.expires - now, RETRY_SECONDS))


def claim(seen: Sighting | None, key: Key, identity: str, *, at: datetime) -> Manifest:
    """Return the Lease to write so that it is ours; ``at`` is for people who read it.

    It carries the version that was seen, so that whoever was quicker wins.
    """
    before = seen.spec if seen is not None else {}
    renewal = before.get("holderIdentity") == identity
    return _written(
        seen,
        key,
        {
            **before,
            "holderIdentity": identity,
            "leaseDurationSeconds": LEASE_SECONDS,
            "acquireTime": (before.get("acquireTime") if renewal else None) or _micro_time(at),
            "renewTime": _micro_time(at),
            "leaseTransitions": (before.get("leaseTransitions") or 0) + (not renewal),
        },
    )


def release(seen: Sighting, key: Key, *, at: datetime) -> Manifest:
    """Return the Lease to write so that it is nobody's, and another takes it at once."""
    return _written(seen, key, {**seen.spec, "holderIdentity": "", "renewTime": _micro_time(at)})


def _written(seen: Sighting | None, key: Key, spec: Manifest) -> Manifest:
    metadata = seen.body["metadata"] if seen is not None else {}
    return {
        "apiVersion": API_VERSION,
        "kind": "Lease",
        "metadata": {**metadata, "name": key.name, "namespace": key.namespace},
        "spec": spec,
    }


def _micro_time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
