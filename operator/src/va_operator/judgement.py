"""The judgement: which conditions are true of an assistant, and why.

Pure. `Ready` is true only when a pod of the desired revision is ready and its last word on its
model is an answer; nothing here infers health from the absence of bad news.
"""

from typing import Final

from va_operator import reasons
from va_operator.conditions import (
    AVAILABLE,
    CONTEXT_RESOLVED,
    MODEL_REACHABLE,
    PROGRESSING,
    READY,
    Condition,
)
from va_operator.errors import ContextError
from va_operator.exposure import with_exposure, with_keys
from va_operator.observed import Child
from va_operator.revision import Revision
from va_operator.shortfall import (
    degraded,
    explain_closed,
    explain_model,
    explain_no_service,
    stalled,
    titled,
)
from va_operator.situation import Situation
from va_operator.troubles import Explanation, explain_pods, explain_rollout

_SUSPENDED: Final = "`spec.suspend` is true: no pods are asked for"
_SCALED_TO_ZERO: Final = "`spec.replicas` is 0: no pods are asked for"

_CHANGING: Final = Explanation(
    reason=reasons.ROLLING_OUT,
    message="Pods as the spec asks are on their way; earlier ones answer meanwhile",
)


def judge(situation: Situation) -> tuple[Condition, ...]:
    """Return the conditions, in the order in which people read them."""
    return (
        _ready(situation),
        with_exposure(_available(situation), situation.assistant),
        _progressing(situation),
        degraded(situation),
        stalled(situation),
        with_keys(_context_resolved(situation), situation.revision),
        _model_reachable(situation),
    )


def _ready(now: Situation) -> Condition:
    def no(reason: str, message: str) -> Condition:
        return Condition(type=READY, status=False, reason=reason, message=message)

    assistant = now.assistant
    if isinstance(now.revision, ContextError):
        return no(now.revision.reason, str(now.revision))
    if now.decisive_refusals:
        refused = now.decisive_refusals[0]
        return no(refused.reason, str(refused))
    if assistant.suspend:
        return no(reasons.SUSPENDED, _SUSPENDED)
    if assistant.replicas == 0:
        return no(reasons.SCALED_TO_ZERO, _SCALED_TO_ZERO)
    if now.ready_pods and not now.service:
        gone = explain_no_service(now)
        return no(gone.reason, gone.message)
    for pod in now.desired_pods:
        report = now.reports.get(pod.uid)
        answering = report.answering if report and not report.closed else None
        if pod.ready and answering and report and report.revision == now.revision.id:
            if not (now.has_new_pods or now.was_ready):
                why = _why_not_by_these(now, now.revision)
                return no(why.reason, why.message)
            return Condition(
                type=READY,
                status=True,
                reason=reasons.ANSWERING,
                message=f"Revision {now.revision.id} answers with {titled(answering)}",
            )
    why = _why_not(now, now.revision)
    return no(why.reason, why.message)


def _why_not_by_these(now: Situation, revision: Revision) -> Explanation:
    """Explain why a pod that answers may be from before the last change of the spec."""
    if now.unobserved:
        return _CHANGING
    trouble = explain_pods(now.desired_pods) or explain_rollout(now.deployment)
    if trouble:
        return trouble
    others = _replicas(now.deployment) > now.updated_replicas
    return _CHANGING if others else _starting(revision)


def _starting(revision: Revision) -> Explanation:
    return Explanation(
        reason=reasons.STARTING, message=f"Pods of revision {revision.id} are starting"
    )


def _why_not(now: Situation, revision: Revision) -> Explanation:
    """Explain, most telling first, why no pod of the desired revision answers."""
    closed, model = explain_closed(now, now.desired_pods), now.failing_model
    found = (
        explain_pods(now.desired_pods)
        or (closed if now.answering_model else None)
        or (model and explain_model(now, model))
        or closed
        or explain_rollout(now.deployment)
    )
    if found:
        return found
    silent = [
        pod
        for pod in now.desired_pods
        if pod.ready and pod.uid in now.reports and now.reports[pod.uid] is None
    ]
    if silent:
        return Explanation(
            reason=reasons.POD_NOT_ANSWERING,
            message=f"Pod '{silent[0].key.name}' does not tell how it is",
        )
    if any(pod.revision != revision.id for pod in now.pods if not pod.finished):
        serving = now.serving_revision
        meanwhile = f"; revision {serving} answers meanwhile" if serving != revision.id else ""
        return Explanation(
            reason=reasons.ROLLING_OUT,
            message=f"Revision {revision.id} is on its way{meanwhile if serving else ''}",
        )
    return _starting(revision)


def _available(now: Situation) -> Condition:
    serving, wanted = len(now.serving_pods), now.assistant.pods_wanted
    closed = explain_closed(now, now.serving_pods)
    if serving and not closed:
        fewer = f"{serving} of {wanted} pods are ready"
        more = f"{serving} pods are ready, {wanted} are asked for"
        return Condition(
            type=AVAILABLE,
            status=True,
            reason=reasons.PODS_READY,
            message=fewer if serving <= wanted else more,
        )
    if now.assistant.suspend:
        reason, message = reasons.SUSPENDED, _SUSPENDED
    elif wanted == 0:
        reason, message = reasons.SCALED_TO_ZERO, _SCALED_TO_ZERO
    elif closed:
        reason, message = closed.reason, closed.message
    elif now.ready_pods:
        gone = explain_no_service(now)
        reason, message = gone.reason, gone.message
    else:
        why = (
            explain_pods(now.staying_pods)
            or explain_pods(now.lost_pods)
            or explain_rollout(now.deployment)
        )
        reason = why.reason if why else reasons.NO_POD_READY
        message = why.message if why else f"None of {wanted} pods is ready"
    return Condition(type=AVAILABLE, status=False, reason=reason, message=message)


def _progressing(now: Situation) -> Condition:
    def no(reason: str, message: str) -> Condition:
        return Condition(type=PROGRESSING, status=False, reason=reason, message=message)

    if isinstance(now.revision, ContextError):
        return no(now.revision.reason, "Nothing is rolled out until the context can be read")
    if now.decisive_refusals:
        refused = now.decisive_refusals[0]
        return no(refused.reason, str(refused))
    wanted = now.assistant.pods_wanted
    if not (wanted or now.pods or _replicas(now.deployment)):
        return no(reasons.UP_TO_DATE, "No pods are asked for, and there are none")
    stuck = explain_rollout(now.deployment)
    if stuck:
        return no(stuck.reason, stuck.message)
    if now.deployment is None or not _rolled_out(now.deployment, wanted):
        trouble = explain_pods(now.desired_pods)
        return Condition(
            type=PROGRESSING,
            status=True,
            reason=trouble.reason if trouble else reasons.ROLLING_OUT,
            message=trouble.message
            if trouble
            else f"{now.updated_replicas} of {wanted} pods are made as the spec asks",
        )
    return no(reasons.UP_TO_DATE, f"All {wanted} pods are as the spec asks")


def _replicas(deployment: Child | None) -> int:
    replicas: int = deployment.status.get("replicas", 0) if deployment else 0
    return replicas


def _rolled_out(deployment: Child, wanted: int) -> bool:
    status = deployment.status
    return bool(
        status.get("observedGeneration", 0) >= deployment.generation
        and status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("readyReplicas", 0) == wanted
    )


def _context_resolved(now: Situation) -> Condition:
    if isinstance(now.revision, ContextError):
        return Condition(
            type=CONTEXT_RESOLVED,
            status=None if now.revision.reason == reasons.READ_FAILED else False,
            reason=now.revision.reason,
            message=str(now.revision),
        )
    files = len(now.revision.files)
    return Condition(
        type=CONTEXT_RESOLVED,
        status=True,
        reason=reasons.RESOLVED,
        message=f"{files} file{'' if files == 1 else 's'} of {now.revision.bytes} bytes",
    )


def _model_reachable(now: Situation) -> Condition:
    answering, failing = now.answering_model, now.failing_model
    if answering and answering.place == 0:
        return Condition(
            type=MODEL_REACHABLE,
            status=True,
            reason=reasons.MODEL_ANSWERED,
            message=f"{answering.name} answers",
        )
    if answering and failing:
        return Condition(
            type=MODEL_REACHABLE,
            status=True,
            reason=reasons.FALLBACK_ANSWERS,
            message=explain_model(now, failing, instead=answering).message,
        )
    if failing:
        why = explain_model(now, failing)
        return Condition(type=MODEL_REACHABLE, status=False, reason=why.reason, message=why.message)
    return Condition(
        type=MODEL_REACHABLE,
        status=None,
        reason=reasons.NOT_ASKED_YET,
        message=f"No pod has asked {now.assistant.model.name} yet",
    )
