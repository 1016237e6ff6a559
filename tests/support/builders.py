"""Values of the operator, built in a line: everything has a default, a test names what matters."""

from typing import Any

from va_operator.api import API_VERSION, KIND, Key, Manifest, VirtualAssistant, parse
from va_operator.context import resolve
from va_operator.observed import Child, ConfigMapFacts, Pod, Trouble, read_child
from va_operator.owned import FIELD_MANAGER
from va_operator.reports import Closed, ModelReport, Report
from va_operator.resources.metadata import (
    APP_NAME,
    INSTANCE_LABEL,
    MANAGED_BY,
    NAME_LABEL,
    REVISION_LABEL,
)
from va_operator.resources.pod_template import Images
from va_operator.revision import Revision, build_revision

NAMESPACE = "shop"
UID = "0000-ada"
IMAGES = Images(assistant="example.com/assistant:1", model="example.com/model:1")
OPENAI = {"name": "gpt-5-mini", "apiKeySecretRef": {"name": "openai", "key": "apiKey"}}
"""A model that is not embedded."""
EVERYTHING: Manifest = {
    "model": {"resources": {"requests": {"memory": "400Mi"}}},
    "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "200Mi"}},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [
        {"key": "gpu", "operator": "Equal", "value": "no", "effect": "NoSchedule"},
        {"key": "edge", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
    ],
    "imagePullSecrets": [{"name": "registry"}],
    "priorityClassName": "high",
    "env": [{"name": "TZ", "value": "Europe/Oslo"}, {"name": "EMPTY", "value": ""}],
    "podLabels": {"team": "blue"},
    "podAnnotations": {"mesh": "on"},
}
"""All that can be said of pods."""


def an_assistant_body(
    name: str = "ada",
    *,
    namespace: str = NAMESPACE,
    uid: str = UID,
    generation: int = 1,
    version: int = 10,
    deleting: bool = False,
    status: Manifest | None = None,
    text: str = "Ada works in Bergen.",
    **spec: Any,
) -> Manifest:
    """Return an assistant as the API server has it."""
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": uid,
        "generation": generation,
        "resourceVersion": str(version),
    }
    if deleting:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    files = [{"name": "ada.md", "inline": text}]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": metadata,
        "spec": {"context": {"files": files}, **spec},
        "status": status or {},
    }


def a_manifest(name: str = "ada", *, text: str = "Ada works in Bergen.", **spec: Any) -> Manifest:
    """Return an assistant as a person writes it."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name},
        "spec": {"context": {"files": [{"name": "ada.md", "inline": text}]}, **spec},
    }


def an_assistant(name: str = "ada", **given: Any) -> VirtualAssistant:
    """Return an assistant; the arguments are those of `an_assistant_body`."""
    return parse(an_assistant_body(name, **given))


def referring(*names: str, key: str = "cv.md") -> Manifest:
    """Return a `context` whose files come from ConfigMaps."""
    refs = [{"name": f"{n}.md", "configMapRef": {"name": n, "key": key}} for n in names]
    return {"files": refs}


def a_config_map(
    name: str = "ada-cv",
    *,
    version: int = 5,
    namespace: str = NAMESPACE,
    data: dict[str, str] | None = None,
) -> Manifest:
    """Return a ConfigMap as the API server has it; by default with the key `cv.md`."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-of-{name}",
            "resourceVersion": str(version),
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "data": data or {"cv.md": "Ada works in Bergen."},
    }


def config_map_facts(
    revision: str, *, created: str = "2026-01-01T00:00:00Z", owner: str | None = UID
) -> ConfigMapFacts:
    """Return what is known of the ConfigMap of a revision of `ada`."""
    return ConfigMapFacts(
        key=Key(NAMESPACE, f"ada-{revision}"),
        uid=f"uid-of-{revision}",
        resource_version="5",
        owner_uid=owner,
        created=created,
        revision=revision,
        instance="ada",
    )


def the_revision(assistant: VirtualAssistant) -> Revision:
    """Return the revision of an assistant whose files are all inline."""
    return build_revision(assistant, resolve(assistant, {}))


def a_pod(
    revision: str = "aaaaaaaaaa",
    *,
    name: str = "ada-1",
    assistant: str = "ada",
    version: int = 5,
    ready: bool = True,
    ready_since: str | None = "2026-05-03T23:59:58Z",
    started: bool = True,
    deleting: bool = False,
    finished: bool = False,
    ip: str | None = "10.1.0.7",
    host_ip: str | None = "192.0.2.10",
    unready: str = "",
    trouble: str | None = None,
    container: str | None = "assistant",
    message: str = "",
) -> Pod:
    """Return a pod of an assistant; with a trouble it is neither started nor ready."""
    return Pod(
        key=Key(NAMESPACE, name),
        uid=f"uid-of-{name}",
        resource_version=str(version),
        assistant=Key(NAMESPACE, assistant),
        revision=revision,
        ip=ip,
        host_ip=host_ip,
        ready=ready and trouble is None,
        ready_since=ready_since if ready and trouble is None else None,
        unready=unready,
        being_deleted=deleting,
        finished=finished,
        started=started and trouble is None,
        troubles=(Trouble(kind=trouble, container=container, message=message),) if trouble else (),
    )


def a_pod_body(
    name: str = "ada-1",
    *,
    assistant: str = "ada",
    revision: str = "aaaaaaaaaa",
    version: int = 5,
    **status: Any,
) -> Manifest:
    """Return a pod as the API server has it."""
    return {
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": f"uid-of-{name}",
            "resourceVersion": str(version),
            "labels": {
                NAME_LABEL: APP_NAME,
                INSTANCE_LABEL: assistant,
                REVISION_LABEL: revision,
                "app.kubernetes.io/managed-by": MANAGED_BY,
            },
        },
        "status": status,
    }


def a_report(
    state: str = "Ready",
    reason: str | None = None,
    message: str = "",
    *,
    tokens: int | None = 345,
    whole: bool | None = None,
    closed: str | None = None,
) -> Report:
    """Return what a pod says whose model is in a state, or failed for a reason.

    `closed` is the reason for which it lets nobody ask.
    """
    model = ModelReport(
        place=0, name="gpt-5-mini", state=state, reason=reason, message=message if reason else None
    )
    return Report(
        ready=state in {"Ready", "Degraded"},
        revision="aaaaaaaaaa",
        tokens=tokens,
        whole=whole,
        models=(model,),
        closed=Closed(reason=closed, message="the file is missing") if closed else None,
    )


def a_deployment(
    *,
    wanted: int = 2,
    replicas: int | None = None,
    updated: int | None = None,
    ready: int | None = None,
    conditions: tuple[Manifest, ...] = (),
    observed: int = 1,
) -> Child:
    """Return the Deployment of `ada`, rolled out unless something else is said."""
    status = {
        "observedGeneration": observed,
        "replicas": wanted if replicas is None else replicas,
        "updatedReplicas": wanted if updated is None else updated,
        "readyReplicas": wanted if ready is None else ready,
        "conditions": list(conditions),
    }
    body = {"metadata": child_metadata(generation=1), "status": status}
    return read_child(body)


def a_service(
    *, type_: str = "NodePort", port: int = 80, node_port: int | None = 30123, **status: Any
) -> Child:
    """Return the Service of `ada`."""
    ports = [{"port": port, **({"nodePort": node_port} if node_port else {})}]
    spec = {"type": type_, "ports": ports}
    return read_child({"metadata": child_metadata(), "spec": spec, "status": status})


def child_metadata(
    *, owner: str | None = UID, owner_name: str = "ada", version: int = 5, **more: Any
) -> Manifest:
    """Return the metadata of a child of `ada`, or of somebody else's object of that name."""
    owners = [{"kind": KIND, "name": owner_name, "uid": owner, "controller": True}]
    return {
        "name": "ada",
        "namespace": NAMESPACE,
        "uid": "uid-of-child",
        "resourceVersion": str(version),
        **({"ownerReferences": owners} if owner else {}),
        **more,
    }


def managed(fields: Manifest, *, manager: str = FIELD_MANAGER, how: str = "Apply") -> Manifest:
    """Return an entry of `managedFields`."""
    return {"manager": manager, "operation": how, "fieldsType": "FieldsV1", "fieldsV1": fields}
