"""The PodDisruptionBudget that lets nodes be drained without a gap in the answers."""

from typing import Final

from va_operator.api import Manifest, VirtualAssistant
from va_operator.resources.metadata import metadata_for, selector_for

FEWEST_PODS: Final = 2
"""With fewer, a budget would keep a node from being drained and protect nobody."""


def build_disruption_budget(assistant: VirtualAssistant) -> Manifest | None:
    """Return the desired PodDisruptionBudget; None where there are too few pods for one.

    One pod may be away at a time. A pod that is not ready anyway may always be evicted, so
    that one that crashes never blocks a drain
    (https://kubernetes.io/docs/tasks/run-application/configure-pdb/#unhealthy-pod-eviction-policy).
    """
    if assistant.pods_wanted < FEWEST_PODS:
        return None
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata_for(assistant),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": selector_for(assistant)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
