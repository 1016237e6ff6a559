"""All that a status speaks of, and what follows from it alone. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from va_operator.api import VirtualAssistant
from va_operator.errors import ChildRefused, ContextError
from va_operator.history import read_history
from va_operator.observed import Child, Pod
from va_operator.reports import ModelReport, Report
from va_operator.revision import Revision

_DECISIVE: Final = frozenset({"Deployment", "Service"})
"""Kinds of children without which nobody answers as the spec asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """An assistant, and what was seen of everything that belongs to it."""

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
    def ready_pods(self) -> tuple[Pod, ...]:
        """Pods that could take questions."""
        return tuple(pod for pod in self.pods if pod.ready and not pod.being_deleted)

    @property
    def serving_pods(self) -> tuple[Pod, ...]:
        """Pods that questions are sent to: none where there is no Service to send them."""
        return self.ready_pods if self.service else ()

    @property
    def closed_pods(self) -> tuple[Pod, ...]:
        """Ready pods that let nobody ask, by their own word."""
        return tuple(
            pod for pod in self.ready_pods if (said := self.reports.get(pod.uid)) and said.closed
        )

    @property
    def service_refusal(self) -> ChildRefused | None:
        """Why the Service could not be written."""
        return next((refused for refused in self.refusals if refused.kind == "Service"), None)

    @property
    def staying_pods(self) -> tuple[Pod, ...]:
        """Pods that are not on their way out.

        One that ended for good counts only while no other is there: then it says why.
        """
        return _staying(self.pods)

    @property
    def desired_pods(self) -> tuple[Pod, ...]:
        """The staying pods of the desired revision."""
        if isinstance(self.revision, ContextError):
            return ()
        desired = self.revision.id
        return _staying(pod for pod in self.pods if pod.revision == desired)

    @property
    def lost_pods(self) -> tuple[Pod, ...]:
        """Pods whose node is silent, also those that only its kubelet could end."""
        return tuple(pod for pod in self.pods if pod.lost)

    @property
    def unasked_pods(self) -> tuple[Pod, ...]:
        """Pods whose word counts and is still to come: they are new, or the operator is."""
        return tuple(
            pod for pod in self.desired_pods if pod.can_be_asked and pod.uid not in self.reports
        )

    @property
    def decisive_refusals(self) -> tuple[ChildRefused, ...]:
        """Refusals without which nothing serves as the spec asks."""
        return tuple(refused for refused in self.refusals if refused.kind in _DECISIVE)

    @property
    def unobserved(self) -> bool:
        """Whether the Deployment's controller has not looked at its last change."""
        deployment = self.deployment
        return bool(
            deployment and deployment.status.get("observedGeneration", 0) < deployment.generation
        )

    @property
    def updated_replicas(self) -> int:
        """Pods that are made as the spec asks.

        None while the Deployment's own status, or the Deployment itself, is of before.
        """
        refused = any(refused.kind == "Deployment" for refused in self.refusals)
        if isinstance(self.revision, ContextError) or refused or self.unobserved:
            return 0
        updated: int = self.deployment.status.get("updatedReplicas", 0) if self.deployment else 0
        return updated

    @property
    def has_new_pods(self) -> bool:
        """Whether a pod that is made as the spec asks is ready for sure, and lets people ask.

        The Deployment counts those that are ready and those of the newest template apart, so it
        is sure once more are ready than there are others.
        """
        status = self.deployment.status if self.deployment else {}
        others: int = status.get("replicas", 0) - self.updated_replicas
        ready: int = status.get("readyReplicas", 0) - len(self.closed_pods)
        return self.updated_replicas > 0 and ready > others

    @property
    def was_ready(self) -> bool:
        """Whether `Ready` was told to be true of this spec."""
        return any(
            item.get("type") == "Ready"
            and item.get("status") == "True"
            and item.get("observedGeneration") == self.assistant.generation
            for item in self.assistant.status.get("conditions") or ()
        )

    @property
    def models(self) -> tuple[ModelReport, ...]:
        """The models as the best placed pod of the desired revision found them."""
        reports = [
            report
            for pod in self.desired_pods
            if (report := self.reports.get(pod.uid)) and report.revision == pod.revision
        ]
        best = min(reports, key=_first_that_answers, default=None)
        return best.models if best else ()

    @property
    def answering_model(self) -> ModelReport | None:
        """The first model whose last word was an answer."""
        return next((model for model in self.models if model.state == "Ready"), None)

    @property
    def failing_model(self) -> ModelReport | None:
        """The first model that has failed since its last answer."""
        return next((model for model in self.models if model.reason), None)

    @property
    def has_served(self) -> bool:
        """Whether pods of the desired revision were ready at some time."""
        if isinstance(self.revision, ContextError):
            return False
        told = {served["revision"] for served in read_history(self.assistant.status)}
        return self.revision.id in told or any(pod.ready for pod in self.desired_pods)

    @property
    def serving_revision(self) -> str | None:
        """The revision that answers: the desired one as soon as one of its pods does.

        Of several others it is the one that was told before.
        """
        serving = [pod.revision for pod in self.serving_pods]
        desired = None if isinstance(self.revision, ContextError) else self.revision.id
        before = [served["revision"] for served in read_history(self.assistant.status)[:1]]
        preferred = (revision for revision in (desired, *before) if revision in serving)
        return next(preferred, None) or next(iter(serving), None)

    @property
    def serving_since(self) -> str | None:
        """When the first pod that still serves of that revision became ready."""
        revision = self.serving_revision
        serving = [pod for pod in self.serving_pods if pod.revision == revision]
        return min((pod.ready_since for pod in serving if pod.ready_since), default=None)


def _first_that_answers(report: Report) -> int:
    return report.answering.place if report.answering else len(report.models)


def _staying(pods: Iterable[Pod]) -> tuple[Pod, ...]:
    staying = [pod for pod in pods if not pod.being_deleted]
    return tuple([pod for pod in staying if not pod.finished] or staying)
