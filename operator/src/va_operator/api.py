"""The VirtualAssistant as a value.

A raw body is parsed once, at the door; nobody deeper reads ``spec.get(…)``.
Defaults of the schema are repeated here for what is left out as a whole, such as the
model, and for objects that were stored before the schema had them.
"""

import json
import zlib
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

Manifest = dict[str, Any]
"""One Kubernetes object, or a part of one, as data."""

GROUP: Final = "virtualassistant.dev"
VERSION: Final = "v1alpha1"
KIND: Final = "VirtualAssistant"
PLURAL: Final = "virtualassistants"
API_VERSION: Final = f"{GROUP}/{VERSION}"

EMBEDDED_MODEL: Final = "smollm2-135m-instruct"
"""The name under which the embedded model answers."""
EMBEDDED_WINDOW: Final = 8192
"""Tokens that the embedded model takes in; what it was trained with."""


_LOSSLESS: Final = ("utf-8", "surrogatepass")
"""A stored object may hold half a surrogate pair; that it is no text is found later."""


class Key(NamedTuple):
    """Which object: the key of the store and of the queue."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRef:
    """One key of a ConfigMap or Secret in the assistant's namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextFile:
    """One text: given inline, or by reference to a ConfigMap."""

    name: str
    packed: bytes | None = None
    """The inline text, compressed: it stays in memory for as long as the object is there."""
    config_map: KeyRef | None = None

    @property
    def inline(self) -> str | None:
        """The inline text."""
        return None if self.packed is None else zlib.decompress(self.packed).decode(*_LOSSLESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Who writes the answers. ``None`` is what the object does not set."""

    provider: str
    name: str
    base_url: str | None = None
    api_key: KeyRef | None = None
    ca: KeyRef | None = None
    """Of the ConfigMap with a private CA, which the pods trust beside the system's store."""
    context_window: int | None = None
    """Tokens."""
    max_tokens: int | None = None
    temperature: float | None = None
    timeout_seconds: int = 60

    @property
    def embedded(self) -> bool:
        """Whether the model runs beside the assistant in its pod."""
        return self.provider == "Embedded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What an answer is besides its text. ``None`` is what the object does not set."""

    no_answer_text: str | None = None
    citations: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Where the assistant answers: what its Service is asked to be."""

    type: str = "NodePort"
    port: int = 80
    node_port: int | None = None
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """Whom the pods may reach: a block of addresses, or the pods of a namespace."""

    cidr: str | None = None
    namespace: str | None = None
    ports: tuple[int, ...] = ()
    """Of TCP; none for everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSettings:
    """What the pods are asked to be, beyond what they answer from. Empty is what is not set."""

    resources: Manifest = field(default_factory=dict)
    """Of the container that answers."""
    model_resources: Manifest = field(default_factory=dict)
    """Of the container of the embedded model."""
    node_selector: Manifest = field(default_factory=dict)
    tolerations: tuple[Manifest, ...] = ()
    image_pull_secrets: tuple[str, ...] = ()
    priority_class: str = ""
    env: tuple[tuple[str, str], ...] = ()
    """Of the container that answers."""
    labels: Manifest = field(default_factory=dict)
    annotations: Manifest = field(default_factory=dict)
    limits: Manifest = field(default_factory=dict)
    """By the names of the schema."""
    tokens_per_day: int | None = None
    """What models with a key may cost each pod in a day; ``None`` for no limit."""
    token: KeyRef | None = None
    """Of the Secret with the tokens of whom may ask; ``None`` where everybody may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualAssistant:
    """The custom resource: what the user asks for, and the status last seen."""

    key: Key
    uid: str
    generation: int
    resource_version: str
    being_deleted: bool
    replicas: int
    files: tuple[ContextFile, ...]
    instructions: str
    model: Model
    context_mode: str | None
    """What of the texts the model is given; ``None`` is what the object does not set."""
    answering: Answering
    fallbacks: tuple[Model, ...]
    """Who writes the answers, in this order, when the model does not."""
    service: Publication
    suspend: bool
    pods: PodSettings
    egress: tuple[Egress, ...] | None
    """Whom the pods may reach beside DNS; ``None`` for everybody."""
    status_json: str
    """As text it takes a tenth of the memory."""

    @property
    def status(self) -> Manifest:
        """The status that the API server has."""
        status: Manifest = json.loads(self.status_json)
        return status

    @property
    def models(self) -> tuple[Model, ...]:
        """All models in the order in which they are asked."""
        return (self.model, *self.fallbacks)

    @property
    def embedded_model(self) -> Model | None:
        """The model that runs beside the assistant in its pods, if one does."""
        return next((model for model in self.models if model.embedded), None)

    @property
    def pods_wanted(self) -> int:
        """How many pods there should be now."""
        return 0 if self.suspend else self.replicas

    @property
    def config_maps(self) -> frozenset[str]:
        """Names of the ConfigMaps that the context refers to."""
        return frozenset(f.config_map.name for f in self.files if f.config_map)


def key_of(body: Manifest) -> Key:
    """Return the key of any namespaced object."""
    metadata = body["metadata"]
    return Key(metadata["namespace"], metadata["name"])


T = TypeVar("T")
D = TypeVar("D")


def parse(body: Manifest) -> VirtualAssistant:
    """Read an object as the API server has it.

    Raises AttributeError, KeyError, TypeError or ValueError where the object is older than the
    schema and lacks what the schema requires now.
    """
    metadata, spec = body["metadata"], body["spec"]
    return VirtualAssistant(
        key=key_of(body),
        uid=metadata["uid"],
        generation=metadata["generation"],
        resource_version=metadata["resourceVersion"],
        being_deleted="deletionTimestamp" in metadata,
        replicas=_typed(spec, "replicas", int, 2),
        files=tuple(_file(raw) for raw in spec["context"]["files"]),
        instructions=_typed(spec, "instructions", str, ""),
        model=_model(spec.get("model") or {}),
        context_mode=_typed(spec["context"], "mode", str, None),
        answering=_answering(spec.get("answering") or {}),
        fallbacks=tuple(_model(raw or {}) for raw in spec.get("fallbacks") or ()),
        service=_publication(spec.get("service") or {}),
        suspend=_typed(spec, "suspend", bool, False),
        pods=_pods(spec),
        egress=_egress(spec.get("networkPolicy") or {}),
        status_json=json.dumps(body.get("status") or {}),
    )


def _file(raw: Manifest) -> ContextFile:
    ref, inline = raw.get("configMapRef"), _typed(raw, "inline", str, None)
    return ContextFile(
        name=raw["name"],
        packed=None if inline is None else zlib.compress(inline.encode(*_LOSSLESS)),
        config_map=KeyRef(**ref) if ref else None,
    )


def _typed(raw: Manifest, field: str, kind: type[T], absent: D) -> T | D:
    """Return a field that is calculated with; raises TypeError where it is of another type."""
    value = raw.get(field, absent)
    if value is not absent and not isinstance(value, kind):
        raise TypeError(f"`{field}` is no {kind.__name__}: {value!r:.40}")
    return value


def _resources(raw: Manifest) -> Manifest:
    found = raw.get("resources") or {}
    return {kind: dict((amounts or {}).items()) for kind, amounts in found.items()}


def _model(raw: Manifest) -> Model:
    name = raw.get("name")
    provider = raw.get("provider") or ("OpenAI" if name else "Embedded")
    embedded = provider == "Embedded"
    key, ca = raw.get("apiKeySecretRef"), raw.get("caConfigMapRef")
    return Model(
        provider=provider,
        name=EMBEDDED_MODEL if embedded else raw["name"],
        base_url=raw.get("baseURL"),
        api_key=KeyRef(**key) if key else None,
        ca=KeyRef(**ca) if ca else None,
        context_window=raw.get("contextWindow") or (EMBEDDED_WINDOW if embedded else None),
        max_tokens=raw.get("maxTokens"),
        temperature=raw.get("temperature"),
        timeout_seconds=_typed(raw, "timeoutSeconds", int, 60),
    )


def _answering(raw: Manifest) -> Answering:
    return Answering(
        no_answer_text=_typed(raw, "noAnswerText", str, None),
        citations=_typed(raw, "citations", bool, None),
    )


def _publication(raw: Manifest) -> Publication:
    return Publication(
        type=raw.get("type", "NodePort"),
        port=raw.get("port", 80),
        node_port=raw.get("nodePort"),
        annotations=tuple(sorted((raw.get("annotations") or {}).items())),
    )


def _egress(raw: Manifest) -> tuple[Egress, ...] | None:
    if raw.get("egress") is None:
        return None
    return tuple(
        Egress(
            cidr=item.get("cidr"),
            namespace=item.get("namespace"),
            ports=tuple(item.get("ports") or ()),
        )
        for item in raw["egress"]
    )


def _raw_models(spec: Manifest) -> list[Manifest]:
    """Return the models as they are written; the schema lets one of them be the embedded one."""
    return [raw or {} for raw in (spec.get("model"), *(spec.get("fallbacks") or ()))]


def _pods(spec: Manifest) -> PodSettings:
    token = (spec.get("auth") or {}).get("tokenSecretRef")
    return PodSettings(
        resources=_resources(spec),
        model_resources=next(filter(None, map(_resources, _raw_models(spec))), {}),
        node_selector=spec.get("nodeSelector") or {},
        tolerations=tuple(spec.get("tolerations") or ()),
        image_pull_secrets=tuple(secret["name"] for secret in spec.get("imagePullSecrets") or ()),
        priority_class=spec.get("priorityClassName") or "",
        env=tuple((item["name"], item.get("value", "")) for item in spec.get("env") or ()),
        labels=spec.get("podLabels") or {},
        annotations=spec.get("podAnnotations") or {},
        limits={
            name: limit for name, limit in (spec.get("limits") or {}).items() if limit is not None
        },
        tokens_per_day=(spec.get("budget") or {}).get("tokensPerDay"),
        token=KeyRef(**token) if token else None,
    )
