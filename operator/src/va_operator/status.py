"""The status: an honest account of what was seen. Pure."""

from datetime import datetime

from va_operator.api import Manifest, VirtualAssistant
from va_operator.conditions import Condition, write_conditions
from va_operator.errors import ContextError
from va_operator.history import read_history, write_history
from va_operator.reports import ModelReport
from va_operator.resources.metadata import selector_for
from va_operator.situation import Situation


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
        "updatedReplicas": situation.updated_replicas,
        "selector": ",".join(f"{k}={v}" for k, v in sorted(selector_for(assistant).items())),
        "conditions": write_conditions(
            conditions,
            before=before.get("conditions") or [],
            generation=assistant.generation,
            now=now,
        ),
        "revision": _revision(situation),
        "history": _history(situation, now=now) or None,
        "context": _context(situation),
        "models": [_model(model) for model in situation.models]
        or [{"name": model.name, "state": "Unknown"} for model in assistant.models],
        "nodePort": situation.service.node_port if situation.service else None,
        "url": _url(situation),
    }
    return {field: value for field, value in status.items() if value is not None and value != {}}


def _model(model: ModelReport) -> Manifest:
    line: Manifest = {"name": model.name, "state": model.state}
    return {**line, "lastError": model.error} if model.error else line


def _revision(now: Situation) -> Manifest:
    desired = None if isinstance(now.revision, ContextError) else now.revision.id
    revision = {"desired": desired, "serving": now.serving_revision}
    return {field: value for field, value in revision.items() if value}


def _history(situation: Situation, *, now: datetime) -> list[Manifest]:
    revision = situation.revision
    return write_history(
        read_history(situation.assistant.status),
        situation.serving_revision,
        desired=None if isinstance(revision, ContextError) else revision.id,
        since=situation.serving_since or now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _context(now: Situation) -> Manifest | None:
    if isinstance(now.revision, ContextError):
        return None
    reports = [
        report
        for pod in now.desired_pods
        if (report := now.reports.get(pod.uid)) and report.revision == pod.revision
    ]
    tokens = next((report.tokens for report in reports if report.tokens), None)
    whole = next((report.whole for report in reports if report.whole is not None), None)
    window = now.assistant.model.context_window
    needed = tokens if tokens and whole else now.revision.estimated_tokens
    context: Manifest = {
        "bytes": now.revision.bytes,
        "files": [{"name": name, "digest": digest} for name, digest in now.revision.files],
        "estimatedTokens": now.revision.estimated_tokens,
        "tokens": tokens,
        "window": window,
        "windowPercent": -(-100 * needed // window) if window and needed else None,
        "given": _given(now.assistant, whole),
    }
    return {field: value for field, value in context.items() if value is not None}


def _given(assistant: VirtualAssistant, whole: bool | None) -> str | None:
    """Return what of the texts the preferred model is given.

    Where neither the spec nor a pod says, it is for the pods to find out whether all of it fits.
    """
    mode, embedded = assistant.context_mode, assistant.model.embedded
    if whole is None and (mode in {"Full", "Retrieve"} or embedded):
        whole = mode == "Full"
    return None if whole is None else "Whole" if whole else "Passages"


def _url(now: Situation) -> str | None:
    """Return where it answers, by the Service as it is: what was asked for may be refused.

    Several nodes may do; the address that was told stays as long as it is one of theirs.
    """
    service = now.service
    if service is None or not now.serving_pods:
        return None
    key = now.assistant.key
    if service.type == "ClusterIP":
        return f"http://{key.name}.{key.namespace}.svc:{service.port}/"
    if service.type == "LoadBalancer":
        for ingress in (service.status.get("loadBalancer") or {}).get("ingress") or ():
            host = ingress.get("hostname") or ingress.get("ip")
            if host:
                return f"http://{_bracketed(host)}:{service.port}/"
    if not service.node_port:
        return None
    hosts = (pod.host_ip for pod in now.serving_pods if pod.host_ip)
    urls = [f"http://{_bracketed(host)}:{service.node_port}/" for host in hosts]
    before: str | None = now.assistant.status.get("url")
    return before if before in urls else next(iter(urls), None)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
