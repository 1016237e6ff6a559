"""Two operators, of which one acts: takeover, release, and no write after the renew deadline."""

import json
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.api_objects import Objects
from support.api_proxy import ApiProxy, Call, Hang, call_to
from support.builders import a_manifest
from support.cluster import Cluster, until
from support.operator_process import OperatorProcess
from va_operator.lease import DEADLINE_SECONDS, LEASE_NAME, LEASE_SECONDS

TAKEOVER_SECONDS = 15
"""What is promised after a kill."""
ON_ITS_WAY = 0.25
"""Seconds from a client's send to the proxy's note of it, on a machine with much to do."""


@dataclass
class Candidate:
    """An operator whose every request is noted."""

    process: OperatorProcess
    proxy: ApiProxy
    port: int

    @property
    def leads(self) -> bool:
        return "leading: " in self.process.log()

    def until_it_leads(self, within: float) -> None:
        until(lambda: self.leads, within=within, show=self.process.log)

    def writes(self, since: float = 0) -> list[Call]:
        """Return what it wrote but the Lease, those that failed too; questions are no writes."""
        found = self.proxy.writes(lambda call: call.received > since)
        return [c for c in found if c.resource not in {"leases", "selfsubjectrulesreviews"}]

    def ask(self, path: str) -> tuple[int, str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode().strip()


Make = Callable[[str], Candidate]


@pytest.fixture
def a_candidate(cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Make]:
    """Start operators that share a Lease; those that are still there at the end are stopped."""
    made: list[Candidate] = []
    with ExitStack() as stack:

        def make(name: str) -> Candidate:
            proxy = ApiProxy(cluster.kubeconfig, tmp_path / f"{name}.yaml")
            stack.enter_context(proxy)
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            settings = {
                "VA_OPERATOR_LEASE_NAMESPACE": namespace,
                "VA_OPERATOR_HEALTH_PORT": str(port),
            }
            log = tmp_path / f"{name}.log"
            process = OperatorProcess(Cluster(proxy.kubeconfig), namespace, log, settings)
            made.append(Candidate(process.start(), proxy, port))
            return made[-1]

        yield make
        for candidate in made:
            if not candidate.process.is_dead:
                candidate.process.send(signal.SIGCONT)
                candidate.process.stop()


@pytest.fixture
def pair(a_candidate: Make) -> tuple[Candidate, Candidate]:
    """One that acts and one that stands by."""
    first = a_candidate("first")
    first.until_it_leads(within=10)
    return first, a_candidate("second")


def an_assistant(replicas: int = 0, name: str = "ada") -> dict[str, object]:
    return a_manifest(name, replicas=replicas)


def has_replicas(objects: Objects, replicas: int) -> bool:
    found = objects.find("deployment")
    return found is not None and found["spec"]["replicas"] == replicas


def test_a_killed_operator_is_replaced_within_15_seconds(
    objects: Objects, pair: tuple[Candidate, Candidate], record_property: Callable[..., None]
) -> None:
    first, second = pair
    objects.apply(an_assistant())
    objects.settled()
    holder = json.loads(objects.kubectl("get", "lease", LEASE_NAME, "-o", "json"))["spec"]
    status, text = second.ask("/readyz")
    assert (status, text) == (200, f"standing by: {holder['holderIdentity']} holds the Lease")
    assert second.writes() == []
    assert "va_operator_leading 0.0" in second.ask("/metrics")[1]
    assert "va_operator_leading 1.0" in first.ask("/metrics")[1]

    first.process.kill()
    killed = time.monotonic()
    objects.apply(an_assistant(replicas=1))
    second.until_it_leads(within=TAKEOVER_SECONDS)
    took = time.monotonic() - killed
    objects.until(lambda: has_replicas(objects, 1))
    record_property("takeover_after_kill_seconds", round(took, 1))
    print(f"takeover after SIGKILL: {took:.1f} s")
    assert LEASE_SECONDS - 4 < took < TAKEOVER_SECONDS
    assert second.ask("/readyz") == (200, "ok")


def test_an_operator_that_is_asked_to_end_is_replaced_at_once(
    objects: Objects, pair: tuple[Candidate, Candidate], record_property: Callable[..., None]
) -> None:
    first, second = pair
    begun = time.monotonic()
    first.process.stop()
    second.until_it_leads(within=5)
    took = time.monotonic() - begun
    record_property("takeover_after_sigterm_seconds", round(took, 1))
    print(f"takeover after SIGTERM: {took:.1f} s")
    objects.apply(an_assistant())
    objects.settled()
    assert first.writes() == []


def test_an_operator_that_was_suspended_sends_no_write_when_it_wakes(
    objects: Objects, pair: tuple[Candidate, Candidate], record_property: Callable[..., None]
) -> None:
    first, second = pair
    objects.apply(an_assistant())
    objects.settled()
    first.process.send(signal.SIGSTOP)
    asleep = time.monotonic()
    second.until_it_leads(within=TAKEOVER_SECONDS)
    print(f"takeover after SIGSTOP: {time.monotonic() - asleep:.1f} s")
    # All this waits in the sleeper's sockets, and asks for writes as soon as it wakes.
    objects.apply(an_assistant(replicas=3), *(an_assistant(name=f"new-{n}") for n in range(10)))
    objects.until(lambda: has_replicas(objects, 3))
    objects.kubectl("scale", "deployment/ada", "--replicas=7")
    objects.until(lambda: has_replicas(objects, 3))
    objects.quiet()

    first.process.send(signal.SIGCONT)
    assert first.process.ended(within=15) == 1, first.process.log()
    assert [str(call) for call in first.writes(since=asleep + ON_ITS_WAY)] == []
    assert "stopping: the Lease is lost" in first.process.log()
    objects.quiet()
    assert has_replicas(objects, 3)


def test_nothing_is_sent_after_the_deadline_by_an_operator_whose_requests_hang(
    objects: Objects, pair: tuple[Candidate, Candidate]
) -> None:
    first, second = pair
    objects.apply(an_assistant())
    objects.settled()
    first.proxy.when(call_to("update", "leases"), Hang(), times=None)
    first.proxy.when(call_to("patch", "deployments"), Hang(), times=None)
    asked = 0

    def changes_until_it_ends() -> bool:
        nonlocal asked
        asked += 1
        replicas = {"spec": {"replicas": asked % 9}}
        objects.kubectl("patch", "va", "ada", "--type=merge", "-p", json.dumps(replicas))
        objects.apply(an_assistant(name=f"new-{asked}"))
        return first.process.is_dead

    # It looks once a second from its deadline on, and ends when it sees that another took over.
    until(changes_until_it_ends, within=25, show=first.process.log)
    assert first.process.ended(within=5) == 1
    [*_, renewed] = first.proxy.find(
        lambda c: c.resource == "leases" and c.is_write and c.succeeded
    )
    hung = first.proxy.writes(call_to("patch", "deployments"))
    deadline = renewed.received + DEADLINE_SECONDS
    assert [call for call in hung if call.received > renewed.received]
    assert [str(call) for call in first.writes(since=deadline + ON_ITS_WAY)] == []

    second.until_it_leads(within=TAKEOVER_SECONDS)
    first.proxy.let_go()
    objects.until(lambda: has_replicas(objects, asked % 9))
    assert [str(call) for call in first.writes(since=deadline + ON_ITS_WAY)] == []


def test_an_operator_that_was_suspended_alone_goes_on_when_it_wakes(
    objects: Objects, a_candidate: Make
) -> None:
    lone = a_candidate("lone")
    lone.until_it_leads(within=10)
    objects.apply(an_assistant())
    objects.settled()
    lone.process.send(signal.SIGSTOP)
    asleep = time.monotonic()
    until(
        lambda: time.monotonic() - asleep > LEASE_SECONDS + 2,
        within=LEASE_SECONDS + 5,
        show=lone.process.log,
    )
    objects.apply(an_assistant(replicas=3))
    lone.process.send(signal.SIGCONT)
    objects.until(lambda: has_replicas(objects, 3))
    [woken, *_] = lone.proxy.writes(
        lambda c: c.received > asleep + ON_ITS_WAY and c.resource != "selfsubjectrulesreviews"
    )
    assert woken.resource == "leases", "the renewal comes before any other write"
    assert not lone.process.is_dead
    assert lone.process.log().count("leading: ") == 2


def test_two_that_start_at_once_do_not_both_act(a_candidate: Make, objects: Objects) -> None:
    candidates = [a_candidate("first"), a_candidate("second")]
    objects.apply(an_assistant())
    objects.settled()
    assert [candidate.leads for candidate in candidates].count(True) == 1
    [idle] = [candidate for candidate in candidates if not candidate.leads]
    assert idle.writes() == []
