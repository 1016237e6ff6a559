"""The published roles: enough for all that the operator does, and not a verb more."""

import json
import socket
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.api_objects import Objects
from support.api_proxy import ApiProxy, Call, call_to
from support.builders import a_manifest, referring
from support.cluster import Cluster, Manifest, until
from support.operator_process import OperatorProcess
from support.published_roles import (
    ANY_NAMESPACE,
    OPERATOR,
    Account,
    Right,
    allowed,
    rights_of,
)

SOURCE = "ada-cv"
WATCHED = "virtual-assistant-watched"
"""The binding in each namespace that is watched."""
FOR_ANYBODY = {Right("authorization.k8s.io", "selfsubjectrulesreviews", "create")}
"""What every authenticated user may do without a role of ours, and the operator does."""
REVIEWED = 75.0
"""Seconds within which a permission that goes or comes is noticed."""
GRANTED = {200, 201, 404, 409, 422}
"""Answers that are given only to those who have the permission."""
NEVER = (
    "get secrets", "list secrets", "watch secrets", "list nodes", "list namespaces",
    "create pods", "delete pods", "create pods --subresource=exec", "get pods --subresource=proxy",
    "get pods --subresource=log", "delete deployments.apps", "delete services",
    "update configmaps", "deletecollection configmaps", "create virtualassistants",
    "patch virtualassistants", "delete virtualassistants", "create rolebindings",
    "create serviceaccounts --subresource=token", "impersonate users", "escalate roles",
    "bind clusterroles", "* *", "* configmaps", "get *",
)  # fmt: skip


@pytest.fixture
def namespaces(cluster: Cluster) -> Iterator[tuple[str, str, str]]:
    """Two namespaces and the operator's own, which is the last."""
    names = one, other, own = [f"test-{uuid.uuid4().hex[:8]}" for _ in range(3)]
    for name in names:
        cluster.kubectl("create", "namespace", name)
    yield one, other, own
    cluster.kubectl("delete", "namespace", *names, "--ignore-not-found", "--wait=false")


@pytest.fixture
def an_account(
    cluster: Cluster, namespaces: tuple[str, str, str]
) -> Iterator[Callable[..., Account]]:
    """Install service accounts with the published roles."""
    made: list[Account] = []

    def make(*watch: str) -> Account:
        made.append(Account(cluster=cluster, namespace=namespaces[2], watch=watch).install())
        return made[-1]

    yield make
    for account in made:
        account.remove()


@pytest.fixture
def proxy(cluster: Cluster, tmp_path: Path) -> Iterator[ApiProxy]:
    """A way to the API server on which every call is written down."""
    with ApiProxy(cluster.kubeconfig, tmp_path / "proxied.yaml") as proxy:
        yield proxy


@pytest.fixture
def port() -> int:
    """A port for the health of an operator."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
    return found


@pytest.fixture
def start(proxy: ApiProxy, tmp_path: Path) -> Iterator[Callable[..., OperatorProcess]]:
    """Start operators that have the rights of an account and watch what it is for."""
    running: list[OperatorProcess] = []

    def make(account: Account, **settings: str) -> OperatorProcess:
        kubeconfig = tmp_path / "account.yaml"
        kubeconfig.write_text(proxy.kubeconfig_text(account.token()))
        settings = {"lease_namespace": account.namespace, **settings}
        more = {f"VA_OPERATOR_{name.upper()}": value for name, value in settings.items()}
        operator = OperatorProcess(
            Cluster(kubeconfig), ",".join(account.watch), tmp_path / "operator.log", more
        )
        running.append(operator)
        return operator.start()

    yield make
    for operator in running:
        operator.stop()


def a_source(text: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": SOURCE},
            "data": {"cv.md": text}}  # fmt: skip


def an_assistant(**spec: Any) -> Manifest:
    return a_manifest(context=referring(SOURCE), **{"replicas": 0, **spec})


def used(calls: list[Call]) -> set[Right]:
    """Return the rights that calls needed, as far as the API server granted them."""
    found = set()
    for call in calls:
        if not call.resource or call.status not in GRANTED:
            continue
        resource = "/".join(filter(None, (call.resource, call.subresource)))
        found.add(Right(call.group, resource, call.verb))
        if call.verb == "patch" and call.status == 201:  # an apply that made something
            found.add(Right(call.group, resource, "create"))
    return found


def denied(calls: list[Call], *namespaces: str) -> set[str]:
    """Return what was asked in vain, everywhere or in the test's own namespaces.

    In others, those of earlier tests, nothing can be made any more while they go.
    """
    return {
        f"{call.verb} {call.resource}/{call.subresource} in {call.namespace or 'all namespaces'}"
        for call in calls
        if call.status in {401, 403} and (not namespaces or call.namespace in {"", *namespaces})
    }


def live(objects: Objects, proxy: ApiProxy) -> None:
    """Lead an assistant through all that makes the operator do something."""
    objects.create(a_source("Ada works."))
    objects.apply(an_assistant())
    objects.settled()

    for number in range(6):  # until revisions are outdated
        before = objects.get("va")["status"]["revision"]["desired"]
        objects.create(a_source(f"Ada works, {number}."))
        objects.until(
            lambda before=before: objects.get("va")["status"]["revision"]["desired"] != before
        )
    until(lambda: proxy.find(call_to("delete", "configmaps")), within=30)

    for spec in ({"replicas": 2}, {"replicas": 2, "suspend": True}, {"replicas": 2}):
        objects.apply(an_assistant(**spec))
        objects.settled()
    objects.kubectl("scale", "va/ada", "--replicas=1")
    objects.settled()

    for _ in range(2):  # the second time is the same event again
        objects.apply(an_assistant(service={"nodePort": 80}))
        objects.wait_for(reason="Refused")
        objects.apply(an_assistant())
        objects.wait_for(reason="ScaledToZero")

    objects.kubectl("delete", "service", "ada")
    objects.get("service")

    # Without the label that is watched a child is out of sight: its name is found taken.
    objects.apply(an_assistant(replicas=2))
    objects.settled()
    for plural in ("deployments", "services", "poddisruptionbudgets", "networkpolicies"):
        objects.kubectl("label", plural, "ada", "app.kubernetes.io/managed-by-")
        objects.until(lambda plural=plural: objects.list(plural))
        until(lambda plural=plural: proxy.find(call_to("get", plural)), within=30)


@pytest.mark.parametrize("several", [False, True], ids=["all namespaces", "two namespaces"])
def test_the_published_roles_are_enough_and_each_verb_is_used(
    several: bool,
    cluster: Cluster,
    namespaces: tuple[str, str, str],
    an_account: Callable[..., Account],
    proxy: ApiProxy,
    start: Callable[..., OperatorProcess],
) -> None:
    one, other, _ = namespaces
    account = an_account(*((one, other) if several else ()))
    start(account, resync_seconds="2")

    live(Objects(cluster, one), proxy)
    second = Objects(cluster, other)
    second.apply(a_manifest(replicas=0))
    second.settled()
    for objects in (Objects(cluster, one), second):
        objects.kubectl("delete", "va", "ada")
        objects.until(lambda objects=objects: not objects.list("deployments"), within=60)
        objects.quiet()

    assert denied(proxy.calls, one, other) == set()
    granted = account.granted()
    assert granted - used(proxy.calls) == set(), "granted, and never used"
    assert used(proxy.calls) - granted - FOR_ANYBODY == set()


def test_an_account_for_all_namespaces_may_do_what_is_published_and_nothing_else(
    namespaces: tuple[str, str, str], an_account: Callable[..., Account]
) -> None:
    account = an_account()
    assert account.allowed(ANY_NAMESPACE) == rights_of(OPERATOR)
    assert account.allowed(namespaces[0]) == rights_of(OPERATOR)
    never(account, namespaces[0])


def test_an_account_for_some_namespaces_may_do_nothing_outside_of_them(
    namespaces: tuple[str, str, str], an_account: Callable[..., Account]
) -> None:
    one, other, own = namespaces
    account = an_account(one)
    assert account.allowed(one) == rights_of(OPERATOR)
    assert account.allowed(other) == set()
    assert account.allowed(ANY_NAMESPACE) == set()
    assert rights_of(OPERATOR).isdisjoint(account.allowed(own))
    never(account, one)


def never(account: Account, namespace: str) -> None:
    """Ask for what must never be granted, one by one, as a person would check it."""
    granted = [
        what
        for what in NEVER
        if account.cluster.kubectl(
            "-n", namespace, "auth", "can-i", *what.split(), f"--as={account.user}", check=False
        ).strip() != "no"
    ]  # fmt: skip
    assert granted == []


def test_an_operator_of_some_namespaces_leaves_the_others_alone(
    cluster: Cluster,
    namespaces: tuple[str, str, str],
    an_account: Callable[..., Account],
    proxy: ApiProxy,
    start: Callable[..., OperatorProcess],
) -> None:
    *watched, third = namespaces
    start(an_account(*watched))
    for namespace in namespaces:
        Objects(cluster, namespace).apply(a_manifest(replicas=0))
    for namespace in watched:
        Objects(cluster, namespace).settled()

    assert Objects(cluster, third).get("va")["status"] == {"observedGeneration": -1}, "as made"
    about = {call.namespace for call in proxy.calls if call.group != "coordination.k8s.io"}
    assert third not in about
    assert denied(proxy.calls) == set()


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (
            "virtual-assistant-editor",
            {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"},
            "update virtualassistants --subresource=status",
        ),
        (
            "virtual-assistant-viewer",
            {"get", "list", "watch"},
            "update virtualassistants --subresource=scale",
        ),
    ],
)
def test_people_may_do_what_their_role_says(
    role: str,
    may: set[str],
    may_not: str,
    cluster: Cluster,
    namespaces: tuple[str, str, str],
    an_account: Callable[..., Account],
) -> None:
    account, namespace = an_account(), namespaces[0]
    cluster.kubectl(
        "-n", namespace, "create", "rolebinding", "jane", "--user=jane",
        f"--clusterrole={account.namespace}-{role}",
    )  # fmt: skip

    found = allowed(cluster, "jane", namespace)
    assert found == rights_of(role)
    assert {r.verb for r in found if r.resource == "virtualassistants"} == may
    scale = {r.verb for r in found if r.resource == "virtualassistants/scale"}
    assert scale == ({"get", "update", "patch"} if "update" in may else {"get"})
    assert {r.verb for r in found if r.resource == "virtualassistants/status"} == {"get"}
    assert {r.group for r in found} == {"virtualassistant.dev"}
    assert allowed(cluster, "jane", namespaces[1]) == set()
    asked = ("-n", namespace, "auth", "can-i", *may_not.split(), "--as=jane")
    assert cluster.kubectl(*asked, check=False).strip() == "no"


def readiness(port: int) -> tuple[int, str]:
    """Return what `/readyz` says."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status, answer.read().decode().strip()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode().strip()


def test_a_permission_that_is_taken_away_is_told_and_its_return_noticed(
    cluster: Cluster,
    namespaces: tuple[str, str, str],
    an_account: Callable[..., Account],
    start: Callable[..., OperatorProcess],
    port: int,
) -> None:
    one, other, _ = namespaces
    objects = Objects(cluster, one)
    account = an_account(one, other)
    start(account, health_port=str(port))
    objects.apply(a_manifest(replicas=0))
    objects.settled()
    until(lambda: readiness(port) == (200, "ok"), within=10)
    role = cluster.kubectl("get", "clusterrole", account.role, "-o", "json")

    less = json.loads(role)
    for rule in less["rules"]:
        if "deployments" in rule["resources"]:
            rule["verbs"] = [verb for verb in rule["verbs"] if verb != "patch"]
    cluster.kubectl("replace", "-f", "-", stdin=json.dumps(less))
    told = (503, "; ".join(f"not allowed in {n}: patch deployments.apps" for n in (one, other)))
    until(lambda: readiness(port) == told, within=REVIEWED, show=lambda: str(readiness(port)))
    objects.apply(a_manifest(replicas=2))
    found = objects.wait_for(reason="NotAllowed")
    assert 'cannot patch resource "deployments" in API group "apps"' in found["message"]

    cluster.kubectl("replace", "--force", "-f", "-", stdin=role)
    until(lambda: readiness(port)[0] == 200, within=REVIEWED, show=lambda: str(readiness(port)))
    objects.until(lambda: objects.get("deployment")["spec"]["replicas"] == 2, within=REVIEWED)


def test_what_happens_while_nothing_is_allowed_is_made_up_for(
    cluster: Cluster,
    namespaces: tuple[str, str, str],
    an_account: Callable[..., Account],
    proxy: ApiProxy,
    start: Callable[..., OperatorProcess],
    port: int,
) -> None:
    one, other, _ = namespaces
    account = an_account(one, other)
    operator = start(account, health_port=str(port))
    there, elsewhere = Objects(cluster, one), Objects(cluster, other)
    for objects in (there, elsewhere):
        objects.apply(a_manifest(replicas=0))
        objects.settled()
    binding = there.kubectl("get", "rolebinding", WATCHED, "-o", "json")

    there.kubectl("delete", "rolebinding", WATCHED)
    proxy.end()  # sooner or later the API server ends all watches, and they are opened again
    lacking = f"not allowed in {one}: list, watch virtualassistants"
    until(lambda: lacking in readiness(port)[1], within=REVIEWED)
    assert readiness(port)[0] == 200  # The other namespace is as it was.
    assert f"not allowed in {other}" not in readiness(port)[1]
    there.apply(a_manifest(replicas=2), a_manifest("bob", replicas=0))
    there.kubectl("delete", "service", "ada")
    elsewhere.apply(a_manifest(replicas=1))
    elsewhere.until(lambda: elsewhere.get("deployment")["spec"]["replicas"] == 1)
    until(lambda: proxy.find(lambda call: call.status == 403 and call.verb == "watch"), within=30)

    there.kubectl("apply", "-f", "-", body=json.loads(binding))
    until(lambda: readiness(port) == (200, "ok"), within=REVIEWED)
    there.until(lambda: there.get("deployment")["spec"]["replicas"] == 2, within=REVIEWED)
    there.settled(["ada", "bob"])
    assert not operator.is_dead


def test_a_namespace_that_goes_takes_nothing_else_with_it(
    cluster: Cluster,
    namespaces: tuple[str, str, str],
    an_account: Callable[..., Account],
    proxy: ApiProxy,
    start: Callable[..., OperatorProcess],
    port: int,
) -> None:
    gone, other, _ = namespaces
    operator = start(an_account(gone, other), health_port=str(port), resync_seconds="2")
    for namespace in (gone, other):
        Objects(cluster, namespace).apply(a_manifest(replicas=0))
        Objects(cluster, namespace).settled()

    cluster.kubectl("delete", "namespace", gone, "--timeout=90s")
    proxy.end()
    until(lambda: f"not allowed in {gone}" in readiness(port)[1], within=REVIEWED)
    proxy.forget()
    objects = Objects(cluster, other)
    objects.apply(a_manifest(replicas=1), a_manifest("bob", replicas=0))
    objects.settled(["ada", "bob"])
    assert objects.get("deployment")["spec"]["replicas"] == 1
    until(lambda: proxy.find(call_to("list", "virtualassistants")), within=10)
    assert not proxy.writes(lambda call: call.namespace == gone)
    assert not operator.is_dead


def test_a_namespace_that_is_not_there_keeps_no_other_waiting(
    cluster: Cluster,
    namespaces: tuple[str, str, str],
    an_account: Callable[..., Account],
    start: Callable[..., OperatorProcess],
    port: int,
) -> None:
    later, other, _ = namespaces
    account = an_account(later, other)
    there, elsewhere = Objects(cluster, later), Objects(cluster, other)
    binding = there.kubectl("get", "rolebinding", WATCHED, "-o", "json")
    there.kubectl("delete", "rolebinding", WATCHED)
    there.apply(a_manifest(replicas=0))
    elsewhere.apply(a_manifest(replicas=0))

    start(account, health_port=str(port))
    elsewhere.settled()
    assert readiness(port)[0] == 200
    assert f"not allowed in {later}: list, watch virtualassistants" in readiness(port)[1]
    assert not there.list("deployments")

    there.kubectl("apply", "-f", "-", body=json.loads(binding))
    until(lambda: readiness(port) == (200, "ok"), within=REVIEWED)
    there.settled()
