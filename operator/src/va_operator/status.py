"""The status: an honest account of what was seen.

Pure. `Ready` is true only when a pod of the desired revision is ready and its last word on its
model is an answer; nothing here infers health from the absence of bad news.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from va_operator import reasons
from va_operator.api import Manifest, VirtualAssistant
from va_operator.conditions import (
    AVAILABLE,
    CONTEXT_RESOLVED,
    MODEL_REACHABLE,
    PROGRESSING,
    READY,
    Condition,
    write_conditions,
)
from va_operator.errors import ChildRefused, ContextError
from va_operator.observed import Child, Pod
from va_operator.reports import ModelReport, Report
from va_operator.resources.metadata import selector_for
from va_operator.revision import Revision
from va_operator.troubles import Explanation, explain_pods, explain_rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a status speaks of."""

    assistant: VirtualAssistant
    revision: Revision | ContextError
    """The desired revision, or why there is none."""
    refusals: tuple[ChildRefused, ...]
    """Children that could not be written."""
    deployment: Child | None
    service: Child | None
    pods: tuple[Pod, ...]
    reports: Mapping[str, Report | None]
    """By pod UID: what the pods last said, None where one said nothing when it was asked."""

    @property
    def serving_pods(self) -> tuple[Pod, ...]:
        """Pods that questions are sent to."""
        return tuple(pod for pod in self.pods if pod.ready and not pod.being_deleted)

    @property
    def desired_pods(self) -> tuple[Pod, ...]:
        """Pods of the desired revision that are not on their way out."""
        if isinstance(self.revision, ContextError):
            return ()
        return tuple(
            pod for pod in self.pods if pod.revision == self.revision.id and not pod.being_deleted
        )

    @property
    def unasked_pods(self) -> tuple[Pod, ...]:
        """Pods whose word counts and is still to come: they are new, or the operator is."""
        return tuple(
            pod for pod in self.desired_pods if pod.can_be_asked and pod.uid not in self.reports
        )


def judge(situation: Situation) -> tuple[Condition, ...]:
    """Return the conditions, in the order in which people read them."""
    return (
        _ready(situation),
        _available(situation),
        _progressing(situation),
        _context_resolved(situation),
        _model_reachable(situation),
    )


def write_status(
    situation: Situation, conditions: tuple[Condition, ...], *, now: datetime
) -> Manifest:
    """Return the whole status. What is not known is left out, never guessed."""
    assistant = situation.assistant
    deployment = situation.deployment.status if situation.deployment else {}
    before = assistant.status
    status: Manifest = {
        "observedGeneration": assistant.generation,
        "replicas": deployment.get("replicas", 0),
        "readyReplicas": deployment.get("readyReplicas", 0),
        "updatedReplicas": deployment.get("updatedReplicas", 0),
        "selector": ",".join(f"{k}={v}" for k, v in sorted(selector_for(assistant).items())),
        "conditions": write_conditions(
            conditions,
            before=before.get("conditions") or [],
            generation=assistant.generation,
            now=now,
        ),
        "revision": _revision(situation),
        "context": _context(situation),
        "models": [_model(model) for model in _models(situation)]
        or [{"name": assistant.model.name, "state": "Unknown"}],
        "nodePort": situation.service.node_port if situation.service else None,
        "url": _url(situation),
    }
    return {field: value for field, value in status.items() if value is not None and value != {}}


def _ready(now: Situation) -> Condition:
    def no(reason: str, message: str) -> Condition:
        return Condition(type=READY, status=False, reason=reason, message=message)

    assistant = now.assistant
    if isinstance(now.revision, ContextError):
        return no(now.revision.reason, str(now.revision))
    if assistant.suspend:
        return no(reasons.SUSPENDED, "`spec.suspend` is true: there are no pods")
    if now.refusals:
        return no(now.refusals[0].reason, str(now.refusals[0]))
    if assistant.replicas == 0:
        return no(reasons.SCALED_TO_ZERO, "`spec.replicas` is 0: there are no pods")
    for pod in now.desired_pods:
        report = now.reports.get(pod.uid)
        answering = _answering(report) if report else None
        if pod.ready and answering:
            return Condition(
                type=READY,
                status=True,
                reason=reasons.ANSWERING,
                message=f"Revision {now.revision.id} answers with {answering.name}",
            )
    why = _why_not(now, now.revision)
    return no(why.reason, why.message)


def _why_not(now: Situation, revision: Revision) -> Explanation:
    """Explain, most telling first, why no pod of the desired revision answers."""
    model = _failing_model(now)
    found = (
        explain_pods(now.desired_pods)
        or (model and Explanation(reason=model.reason or "", message=_of_model(now, model)))
        or explain_rollout(now.deployment)
    )
    if found:
        return found
    silent = [pod for pod in now.desired_pods if pod.ready and now.reports.get(pod.uid) is None]
    if silent:
        return Explanation(
            reason=reasons.POD_NOT_ANSWERING,
            message=f"Pod '{silent[0].key.name}' does not tell how it is",
        )
    if any(pod.revision != revision.id for pod in now.serving_pods):
        return Explanation(
            reason=reasons.ROLLING_OUT,
            message=f"Revision {revision.id} is on its way; "
            f"revision {_serving(now)} answers meanwhile",
        )
    return Explanation(
        reason=reasons.STARTING, message=f"Pods of revision {revision.id} are starting"
    )


def _available(now: Situation) -> Condition:
    serving, wanted = len(now.serving_pods), now.assistant.pods_wanted
    if serving:
        return Condition(
            type=AVAILABLE,
            status=True,
            reason=reasons.PODS_READY,
            message=f"{serving} of {wanted} pods are ready",
        )
    if now.assistant.suspend:
        reason, message = reasons.SUSPENDED, "`spec.suspend` is true: there are no pods"
    elif wanted == 0:
        reason, message = reasons.SCALED_TO_ZERO, "`spec.replicas` is 0: there are no pods"
    else:
        why = explain_pods(now.pods) or explain_rollout(now.deployment)
        reason = why.reason if why else reasons.NO_POD_READY
        message = why.message if why else f"None of {wanted} pods is ready"
    return Condition(type=AVAILABLE, status=False, reason=reason, message=message)


def _progressing(now: Situation) -> Condition:
    def no(reason: str, message: str) -> Condition:
        return Condition(type=PROGRESSING, status=False, reason=reason, message=message)

    if isinstance(now.revision, ContextError):
        return no(now.revision.reason, "Nothing is rolled out until the context can be read")
    if now.refusals:
        return no(now.refusals[0].reason, str(now.refusals[0]))
    stuck = explain_rollout(now.deployment)
    if stuck:
        return no(stuck.reason, stuck.message)
    wanted = now.assistant.pods_wanted
    if now.deployment is None or not _rolled_out(now.deployment, wanted):
        updated = now.deployment.status.get("updatedReplicas", 0) if now.deployment else 0
        return Condition(
            type=PROGRESSING,
            status=True,
            reason=reasons.ROLLING_OUT,
            message=f"{updated} of {wanted} pods are as the spec asks",
        )
    return no(reasons.UP_TO_DATE, f"All {wanted} pods are as the spec asks")


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
            status=False,
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
    report = _best_report(now)
    answering = _answering(report) if report else None
    if answering:
        return Condition(
            type=MODEL_REACHABLE,
            status=True,
            reason=reasons.MODEL_ANSWERED,
            message=f"{answering.name} answers",
        )
    failing = _failing_model(now)
    if failing:
        return Condition(
            type=MODEL_REACHABLE,
            status=False,
            reason=failing.reason or "",
            message=_of_model(now, failing),
        )
    return Condition(
        type=MODEL_REACHABLE,
        status=None,
        reason=reasons.NOT_ASKED_YET,
        message=f"No pod has asked {now.assistant.model.name} yet",
    )


def _answering(report: Report) -> ModelReport | None:
    return next((model for model in report.models if model.state == "Ready"), None)


def _best_report(now: Situation) -> Report | None:
    """Return what the best placed pod of the desired revision said."""
    reports = [report for pod in now.desired_pods if (report := now.reports.get(pod.uid))]
    return min(reports, key=lambda report: _answering(report) is None, default=None)


def _models(now: Situation) -> tuple[ModelReport, ...]:
    """Return the models as that pod found them."""
    report = _best_report(now)
    return report.models if report else ()


def _failing_model(now: Situation) -> ModelReport | None:
    return next((model for model in _models(now) if model.reason), None)


def _of_model(now: Situation, model: ModelReport) -> str:
    key = now.assistant.model.api_key
    if model.reason == "KeyMissing" and key:
        return f"Key '{key.key}' of Secret '{key.name}' is missing or empty"
    return f"{model.name} does not answer: {model.message}"


def _model(model: ModelReport) -> Manifest:
    line: Manifest = {"name": model.name, "state": model.state}
    return {**line, "lastError": model.error} if model.error else line


def _serving(now: Situation) -> str | None:
    """Return the revision that answers: the desired one as soon as one of its pods does."""
    serving = now.serving_pods
    desired = next(
        (pod.revision for pod in serving if pod in now.desired_pods),
        None,
    )
    return desired or (serving[0].revision if serving else None)


def _revision(now: Situation) -> Manifest:
    desired = None if isinstance(now.revision, ContextError) else now.revision.id
    revision = {"desired": desired, "serving": _serving(now)}
    return {field: value for field, value in revision.items() if value}


def _context(now: Situation) -> Manifest | None:
    if isinstance(now.revision, ContextError):
        return None
    tokens = next(
        (
            report.tokens
            for pod in now.desired_pods
            if (report := now.reports.get(pod.uid)) and report.tokens
        ),
        None,
    )
    context: Manifest = {
        "bytes": now.revision.bytes,
        "files": [{"name": name, "digest": digest} for name, digest in now.revision.files],
    }
    return {**context, "tokens": tokens} if tokens else context


def _url(now: Situation) -> str | None:
    service = now.service
    if service is None or not now.serving_pods:
        return None
    key, wanted = now.assistant.key, now.assistant.service
    if wanted.type == "ClusterIP":
        return f"http://{key.name}.{key.namespace}.svc:{wanted.port}/"
    for ingress in (service.status.get("loadBalancer") or {}).get("ingress") or ():
        host = ingress.get("hostname") or ingress.get("ip")
        if host:
            return f"http://{_bracketed(host)}:{wanted.port}/"
    host = next((pod.host_ip for pod in now.serving_pods if pod.host_ip), None)
    if host and service.node_port:
        return f"http://{_bracketed(host)}:{service.node_port}/"
    return None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
