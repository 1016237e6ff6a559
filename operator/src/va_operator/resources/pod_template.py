"""The pods that answer, as a template.

What stands here is one side of `docs/reference/pod-contract.md`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from va_operator.api import Manifest, Model, VirtualAssistant
from va_operator.quantities import canonical_quantity
from va_operator.resources.config_map import revision_name
from va_operator.resources.metadata import (
    REVISION_LABEL,
    pod_labels_for,
    selector_for,
)
from va_operator.resources.model_files import model_env, model_mounts, model_volumes

REVISION_DIR: Final = "/etc/virtual-assistant/revision"
TOKEN_DIR: Final = "/etc/virtual-assistant/token"  # noqa: S105 - a path
HTTP_PORT: Final = 8000
PROBES_PORT: Final = 8001
USER: Final = 65532
"""The user of the images; a number, so that the kubelet can see that it is not root."""

PRE_STOP_SECONDS: Final = 5
"""Between the end of a pod's membership in the Service and its SIGTERM: every node has
stopped sending questions by then."""
MODEL_THREADS: Final = 1
NODE_LOST_SECONDS: Final = 30
"""How long a pod stays bound to a node that is not ready or unreachable."""

WEB_RESOURCES: Final[Manifest] = {
    "requests": {"cpu": "50m", "memory": "96Mi"},
    "limits": {"memory": "256Mi"},
}
"""Used where the object asks for nothing. No limit of processor time: throttling an answer
in the middle helps nobody."""
LIMITS: Final[Mapping[str, str]] = {
    "questionBytes": "VA_ASSISTANT_QUESTION_BYTES",
    "concurrentQuestions": "VA_ASSISTANT_MAX_QUESTIONS",
    "requestsPerMinutePerClient": "VA_ASSISTANT_REQUESTS_PER_MINUTE_PER_CLIENT",
    "requestsPerMinute": "VA_ASSISTANT_REQUESTS_PER_MINUTE",
    "trustedProxies": "VA_ASSISTANT_TRUSTED_PROXIES",
    "allowedOrigins": "VA_ASSISTANT_ALLOWED_ORIGINS",
}
"""By the name in the schema, the variable that tells a pod. Where one is not set the assistant's
own default holds, so that a new field restarts no pod."""
MODEL_RESOURCES: Final[Manifest] = {
    "requests": {"cpu": "100m", "memory": "320Mi"},
    "limits": {"memory": "640Mi"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """The images of the pods' containers."""

    assistant: str
    model: str


def build_template(assistant: VirtualAssistant, revision: str, images: Images) -> Manifest:
    """Return the template of the pods that answer from a revision.

    It holds nothing but what the pods need, so that only a change of that restarts them.
    """
    asked = assistant.pods
    return {
        "metadata": {
            "labels": {**asked.labels, **pod_labels_for(assistant), REVISION_LABEL: revision},
            "annotations": {
                **asked.annotations,
                "kubectl.kubernetes.io/default-container": "assistant",
            },
        },
        "spec": _pod_spec(assistant, revision, images),
    }


def _pod_spec(assistant: VirtualAssistant, revision: str, images: Images) -> Manifest:
    drain = assistant.model.timeout_seconds
    spec: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": PRE_STOP_SECONDS + drain + 5,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_assistant_container(assistant, revision, images.assistant, drain)],
        "volumes": _volumes(assistant, revision),
        "topologySpreadConstraints": _spread(assistant),
        "tolerations": [
            *map(_filled, assistant.pods.tolerations),
            *_node_lost(assistant.pods.tolerations),
        ],
    }
    if assistant.embedded_model:
        spec["initContainers"] = [
            _model_container(assistant, assistant.embedded_model, images.model)
        ]
    if assistant.pods.node_selector:
        spec["nodeSelector"] = assistant.pods.node_selector
    if assistant.pods.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": n} for n in assistant.pods.image_pull_secrets]
    if assistant.pods.priority_class:
        spec["priorityClassName"] = assistant.pods.priority_class
    return spec


def _spread(assistant: VirtualAssistant) -> list[Manifest]:
    """Spread the pods of one template over nodes where there are several.

    Never at the price of a pod: with one node left, all of them run there. Not over zones: on
    nodes without the label of one constraint the scheduler ignores all of them.
    """
    return [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector_for(assistant)},
            "matchLabelKeys": ["pod-template-hash"],
        }
    ]


def _node_lost(asked: tuple[Manifest, ...]) -> list[Manifest]:
    """Replace the pods of a lost node sooner than after Kubernetes' own five minutes.

    They hold no state, so a second copy of one that was only unreachable does no harm.
    """
    return [
        {
            "key": key,
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": NODE_LOST_SECONDS,
        }
        for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
        if not any(_covers(toleration, key) for toleration in asked)
    ]


def _covers(toleration: Manifest, key: str) -> bool:
    named = toleration.get("key") in {None, "", key}
    return named and toleration.get("effect") in {None, "", "NoExecute"}


def _assistant_container(
    assistant: VirtualAssistant, revision: str, image: str, drain: int
) -> Manifest:
    env = [
        {"name": "VA_ASSISTANT_REVISION", "value": revision},
        {"name": "VA_ASSISTANT_REVISION_DIR", "value": REVISION_DIR},
        {"name": "VA_ASSISTANT_DRAIN_SECONDS", "value": str(drain)},
    ]
    mounts = [
        {"name": "revision", "mountPath": REVISION_DIR, "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a path in the pod, not on this host
    ]
    env += [_filled({"name": name, "value": value}) for name, value in assistant.pods.env]
    mounts += model_mounts(assistant)
    env += model_env(assistant)
    if assistant.pods.token:
        path = f"{TOKEN_DIR}/{assistant.pods.token.key}"
        env.append({"name": "VA_ASSISTANT_TOKEN_FILE", "value": path})
        mounts.append({"name": "token", "mountPath": TOKEN_DIR, "readOnly": True})
    env += _limits(assistant.pods.limits)
    if assistant.pods.tokens_per_day:
        tokens = str(assistant.pods.tokens_per_day)
        env.append({"name": "VA_ASSISTANT_TOKENS_PER_DAY", "value": tokens})
    return {
        "name": "assistant",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "env": env,
        "ports": [
            {"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"},
            {"name": "probes", "containerPort": PROBES_PORT, "protocol": "TCP"},
        ],
        "resources": _canonical(assistant.pods.resources or WEB_RESOURCES),
        "securityContext": _locked_down(),
        "volumeMounts": mounts,
        "startupProbe": {
            "httpGet": {"path": "/health", "port": "probes"},
            "initialDelaySeconds": 1,  # it takes that long: no warning at every start
            "periodSeconds": 1,
            "failureThreshold": 120,
        },
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": "probes"},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": "probes"},
            "periodSeconds": 2,
            "timeoutSeconds": 2,
            "failureThreshold": 2,
        },
        # A program and not Kubernetes' own `sleep`, which 1.29 has not yet.
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(PRE_STOP_SECONDS)]}}},
    }


def _limits(limits: Manifest) -> list[Manifest]:
    """Return the variables of the limits that are set, numbers and lists as JSON."""
    return [
        {"name": variable, "value": json.dumps(limits[name])}
        for name, variable in LIMITS.items()
        if name in limits
    ]


def _model_container(assistant: VirtualAssistant, model: Model, image: str) -> Manifest:
    return {
        "name": "model",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "restartPolicy": "Always",
        "env": [
            {"name": "VA_MODEL_CONTEXT_WINDOW", "value": str(model.context_window)},
            {"name": "VA_MODEL_THREADS", "value": str(MODEL_THREADS)},
        ],
        "resources": _canonical(assistant.pods.model_resources or MODEL_RESOURCES),
        "securityContext": _locked_down(),
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - as above
        "startupProbe": {
            "exec": {"command": ["va-model", "--check"]},
            "initialDelaySeconds": 1,
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": 120,
        },
        # Slow to give up: a server that computes a long prompt on a busy node is not hung.
        "livenessProbe": {
            "exec": {"command": ["va-model", "--check"]},
            "periodSeconds": 30,
            "timeoutSeconds": 10,
            "failureThreshold": 4,
        },
    }


def _filled(item: Manifest) -> Manifest:
    """Leave out empty texts, as the API server does: what it has is compared with what we send."""
    return {name: value for name, value in item.items() if value != ""}


def _locked_down() -> Manifest:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _volumes(assistant: VirtualAssistant, revision: str) -> list[Manifest]:
    volumes: list[Manifest] = [
        {"name": "revision", "configMap": {"name": revision_name(assistant, revision)}},
        {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}},
    ]
    volumes += model_volumes(assistant)
    if assistant.pods.token:
        secret = {"secretName": assistant.pods.token.name, "optional": True}
        volumes.append({"name": "token", "secret": secret})
    return volumes


def _canonical(resources: Manifest) -> Manifest:
    return {
        kind: {name: canonical_quantity(amount) for name, amount in amounts.items()}
        for kind, amounts in resources.items()
    }
