import pytest

from va_cluster.errors import WrongRequest
from va_cluster.kind import Node, Record
from va_cluster.plan import Observed, Step, missing_steps

CONTROL_PLANE = Node("1a", "va-control-plane", "running", "10:00")
WORKER = Node("2b", "va-worker", "running", "10:01")
RECORD = Record(("1a 10:00", "2b 10:01"), "public")


def observed(*nodes: Node, record: Record | None = RECORD, has_kubeconfig: bool = True) -> Observed:
    return Observed(nodes, record, has_kubeconfig)


def test_nothing_there_means_create() -> None:
    assert missing_steps(observed(record=None, has_kubeconfig=False), 2) == (Step.CREATE,)


def test_a_record_without_nodes_means_create() -> None:
    assert missing_steps(observed(), None) == (Step.CREATE,)


def test_a_running_cluster_lacks_nothing() -> None:
    assert missing_steps(observed(CONTROL_PLANE, WORKER), None) == ()
    assert missing_steps(observed(WORKER, CONTROL_PLANE), 2) == ()


def test_another_number_of_nodes_is_refused_and_not_made() -> None:
    with pytest.raises(WrongRequest, match="up with 2 nodes, not with 3") as refused:
        missing_steps(observed(CONTROL_PLANE, WORKER), 3)
    assert "va-cluster down" in refused.value.advice


def test_a_paused_node_is_resumed() -> None:
    paused = Node("2b", "va-worker", "paused", "10:01")
    assert missing_steps(observed(CONTROL_PLANE, paused), None) == (Step.RESUME_NODES,)


ANEW = (Step.DELETE_REMAINS, Step.CREATE)


@pytest.mark.parametrize(
    "remains",
    [
        pytest.param(observed(CONTROL_PLANE, WORKER, record=None), id="killed while creating"),
        pytest.param(
            observed(CONTROL_PLANE, WORKER, has_kubeconfig=False), id="kubeconfig removed"
        ),
        pytest.param(observed(CONTROL_PLANE), id="a node is gone"),
        pytest.param(
            observed(CONTROL_PLANE, Node("2b", "va-worker", "exited", "10:01")), id="node stopped"
        ),
        pytest.param(
            observed(CONTROL_PLANE, Node("2b", "va-worker", "running", "11:30")),
            id="node started again by a new engine",
        ),
        pytest.param(
            observed(CONTROL_PLANE, Node("3c", "va-worker", "running", "10:01")),
            id="a container of another cluster's life",
        ),
    ],
)
def test_remains_of_an_earlier_cluster_are_replaced(remains: Observed) -> None:
    assert missing_steps(remains, None) == ANEW
    assert missing_steps(remains, 3) == ANEW
