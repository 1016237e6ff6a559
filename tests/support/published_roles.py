"""The roles that `deploy/` publishes, given to a service account made for a test, and no others.

Nothing of an installed operator is touched: roles of the cluster get names of their own.
"""

import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import yaml

from support.cluster import ROOT, Cluster, Manifest
from support.product import OPERATOR_NAMESPACE

OPERATOR = "virtual-assistant-operator"
_ACCESS = ("ServiceAccount", "ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding")
ANY_NAMESPACE = "-"
"""No namespace can be called so: what is allowed in it is allowed in the whole cluster."""


class Right(NamedTuple):
    """One thing that one may do; the resource includes the subresource, as in RBAC."""

    group: str
    resource: str
    verb: str


def published(watch: Iterable[str] = ()) -> list[Manifest]:
    """Return what `deploy/manifests` prints for these namespaces to watch, by default all."""
    done = subprocess.run(
        [ROOT / "deploy" / "manifests"],
        env={**os.environ, "WATCH": ",".join(watch)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def rights(rules: Iterable[Manifest]) -> set[Right]:
    """Return the single rights of RBAC rules."""
    return {
        Right(group, resource, verb)
        for rule in rules
        for group in rule.get("apiGroups", ())
        for resource in rule.get("resources", ())
        for verb in rule["verbs"]
    }


def rights_of(name: str) -> set[Right]:
    """Return what a published ClusterRole grants."""
    named = ("ClusterRole", name)
    [role] = [body for body in published() if (body["kind"], body["metadata"]["name"]) == named]
    return rights(role["rules"])


@dataclass(kw_only=True)
class Account:
    """A service account `virtual-assistant-operator` in a test's namespace, which stands for the
    operator's own, with all that an install gives to it.
    """

    cluster: Cluster
    namespace: str
    watch: tuple[str, ...] = ()
    _made: list[Manifest] = field(default_factory=list)

    @property
    def user(self) -> str:
        """Return its name as RBAC knows it."""
        return f"system:serviceaccount:{self.namespace}:{OPERATOR}"

    @property
    def role(self) -> str:
        """Return the name of its copy of the published ClusterRole."""
        return f"{self.namespace}-{OPERATOR}"

    def install(self) -> "Account":
        """Make it, its roles and its bindings."""
        for body in published(self.watch):
            if body["kind"] in _ACCESS:
                self._made.append(self._copy(body))
        self.cluster.kubectl("apply", "-f", "-", stdin=_listed(self._made))
        return self

    def remove(self) -> None:
        """Take away what is not in a namespace that goes with its test."""
        left = [body for body in self._made if body["kind"].startswith("Cluster")]
        self.cluster.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=_listed(left))

    def granted(self) -> set[Right]:
        """Return all rights in its roles, wherever they hold."""
        refs = {
            (body["roleRef"]["kind"], body["roleRef"]["name"])
            for body in self._made
            if "roleRef" in body
        }
        return {
            right
            for body in self._made
            if (body["kind"], body["metadata"]["name"]) in refs
            for right in rights(body["rules"])
        }

    def token(self) -> str:
        """Return a token, good for an hour."""
        return self.cluster.kubectl(
            "-n", self.namespace, "create", "token", OPERATOR, "--duration=1h"
        ).strip()

    def allowed(self, namespace: str = ANY_NAMESPACE) -> set[Right]:
        """Return what the API server lets it do in a namespace, beyond what anybody may do."""
        return allowed(self.cluster, self.user, namespace)

    def _copy(self, body: Manifest) -> Manifest:
        body = json.loads(json.dumps(body).replace(OPERATOR_NAMESPACE, self.namespace))
        renamed = [body["metadata"]] if body["kind"].startswith("Cluster") else []
        if body.get("roleRef", {}).get("kind") == "ClusterRole":
            renamed.append(body["roleRef"])
        for named in renamed:
            named["name"] = f"{self.namespace}-{named['name']}"
        body["metadata"].pop("labels", None)  # of those, some extend the roles of the cluster
        return body


def allowed(cluster: Cluster, user: str, namespace: str) -> set[Right]:
    """Return what a user may do in a namespace, beyond what anybody may do."""
    return _reviewed(cluster, user, namespace) - _reviewed(cluster, "somebody", namespace)


def _reviewed(cluster: Cluster, user: str, namespace: str) -> set[Right]:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    told = cluster.kubectl(
        "create", "--validate=false", "-f", "-", "-o", "json", f"--as={user}",
        stdin=json.dumps(review),
    )  # fmt: skip
    status = json.loads(told)["status"]
    assert not status["incomplete"], status
    return rights(status["resourceRules"])


def _listed(items: list[Manifest]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
