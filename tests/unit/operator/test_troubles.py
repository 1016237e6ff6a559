"""From the words of Kubernetes to one reason and one sentence."""

import pytest

from support.builders import a_deployment, a_pod
from va_operator.errors import ClusterFailure
from va_operator.troubles import MESSAGE_LENGTH, explain_pods, explain_rollout, refusal, shorten

REFUSALS = {
    "a quota": (
        ClusterFailure(403, "services is forbidden: exceeded quota: q", reason="Forbidden"),
        "QuotaExceeded",
    ),
    "a permission": (ClusterFailure(403, "cannot patch", reason="Forbidden"), "NotAllowed"),
    "no credentials": (ClusterFailure(401, "Unauthorized", reason="Unauthorized"), "NotAllowed"),
    "a node port that is taken": (
        ClusterFailure(422, "provided port is already allocated", reason="Invalid"),
        "NodePortTaken",
    ),
    "a field that somebody else owns": (
        ClusterFailure(409, "Apply failed with 1 conflict", reason="Conflict"),
        "NameConflict",
    ),
    "a value that is not valid": (ClusterFailure(422, "is invalid", reason="Invalid"), "Refused"),
    "a body that is too large": (ClusterFailure(413, "too large"), "Refused"),
    "a request that is not understood": (ClusterFailure(400, "bad"), "Refused"),
}


@pytest.mark.parametrize(("failure", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_has_a_reason(failure: ClusterFailure, reason: str) -> None:
    refused = refusal("Service", "ada", failure)

    assert refused is not None
    assert refused.reason == reason
    assert str(refused) == f"Service 'ada' cannot be written: {failure.message}"


@pytest.mark.parametrize("status", [0, 404, 408, 410, 429, 500, 502, 503, 504])
def test_what_another_try_may_cure_is_no_refusal(status: int) -> None:
    assert refusal("Service", "ada", ClusterFailure(status, "later")) is None


def test_an_admission_webhook_that_denies_is_not_a_missing_permission() -> None:
    denied = ClusterFailure(403, 'admission webhook "validate" denied the request: no labels')
    refused = refusal("Service", "ada", denied)
    assert refused is not None
    assert refused.reason == "Refused"


def test_a_namespace_that_goes_refuses_nothing_that_people_should_look_at() -> None:
    going = ClusterFailure(403, "services is forbidden: because it is being terminated")
    assert refusal("Service", "ada", going) is None


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("AlreadyExists", "exists"),
        ("Conflict", "Operation cannot be fulfilled on resourcequotas: has been modified"),
    ],
)
def test_a_conflict_that_is_no_ownership_is_no_refusal(reason: str, message: str) -> None:
    assert refusal("Service", "ada", ClusterFailure(409, message, reason=reason)) is None


PODS = {
    "ImagePullBackOff": "ImagePullFailed",
    "ErrImagePull": "ImagePullFailed",
    "InvalidImageName": "ImagePullFailed",
    "CrashLoopBackOff": "ContainerCrashing",
    "CreateContainerConfigError": "ContainerCannotStart",
    "RunContainerError": "ContainerCannotStart",
    "SomethingNew": "ContainerCannotStart",
    "Unschedulable": "Unschedulable",
}


@pytest.mark.parametrize(("kind", "reason"), PODS.items())
def test_a_pods_trouble_has_a_reason(kind: str, reason: str) -> None:
    found = explain_pods([a_pod(), a_pod(name="ada-2", trouble=kind, message="why")])

    assert found is not None
    assert found.reason == reason
    assert found.message == f"Container 'assistant' of pod 'ada-2' is in {kind}: why"


def test_a_trouble_of_the_whole_pod_names_no_container() -> None:
    found = explain_pods([a_pod(trouble="Unschedulable", container=None)])
    assert found is not None
    assert found.message == "Pod 'ada-1' is in Unschedulable"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("Evicted", "PodFailed"),
        ("OutOfcpu", "PodFailed"),
        ("NodeLost", "NodeLost"),
        ("SchedulerError", "Unschedulable"),
    ],
)
def test_a_trouble_of_the_whole_pod_has_a_reason_of_its_own(kind: str, reason: str) -> None:
    found = explain_pods([a_pod(trouble=kind, container=None)])
    assert found is not None
    assert found.reason == reason


def test_pods_without_trouble_explain_nothing() -> None:
    assert explain_pods([a_pod(), a_pod(ready=False)]) is None


def failed(message: str, status: str = "True") -> dict[str, str]:
    return {"type": "ReplicaFailure", "status": status, "message": message}


STUCK = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}


def test_a_quota_for_pods_is_told_apart_from_a_policy() -> None:
    quota = explain_rollout(a_deployment(conditions=(failed("exceeded quota: q"),)))
    policy = explain_rollout(a_deployment(conditions=(failed("violates PodSecurity"),)))

    assert quota is not None
    assert policy is not None
    assert (quota.reason, policy.reason) == ("QuotaExceeded", "PodsRefused")
    assert policy.message == "Pods cannot be created: violates PodSecurity"


def test_a_rollout_that_gave_up_is_stuck() -> None:
    found = explain_rollout(a_deployment(conditions=({**STUCK, "message": "no progress"},)))
    assert found is not None
    assert (found.reason, found.message) == ("RolloutStuck", "no progress")


@pytest.mark.parametrize("condition", [failed("exceeded quota: q"), STUCK])
def test_what_was_said_of_an_earlier_generation_is_not_said_of_this_one(
    condition: dict[str, str],
) -> None:
    assert explain_rollout(a_deployment(conditions=(condition,), observed=1)) is not None
    assert explain_rollout(a_deployment(conditions=(condition,), observed=0)) is None


def test_a_rollout_that_goes_on_explains_nothing() -> None:
    fine = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}
    assert explain_rollout(a_deployment(conditions=(fine, failed("old", "False")))) is None
    assert explain_rollout(None) is None


def test_a_long_message_is_cut() -> None:
    assert shorten("x" * MESSAGE_LENGTH) == "x" * MESSAGE_LENGTH
    assert len(shorten("x" * (MESSAGE_LENGTH + 1))) == MESSAGE_LENGTH
