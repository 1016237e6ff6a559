"""What tests ask a real API server for."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from support.cluster import Cluster, Manifest, until

CHILDREN = (
    "deployments", "services", "configmaps", "poddisruptionbudgets", "networkpolicies"
)  # fmt: skip
MANAGER = "virtual-assistant-operator"
OURS = f"app.kubernetes.io/managed-by={MANAGER}"


@dataclass(frozen=True)
class Objects:
    """The objects of a namespace."""

    cluster: Cluster
    namespace: str

    def apply(self, *manifests: Manifest) -> None:
        for manifest in manifests:
            self.cluster.apply(manifest, self.namespace)

    def create(self, manifest: Manifest) -> None:
        """Create or change an object without the note that `kubectl apply` leaves in it."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", body=manifest)

    def kubectl(self, *args: str, body: Manifest | None = None) -> str:
        text = None if body is None else json.dumps(body)
        return self.cluster.kubectl("-n", self.namespace, *args, stdin=text)

    def find(self, kind: str, name: str = "ada") -> Manifest | None:
        return self.cluster.get(kind, name, self.namespace)

    def get(self, kind: str, name: str = "ada") -> Manifest:
        """Return an object as soon as there is one."""
        found: Manifest = self.until(lambda: self.find(kind, name))
        return found

    def list(self, kind: str, selector: str = OURS) -> list[Manifest]:
        return self.cluster.list(kind, self.namespace, selector)

    def until(self, met: Any, *, within: float = 30) -> Any:
        return self.cluster.until(met, self.namespace, within=within)

    def wait_for(self, type_: str = "Ready", *, name: str = "ada", **wanted: Any) -> Manifest:
        """Wait for a condition of an assistant."""
        wanted = {"status": "False", "within": 30, **wanted}
        return self.cluster.wait_for(name, self.namespace, type_, **wanted)

    def everything(self) -> dict[str, Manifest]:
        """Return all that the operator could write, by kind and name."""
        kinds = ",".join(("va", *CHILDREN, "events"))
        found = json.loads(self.kubectl("get", kinds, "-o", "json"))["items"]
        return {f"{body['kind']} {body['metadata']['name']}": body for body in found}

    def settled(self, names: Iterable[str] = ("ada",)) -> None:
        """Wait until assistants have all their children and a status that speaks of now."""
        wanted = tuple(names)

        def complete() -> bool:
            there = self.everything()
            return all(
                f"Deployment {name}" in there
                and f"Service {name}" in there
                and _speaks_of_now(there[f"VirtualAssistant {name}"])
                for name in wanted
            )

        self.until(complete, within=60)
        self.quiet()

    def versions(self) -> dict[str, str]:
        """Return the versions of everything that the operator wrote."""
        return {
            name: body["metadata"]["resourceVersion"]
            for name, body in self.everything().items()
            if body["kind"] == "VirtualAssistant" or _is_ours(body)
        }

    def quiet(self, *, seconds: float = 1.5, within: float = 60) -> dict[str, str]:
        """Wait until nothing was written for some seconds; return the versions."""
        last: dict[str, str] = {}
        since = time.monotonic()

        def rested() -> bool:
            nonlocal last, since
            now = self.versions()
            if now != last:
                last, since = now, time.monotonic()
            return time.monotonic() - since >= seconds

        until(rested, within=within, show=lambda: self.cluster.story(self.namespace))
        return last

    def uid(self, kind: str, name: str = "ada") -> str | None:
        found = self.find(kind, name)
        uid: str | None = found["metadata"]["uid"] if found else None
        return uid

    def template(self) -> Manifest:
        """Return the containers of the Deployment by name."""
        spec = self.get("deployment")["spec"]["template"]["spec"]
        return {item["name"]: item for item in spec["containers"]}


def _is_ours(body: Manifest) -> bool:
    labels = body["metadata"].get("labels", {})
    return MANAGER in {
        labels.get("app.kubernetes.io/managed-by"),
        body.get("source", {}).get("component"),
    }


def _speaks_of_now(assistant: Manifest) -> bool:
    generation = assistant["metadata"]["generation"]
    found: bool = assistant.get("status", {}).get("observedGeneration") == generation
    return found
