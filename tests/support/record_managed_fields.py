"""Records `managed_fields.json` from a real API server: `python -m support.record_managed_fields`.

Run it in `tests/` whenever a builder changes what it sends; the objects are not scheduled.
"""

import json
import uuid
from pathlib import Path
from typing import Any

from support.builders import EVERYTHING, IMAGES, OPENAI, UID, an_assistant
from support.cluster import Cluster, Manifest, connect
from va_operator.api import API_VERSION, KIND
from va_operator.owned import FIELD_MANAGER
from va_operator.resources.deployment import build_deployment
from va_operator.resources.service import build_service

FILE = Path(__file__).with_name("managed_fields.json")
STAND_IN = {"apiVersion": "v1", "kind": "ConfigMap"}
FOREIGN: Manifest = {
    "metadata": {"labels": {"team": "blue"}, "annotations": {"mesh": "on"}},
    "spec": {"template": {"spec": {"containers": [{"name": "sidecar", "image": "x"}]}}},
}


def record(cluster: Cluster, namespace: str) -> dict[str, Manifest]:
    """Apply as the operator does, then as others; return what the server has each time."""

    def kubectl(*args: str, **given: Any) -> str:
        return cluster.kubectl("-n", namespace, *args, **given)

    # An owner that exists, or the garbage collector comes between; the record names the assistant.
    kubectl("create", "configmap", "ada")
    uid = kubectl("get", "configmap", "ada", "-o", "jsonpath={.metadata.uid}")

    def apply(body: Manifest) -> Manifest:
        ours = ("--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}")
        owner = {**body["metadata"]["ownerReferences"][0], **STAND_IN, "uid": uid}
        metadata = {**body["metadata"], "namespace": namespace, "ownerReferences": [owner]}
        kubectl("apply", *ours, "-f", "-", stdin=json.dumps({**body, "metadata": metadata}))
        return seen(body["kind"])

    def seen(kind: str) -> Manifest:
        body = cluster.get(kind, "ada", namespace)
        assert body is not None
        body["metadata"]["ownerReferences"][0].update(apiVersion=API_VERSION, kind=KIND)
        recorded: Manifest = json.loads(json.dumps(body).replace(uid, UID))
        return recorded

    assistant = an_assistant(namespace="t1", model=OPENAI, replicas=0)
    found = {
        "service": apply(build_service(assistant)),
        "plain": apply(build_deployment(assistant, "3f2a91c0de", IMAGES)),
    }
    kubectl("patch", "deployment", "ada", "-p", json.dumps(FOREIGN))
    found["foreign"] = seen("Deployment")
    kubectl("set", "image", "deployment/ada", "assistant=y")
    kubectl("label", "deployment", "ada", "app.kubernetes.io/name=x", "--overwrite")
    found["edited"] = seen("Deployment")
    kubectl("delete", "deployment", "ada")
    everything = an_assistant(namespace="t1", replicas=0, **EVERYTHING)
    found["everything"] = apply(build_deployment(everything, "3f2a91c0de", IMAGES))
    return found


def main() -> None:
    """Record, in a namespace that goes afterwards."""
    cluster, namespace = connect(), f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", namespace)
    try:
        found = record(cluster, namespace)
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")
    text = json.dumps(found, indent=1, sort_keys=True).replace(namespace, "t1")
    FILE.write_text(text + "\n")


if __name__ == "__main__":
    main()
