"""From what Kubernetes says of pods and rollouts to one reason and one sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from va_operator import reasons
from va_operator.errors import ChildRefused, ClusterFailure
from va_operator.observed import NODE_LOST, Child, Pod, Trouble

_REASONS: Final = {
    "ErrImagePull": reasons.IMAGE_PULL_FAILED,
    "ImagePullBackOff": reasons.IMAGE_PULL_FAILED,
    "ErrImageNeverPull": reasons.IMAGE_PULL_FAILED,
    "InvalidImageName": reasons.IMAGE_PULL_FAILED,
    "ImageInspectError": reasons.IMAGE_PULL_FAILED,
    "RegistryUnavailable": reasons.IMAGE_PULL_FAILED,
    "CrashLoopBackOff": reasons.CONTAINER_CRASHING,
    "Unschedulable": reasons.UNSCHEDULABLE,
    "SchedulingGated": reasons.UNSCHEDULABLE,
    "SchedulerError": reasons.UNSCHEDULABLE,
    NODE_LOST: reasons.NODE_LOST,
}

MESSAGE_LENGTH: Final = 1024
"""Characters of a message: foreign words can be very long, and events take no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why something is not as it should be, for a condition."""

    reason: str
    message: str


def explain_pods(pods: Iterable[Pod]) -> Explanation | None:
    """Name the first pod in trouble, its container and why; None where no pod says anything."""
    for pod in pods:
        for trouble in pod.troubles:
            other = reasons.CONTAINER_CANNOT_START if trouble.container else reasons.POD_FAILED
            return Explanation(
                reason=_REASONS.get(trouble.kind, other), message=_sentence(pod, trouble)
            )
    return None


def explain_rollout(deployment: Child | None) -> Explanation | None:
    """Say why the Deployment cannot make its pods, or that it gave up waiting for them.

    None while its controller has not looked at its last change: what it says is of before.
    """
    if deployment is None or deployment.status.get("observedGeneration", 0) < deployment.generation:
        return None
    conditions = {item["type"]: item for item in deployment.status.get("conditions") or ()}
    failure = conditions.get("ReplicaFailure", {})
    if failure.get("status") == "True":
        message = failure.get("message", "")
        quota = "exceeded quota" in message
        return Explanation(
            reason=reasons.QUOTA_EXCEEDED if quota else reasons.PODS_REFUSED,
            message=shorten(f"Pods cannot be created: {message}"),
        )
    progressing = conditions.get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Explanation(
            reason=reasons.ROLLOUT_STUCK, message=shorten(progressing.get("message", ""))
        )
    return None


def namespace_goes(failure: ClusterFailure) -> bool:
    """Tell whether nothing can be written because the namespace goes, and all in it."""
    return "because it is being terminated" in failure.message


def refusal(kind: str, name: str, failure: ClusterFailure) -> ChildRefused | None:
    """Read why the API server refuses a child; None for a failure that another try may cure."""
    subject = f"{kind} '{name}'"
    if namespace_goes(failure):
        return None
    if "admission webhook" in failure.message:
        reason = reasons.REFUSED
    elif failure.status == 403 and "exceeded quota" in failure.message:
        reason = reasons.QUOTA_EXCEEDED
    elif failure.status in {401, 403}:
        reason = reasons.NOT_ALLOWED
    elif failure.status == 422 and "already allocated" in failure.message:
        reason = reasons.NODE_PORT_TAKEN
    elif failure.status == 409 and failure.message.startswith("Apply failed with"):
        reason = reasons.NAME_CONFLICT
    elif failure.status in {400, 413, 422}:
        reason = reasons.REFUSED
    else:
        return None
    return ChildRefused(reason, shorten(f"{subject} cannot be written: {failure.message}"))


def shorten(text: str, length: int = MESSAGE_LENGTH) -> str:
    """Cut a message to the length that a condition may have, or to another."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _sentence(pod: Pod, trouble: Trouble) -> str:
    where = f"Container '{trouble.container}' of pod" if trouble.container else "Pod"
    message = f": {trouble.message}" if trouble.message else ""
    return shorten(f"{where} '{pod.key.name}' is in {trouble.kind}{message}")
