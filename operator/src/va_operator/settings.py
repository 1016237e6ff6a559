"""What the operator reads from its environment, once, at start."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, PositiveFloat, PositiveInt, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

OWN_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where Kubernetes tells a pod its namespace; not there outside of pods."""


def _own_namespace() -> str:
    return OWN_NAMESPACE.read_text().strip() if OWN_NAMESPACE.exists() else ""


class OperatorSettings(BaseSettings):
    """Frozen after start; a bad environment lists all its faults at once."""

    model_config = SettingsConfigDict(env_prefix="VA_OPERATOR_", frozen=True)

    assistant_image: str = Field(min_length=1)
    """Image of the container that answers, with a tag or a digest."""

    model_image: str = Field(min_length=1)
    """Image of the embedded model, with a tag or a digest."""

    namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    """Namespaces to watch, separated by commas; empty for all."""

    model_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts that models and their proxies may have, separated by commas, `*.example.com` for all
    below it; empty for all."""

    in_cluster: bool = Field(default=False, validation_alias="KUBERNETES_SERVICE_HOST")
    """Whether the operator runs in a pod, which Kubernetes tells every pod. Inside it uses its
    service account and asks the pods directly; outside it uses the kubeconfig and asks
    them through the API server."""

    lease_namespace: str = Field(default_factory=_own_namespace, max_length=63)
    """Namespace of the Lease by which only one of several operators acts; empty for no Lease. In a
    pod it is the pod's own."""

    workers: PositiveInt = 16
    """How many assistants are reconciled at the same time."""

    upgrade_rollouts: PositiveInt = 5
    """How many assistants roll out at the same time for nothing but other images of the
    operator's."""

    resync_seconds: PositiveFloat = Field(default=300, le=600)
    """How often all assistants are listed to prove that the watch is alive, and each is reconciled.
    The alert that nothing is reconciled relies on the limit."""

    unsettled_question_seconds: PositiveFloat = 2
    """How often a pod that is not ready, or whose model is not, is asked how it is."""

    settled_question_seconds: PositiveFloat = 30
    """How often every other pod is asked."""

    questions_per_second: PositiveFloat = 20
    """The budget for asking settled pods: with more pods than it allows, each waits longer."""

    health_port: int = Field(default=8080, ge=0, le=65535)
    """Port of `/healthz`, `/readyz` and `/metrics`, on all addresses; 0 for any that is free."""

    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING)$")
    """Level of the log lines on stderr."""

    log_format: str = Field(default="json", pattern="^(json|plain)$")
    """`json` for machines, `plain` for people."""

    @field_validator("namespaces", "model_hosts", mode="before")
    @classmethod
    def _split(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        names = value.split(",") if isinstance(value, str) else value
        return tuple(name.strip() for name in names if name.strip())

    @field_validator("in_cluster", mode="before")
    @classmethod
    def _is_set(cls, value: str | bool) -> bool:
        return bool(value)
