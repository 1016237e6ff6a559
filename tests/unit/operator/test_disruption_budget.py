"""What the PodDisruptionBudget must look like, and when there is none."""

import pytest

from support.builders import an_assistant
from va_operator.resources.disruption_budget import build_disruption_budget
from va_operator.resources.metadata import metadata_for, selector_for


def test_one_pod_at_a_time_may_be_away() -> None:
    ada = an_assistant(replicas=2)
    assert build_disruption_budget(ada) == {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata_for(ada),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": selector_for(ada)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


@pytest.mark.parametrize(
    "spec",
    [{"replicas": 1}, {"replicas": 0}, {"replicas": 5, "suspend": True}],
    ids=["one pod", "no pods", "suspended"],
)
def test_fewer_than_two_pods_have_no_budget(spec: dict[str, object]) -> None:
    assert build_disruption_budget(an_assistant(**spec)) is None
