"""The reconciler on a cluster in memory, with what its watches would have told it."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from support.builders import IMAGES, NAMESPACE
from support.memory_cluster import MemoryCluster
from va_operator.api import API_VERSION, KIND, Key, Manifest
from va_operator.errors import ChildRefused
from va_operator.observed import Pod, read_child, read_config_map
from va_operator.reconciler import Reconciler
from va_operator.reports import Report
from va_operator.resources.metadata import CHILDREN_SELECTOR
from va_operator.resources.pod_template import Images
from va_operator.store import Store
from va_operator.upgrades import Upgrades

ADA = Key(NAMESPACE, "ada")
NOW = datetime(2026, 5, 4, tzinfo=UTC)


@dataclass
class MemoryOperator:
    """An operator that can be started anew at any time; the cluster stays."""

    cluster: MemoryCluster = field(default_factory=MemoryCluster)
    pods: tuple[Pod, ...] = ()
    reports: dict[str, Report | None] = field(default_factory=dict)
    store: Store = field(default_factory=Store)
    images: Images = IMAGES
    upgrade_rollouts: int = 2
    model_hosts: tuple[str, ...] = ()
    woken: list[Key] = field(default_factory=list)
    missed: list[Key] = field(default_factory=list)
    """Assistants that the store knew and the API server did not."""

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start anew: what was only in memory is lost."""
        self.store = Store()
        self.reconciler = Reconciler.of(
            store=self.store,
            cluster=self.cluster,
            images=self.images,
            upgrades=Upgrades(
                deployments=self.store.deployments,
                images=self.images,
                limit=self.upgrade_rollouts,
                wake=lambda key: self.woken.append(key),
            ),
            reports=self.reports,
            clock=lambda: NOW,
            instance="test",
            missed=lambda assistant: self.missed.append(assistant.key),
            model_hosts=self.model_hosts,
        )

    def observe(self) -> None:
        """See what there is, as the watches do."""
        store = self.store
        for body in self.cluster.all(KIND):
            store.remember_assistant(body)
        for assistant in store.assistants:
            if self.cluster.find(KIND, assistant.key) is None:
                store.forget_assistant(assistant.key, assistant.uid)
        now = str(self.cluster.version)
        for kind, shelf in store.children.items():
            shelf.replace(map(read_child, self._watched(kind)), version=now, within=_everywhere)
        revisions = map(read_config_map, self._watched("ConfigMap"))
        store.revisions.replace(revisions, version=now, within=_everywhere)
        sources = [read_config_map(b) for b in self.cluster.all("ConfigMap") if not _watched(b)]
        referred = [found for found in sources if store.referrers(found.key)]
        store.sources.replace(referred, version=now, within=_everywhere)
        store.pods.replace(self.pods, version=now, within=_everywhere)

    def _watched(self, kind: str) -> list[Manifest]:
        return [body for body in self.cluster.all(kind) if _watched(body)]

    def reconcile(self, key: Key = ADA) -> list[str]:
        """Look and reconcile once; return what was written."""
        before = len(self.cluster.writes)
        self.observe()
        asyncio.run(self.reconciler.reconcile(key))
        return self.cluster.writes[before:]

    def settle(self, key: Key = ADA) -> ChildRefused | None:
        """Reconcile until nothing is written any more; return the refusal that stays."""
        for _ in range(10):
            refused = None
            before = len(self.cluster.writes)
            try:
                self.reconcile(key)
            except ChildRefused as failure:
                refused = failure
            if len(self.cluster.writes) == before:
                return refused
        raise AssertionError(f"it never comes to rest: {self.cluster.writes}")

    def ask_for(self, name: str = "ada", *, text: str = "Ada works.", **spec: Any) -> None:
        """Apply an assistant as a person does; fields that are not given go."""
        key = Key(NAMESPACE, name)
        if self.cluster.find(KIND, key):
            self.cluster.remove(KIND, key, "spec")
        files = [{"name": "ada.md", "inline": text}]
        self.cluster.put(
            {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "metadata": {"name": name, "namespace": NAMESPACE},
                "spec": {"replicas": 2, "context": {"files": files}, **spec},
            }
        )

    def roll_out(self, *, updated: int = 2, ready: int = 2) -> None:
        """Let the Deployment's controller look at it and make this many pods as it asks."""
        deployment = self.child("Deployment")
        status = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": max(updated, 2),
            "updatedReplicas": updated,
            "readyReplicas": ready,
        }
        self.cluster.put({**deployment, "status": status})

    def assistant(self, key: Key = ADA) -> Manifest:
        return self.cluster.body(KIND, key)

    def child(self, kind: str, key: Key = ADA) -> Manifest:
        return self.cluster.body(kind, key)

    def condition(self, type_: str = "Ready", key: Key = ADA) -> tuple[str, str]:
        found = {c["type"]: c for c in self.assistant(key)["status"]["conditions"]}[type_]
        return found["status"], found["reason"]

    def revisions(self) -> list[str]:
        return [body["metadata"]["name"] for body in self._watched("ConfigMap")]


def _watched(body: Manifest) -> bool:
    name, _, value = CHILDREN_SELECTOR.partition("=")
    labels: Manifest = body["metadata"].get("labels", {})
    return labels.get(name) == value


def _everywhere(_: Key) -> bool:
    return True
