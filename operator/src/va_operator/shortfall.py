"""The shortfall: what is less than was asked for, and what will not get better by itself.

Pure. `Degraded` and `Stalled` are abnormal where they are True; tools that follow kstatus count an
assistant that is stalled as failed.
"""

from collections.abc import Iterable
from typing import Final

from va_operator import reasons
from va_operator.conditions import DEGRADED, STALLED, Condition
from va_operator.errors import ContextError
from va_operator.observed import Pod
from va_operator.reports import Closed, ModelReport
from va_operator.situation import Situation
from va_operator.troubles import Explanation, explain_pods, explain_rollout

_RETRIED: Final = frozenset({reasons.READ_FAILED, reasons.WRITE_FAILED})
"""What the API server may do at the next try, without the user."""
_MAY_COME_BACK: Final = frozenset({"ConnectionRefused", "HostNotFound"})
"""An address that has answered and does not now may be an outage, and no mistake."""


def degraded(now: Situation) -> Condition:
    """Judge whether less serves than was asked for."""
    ready, wanted = len(now.ready_pods), now.assistant.pods_wanted
    numbers = f"{min(ready, wanted)} of {wanted} pods are ready"
    if now.assistant.suspend or not wanted:
        reason = reasons.SUSPENDED if now.assistant.suspend else reasons.SCALED_TO_ZERO
        message = "No pods are asked for"
        return Condition(type=DEGRADED, status=False, reason=reason, message=message)
    cause = _less_than_asked(now, missing=ready < wanted)
    if cause:
        message = f"{numbers}; {cause.message}" if cause.message else numbers
        return Condition(type=DEGRADED, status=True, reason=cause.reason, message=message)
    return Condition(type=DEGRADED, status=False, reason=reasons.AS_ASKED, message=numbers)


def stalled(now: Situation) -> Condition:
    """Judge whether nothing will change without the user."""
    cause = _waits_for_the_user(now)
    if cause:
        return Condition(type=STALLED, status=True, reason=cause.reason, message=cause.message)
    return Condition(
        type=STALLED,
        status=False,
        reason=reasons.NOT_STALLED,
        message="Nothing waits for the user",
    )


def explain_model(
    now: Situation, model: ModelReport, *, instead: ModelReport | None = None
) -> Explanation:
    """Say why a model did not answer, and which one does instead."""
    asked = next(iter(now.assistant.models[model.place : model.place + 1]), None)
    key, ca = (asked.api_key, asked.ca) if asked else (None, None)
    if model.reason == "KeyMissing" and key:
        message = f"Key '{key.key}' of Secret '{key.name}' is missing or empty"
    elif model.reason == "CAMissing" and ca:
        message = f"Key '{ca.key}' of ConfigMap '{ca.name}' is missing or empty"
    elif model.reason == "CAInvalid" and ca:
        message = f"Key '{ca.key}' of ConfigMap '{ca.name}' is no CA in PEM: {model.message}"
    else:
        message = f"{titled(model)} does not answer: {model.message}"
    if instead and instead.place > model.place:
        serves = any(pod.ready for pod in now.desired_pods)
        how = "answers in its place" if serves else "answers, but no pod is ready"
        message += f"; {titled(instead)} {how}"
    return Explanation(reason=model.reason or "", message=message)


def explain_closed(now: Situation, pods: Iterable[Pod]) -> Explanation | None:
    """Say why nobody may ask; None where one of the pods says no such thing of itself."""
    said = [report.closed for pod in pods if (report := now.reports.get(pod.uid))]
    closed = next(filter(None, said), None)
    return None if closed is None or None in said else _explain(now, closed)


def explain_no_service(now: Situation) -> Explanation:
    """Say why no question comes to pods that are ready."""
    refused = now.service_refusal
    if refused:
        return Explanation(reason=refused.reason, message=str(refused))
    return Explanation(
        reason=reasons.NO_SERVICE,
        message=f"Service '{now.assistant.key.name}' is not there, so nobody can ask",
    )


def titled(model: ModelReport) -> str:
    """Name a model so that two of one name are told apart."""
    return f"fallback {model.place} ({model.name})" if model.place else model.name


def _less_than_asked(now: Situation, *, missing: bool) -> Explanation | None:
    told = _held_up(now)
    if told:
        return told
    if now.ready_pods and not now.service:
        return explain_no_service(now)
    found = missing and (
        explain_pods(now.desired_pods)
        or explain_pods(now.staying_pods)
        or explain_pods(now.lost_pods)
    )
    return (
        found
        or _given_up(now)
        or _kept_out(now)
        or explain_closed(now, now.desired_pods)
        or _half_served(now)
        or (_unready(now) if missing else None)
    )


def _waits_for_the_user(now: Situation) -> Explanation | None:
    told = _held_up(now)
    if told and told.reason not in _RETRIED:
        return told
    if isinstance(now.revision, ContextError) or not now.assistant.pods_wanted:
        return None
    failed = _kept_out(now)
    if failed and failed.reason in _MAY_COME_BACK and now.has_served:
        failed = None
    return _given_up(now) or failed or explain_closed(now, now.desired_pods)


def _held_up(now: Situation) -> Explanation | None:
    """Say why what the spec asks for is not even written."""
    if isinstance(now.revision, ContextError):
        return Explanation(reason=now.revision.reason, message=str(now.revision))
    if now.refusals:
        return Explanation(reason=now.refusals[0].reason, message=str(now.refusals[0]))
    return None


def _given_up(now: Situation) -> Explanation | None:
    """Say why the Deployment cannot make its pods or gave up waiting for them."""
    rollout = explain_rollout(now.deployment)
    return rollout and (explain_pods(now.desired_pods) or _kept_out(now) or rollout)


def _kept_out(now: Situation) -> Explanation | None:
    """Say what is wrong with the settings of the preferred model, if no pod has an answer of it.

    It keeps new pods out, and only the user can put it right, also where a fallback answers.
    """
    model = next(iter(now.models), None)
    if model is None or model.state != "Failed":
        return None
    return explain_model(now, model, instead=now.answering_model)


def _half_served(now: Situation) -> Explanation | None:
    """Name a pod that gets questions and cannot answer them all."""
    serving = {pod.uid for pod in now.serving_pods}
    for pod in now.desired_pods:
        if pod.uid not in serving or pod.uid not in now.reports:
            continue
        report = now.reports[pod.uid]
        if report is None:
            return Explanation(
                reason=reasons.POD_NOT_ANSWERING,
                message=f"pod '{pod.key.name}' does not tell how it is",
            )
        model = next((model for model in report.models if model.reason), None)
        why = None
        if model:
            why = explain_model(now, model, instead=report.answering)
        elif report.closed:
            why = _explain(now, report.closed)
        if why:
            return Explanation(reason=why.reason, message=f"in pod '{pod.key.name}': {why.message}")
    return None


def _explain(now: Situation, closed: Closed) -> Explanation:
    token = now.assistant.pods.token
    if closed.reason == reasons.TOKEN_MISSING and token:
        lost = f"key '{token.key}' of Secret '{token.name}' is missing or empty"
        return Explanation(reason=closed.reason, message=f"Nobody may ask: {lost}")
    return Explanation(reason=closed.reason, message=f"Nobody may ask: {closed.message}")


def _unready(now: Situation) -> Explanation:
    """Name the first pod that is not ready, once all have been: until then they just start."""
    deployment = now.deployment.status if now.deployment else {}
    progress = {item["type"]: item for item in deployment.get("conditions") or ()}
    pod = next((pod for pod in now.staying_pods if not pod.ready), None)
    if pod is None or progress.get("Progressing", {}).get("reason") != "NewReplicaSetAvailable":
        return Explanation(reason=reasons.FEWER_PODS_READY, message="")
    why = f": {pod.unready}" if pod.unready else ""
    return Explanation(
        reason=reasons.FEWER_PODS_READY, message=f"pod '{pod.key.name}' is not ready{why}"
    )
