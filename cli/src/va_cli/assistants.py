"""VirtualAssistants as the API server returns them, parsed once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

Manifest: TypeAlias = dict[str, Any]
"""One Kubernetes object as data."""

RESOURCE = "virtualassistant.virtualassistant.dev"
"""How kubectl names the kind in `-o name`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One fact of the status."""

    type: str
    status: str
    reason: str
    message: str
    since: datetime | None = None

    @property
    def told(self) -> str:
        """Reason and message in one line."""
        return f"{self.reason}: {self.message}" if self.message else self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model, as the pods last found it."""

    name: str
    state: str
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assistant:
    """What the command line shows and needs of a VirtualAssistant."""

    name: str
    namespace: str
    uid: str
    created: datetime | None
    generation: int
    observed_generation: int | None
    replicas: int
    ready_replicas: int
    updated_replicas: int
    suspended: bool
    url: str | None
    node_port: int | None
    selector: str | None
    revision_desired: str | None
    revision_serving: str | None
    context_bytes: int | None
    context_tokens: int | None
    context_estimated_tokens: int | None
    context_window: int | None
    context_window_percent: int | None
    context_given: str | None
    context_files: tuple[str, ...]
    models: tuple[Model, ...]
    model_asked_for: str | None
    conditions: tuple[Condition, ...]

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of that type, if the operator has set it."""
        return next((c for c in self.conditions if c.type == kind), None)

    def holds(self, kind: str) -> bool:
        """Say whether the condition is there and True."""
        found = self.condition(kind)
        return found is not None and found.status == "True"

    @property
    def is_observed(self) -> bool:
        """Say whether the status speaks of the object as it is now."""
        return self.observed_generation == self.generation

    @property
    def waits_for_the_user(self) -> bool:
        """Say whether nothing will change by itself."""
        return self.is_observed and self.suspended

    @property
    def model(self) -> str | None:
        """Who writes the answers: as found, else as asked for."""
        return self.models[0].name if self.models else self.model_asked_for


def parse_assistant(manifest: Manifest) -> Assistant:
    """Read the object; what is missing is None or empty."""
    metadata, spec = manifest["metadata"], manifest.get("spec") or {}
    status = manifest.get("status") or {}
    revision, context = status.get("revision") or {}, status.get("context") or {}
    return Assistant(
        name=metadata["name"],
        namespace=metadata.get("namespace", "default"),
        uid=metadata.get("uid", ""),
        created=parse_time(metadata.get("creationTimestamp")),
        generation=metadata.get("generation", 0),
        observed_generation=status.get("observedGeneration"),
        replicas=spec.get("replicas", 2),
        ready_replicas=status.get("readyReplicas", 0),
        updated_replicas=status.get("updatedReplicas", 0),
        suspended=spec.get("suspend", False),
        url=status.get("url"),
        node_port=status.get("nodePort"),
        selector=status.get("selector"),
        revision_desired=revision.get("desired"),
        revision_serving=revision.get("serving"),
        context_bytes=context.get("bytes"),
        context_tokens=context.get("tokens"),
        context_estimated_tokens=context.get("estimatedTokens"),
        context_window=context.get("window"),
        context_window_percent=context.get("windowPercent"),
        context_given=context.get("given"),
        context_files=tuple(file["name"] for file in context.get("files") or ()),
        models=tuple(_parse_model(model) for model in status.get("models") or ()),
        model_asked_for=(spec.get("model") or {}).get("name"),
        conditions=tuple(_parse_condition(c) for c in status.get("conditions") or ()),
    )


def parse_time(text: str | None) -> datetime | None:
    """Read a time as Kubernetes writes it."""
    return datetime.fromisoformat(text) if text else None


def why_not_ready(assistant: Assistant) -> str | None:
    """Return what the conditions say about it, the most telling one first."""
    if assistant.suspended:
        return "Suspended: `spec.suspend` is true, so it has no pods"
    ready = assistant.condition("Ready")
    if ready and ready.status != "True":
        return ready.told
    if not assistant.conditions:
        return "NotObserved: the operator has not reported on it yet"
    return None


def _parse_model(model: Manifest) -> Model:
    return Model(name=model["name"], state=model["state"], last_error=model.get("lastError"))


def _parse_condition(condition: Manifest) -> Condition:
    return Condition(
        type=condition["type"],
        status=condition["status"],
        reason=condition.get("reason", ""),
        message=condition.get("message", ""),
        since=parse_time(condition.get("lastTransitionTime")),
    )
