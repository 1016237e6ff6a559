"""What tools that follow kstatus (Flux, kpt, Helm 4, Argo CD's health checks) make of an object.

The published rules for kinds that the library does not know: sigs.k8s.io/cli-utils,
pkg/kstatus/README.md and `Compute` in pkg/kstatus/status.
"""

from typing import Any


def kstatus(body: dict[str, Any]) -> str:
    """Return `Current`, `InProgress`, `Failed` or `Terminating`."""
    metadata, status = body["metadata"], body.get("status") or {}
    if "deletionTimestamp" in metadata:
        return "Terminating"
    if status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return "InProgress"
    conditions = status.get("conditions") or ()
    for condition in conditions:
        if condition["type"] == "Reconciling" and condition["status"] == "True":
            return "InProgress"
        if condition["type"] == "Stalled" and condition["status"] == "True":
            return "Failed"
    ready = {condition["type"]: condition["status"] for condition in conditions}.get("Ready")
    return "Current" if ready in {None, "True"} else "InProgress"
