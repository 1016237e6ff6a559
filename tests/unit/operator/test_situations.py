"""The table of situations: what every condition says in each, whom it names, and how tools
that follow kstatus count it."""

import json
from dataclasses import dataclass, field, replace

import pytest

from support.builders import OPENAI, a_deployment, a_pod, a_report, an_assistant
from support.kstatus import kstatus
from support.situations import ADA, NEW, NOW, OLD, REVISION, a_situation, failing, two
from va_operator.api import KeyRef, Manifest
from va_operator.errors import ChildRefused, ContextError
from va_operator.judgement import judge
from va_operator.situation import Situation
from va_operator.status import write_status

SUSPENDED = replace(ADA, suspend=True)
ZERO = replace(ADA, replicas=0)
THREE = replace(ADA, replicas=3)
SERVED_BEFORE = {"history": [{"revision": NEW, "since": "2026-05-03T00:00:00Z"}]}
TOLD_READY = replace(
    ADA,
    status_json=json.dumps(
        {
            "conditions": [
                {"type": "Ready", "status": "True", "observedGeneration": ADA.generation},
            ]
        }
    ),
)
SERVED = replace(ADA, status_json=json.dumps(SERVED_BEFORE))

MISSING = ContextError("ContextNotFound", "`spec.context.files`: ConfigMap 'ada-cv' does not exist")
TOO_LARGE = ContextError("ContextTooLarge", "the files have 2000000 bytes")
FORBIDDEN = ContextError("NotAllowed", 'cannot get resource "configmaps"')
UNREAD = ContextError("ReadFailed", "the server is overloaded")

NONE = a_deployment(wanted=0)
QUOTA: Manifest = {
    "type": "ReplicaFailure",
    "status": "True",
    "message": "exceeded quota: small",
}
POLICY: Manifest = {**QUOTA, "message": "violates PodSecurity"}
STUCK: Manifest = {
    "type": "Progressing",
    "status": "False",
    "reason": "ProgressDeadlineExceeded",
    "message": "ReplicaSet 'ada-7c' has timed out progressing",
}
DONE: Manifest = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}

OOM = "it ended with OOMKilled, exit code 137"
NO_NODE = "0/1 nodes are available: 1 Insufficient cpu"
ANSWERS = (a_report(), a_report())
SHUT = a_report(closed="TokenMissing")
GUARDED = replace(ADA, pods=replace(ADA.pods, token=KeyRef(name="ada-token", key="tokens")))
LOST_TOKEN = "key 'tokens' of Secret 'ada-token' is missing or empty"


@dataclass(frozen=True)
class Row:
    """A situation and what is said of it, each condition as `status/reason`."""

    situation: Situation
    ready: str
    available: str
    progressing: str
    degraded: str
    stalled: str = "False/NotStalled"
    context: str = "True/Resolved"
    model: str = "Unknown/NotAskedYet"
    kstatus: str = "InProgress"
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By condition: what its message must name."""

    @property
    def said(self) -> dict[str, str]:
        return {
            "Ready": self.ready,
            "Available": self.available,
            "Progressing": self.progressing,
            "Degraded": self.degraded,
            "Stalled": self.stalled,
            "ContextResolved": self.context,
            "ModelReachable": self.model,
        }


def in_trouble(
    kind: str, reason: str, message: str, *names: str, container: str | None = "assistant"
) -> Row:
    """Return the row of pods that never become ready."""
    told = ("pod 'ada-1'", message, *([f"container '{container}'"] if container else ()), *names)
    return Row(
        a_situation(
            *two(trouble=kind, container=container, message=message),
            deployment=a_deployment(ready=0),
        ),
        ready=f"False/{reason}",
        available=f"False/{reason}",
        progressing=f"True/{reason}",
        degraded=f"True/{reason}",
        names={"Ready": told, "Available": told, "Degraded": ("0 of 2 pods are ready", *told)},
    )


def kept_out(reason: str, *, served: bool = False, stalled: bool = True) -> Row:
    """Return the row of a model that does not answer for its settings' sake."""
    return Row(
        a_situation(
            *two(ready=False),
            reports=(failing(reason),) * 2,
            deployment=a_deployment(ready=0),
            assistant=SERVED if served else ADA,
        ),
        ready=f"False/{reason}",
        available="False/NoPodReady",
        progressing="True/RollingOut",
        degraded=f"True/{reason}",
        stalled=f"True/{reason}" if stalled else "False/NotStalled",
        model=f"False/{reason}",
        kstatus="Failed" if stalled else "InProgress",
        names={"Degraded": ("0 of 2 pods are ready",)},
    )


def overloaded(reason: str) -> Row:
    """Return the row of ready pods whose model is down or busy."""
    return Row(
        a_situation(*two(), reports=(failing(reason, "Degraded"),) * 2),
        ready=f"False/{reason}",
        available="True/PodsReady",
        progressing="False/UpToDate",
        degraded=f"True/{reason}",
        model=f"False/{reason}",
        names={"Ready": ("gpt-5-mini",), "Degraded": ("2 of 2", "pod 'ada-1'", "gpt-5-mini")},
    )


def refused(reason: str, *, waits: bool = True) -> Row:
    """Return the row of a child that cannot be written while all pods answer."""
    why = f"Service 'ada' cannot be written: {reason}"
    return Row(
        a_situation(*two(), reports=ANSWERS, refusals=(ChildRefused(reason, why, kind="Service"),)),
        ready=f"False/{reason}",
        available="True/PodsReady",
        progressing=f"False/{reason}",
        degraded=f"True/{reason}",
        stalled=f"True/{reason}" if waits else "False/NotStalled",
        model="True/ModelAnswered",
        kstatus="Failed" if waits else "InProgress",
        names={"Ready": ("Service 'ada'",), "Degraded": ("2 of 2", "Service 'ada'")},
    )


def unreachable(reason: str) -> Row:
    """Return the row of pods that are ready behind no Service."""
    why = f"Service 'ada' cannot be written: {reason}"
    refusals = (ChildRefused(reason, why, kind="Service"),) if reason != "NoService" else ()
    return Row(
        a_situation(*two(), reports=ANSWERS, refusals=refusals, service=None),
        ready=f"False/{reason}",
        available=f"False/{reason}",
        progressing=f"False/{reason}" if refusals else "False/UpToDate",
        degraded=f"True/{reason}",
        stalled=f"True/{reason}" if refusals else "False/NotStalled",
        model="True/ModelAnswered",
        kstatus="Failed" if refusals else "InProgress",
        names={"Available": ("Service 'ada'",), "Degraded": ("Service 'ada'",)},
    )


def unresolved(error: ContextError, name: str) -> Row:
    """Return the row of a context that cannot be used while an earlier revision serves."""
    return Row(
        a_situation(*two(OLD), reports=ANSWERS, revision=error),
        ready=f"False/{error.reason}",
        available="True/PodsReady",
        progressing=f"False/{error.reason}",
        degraded=f"True/{error.reason}",
        stalled=f"True/{error.reason}",
        context=f"False/{error.reason}",
        kstatus="Failed",
        names=dict.fromkeys(("Ready", "Degraded", "Stalled", "ContextResolved"), (name,)),
    )


WAITING = "pod 'ada-2' is not ready: containers with unready status: [assistant]"
GOING_WELL: dict[str, Row] = {
    "it was just created": Row(
        a_situation(deployment=None, service=None),
        ready="False/Starting",
        available="False/NoPodReady",
        progressing="True/RollingOut",
        degraded="True/FewerPodsReady",
        names={"Ready": (NEW,), "Degraded": ("0 of 2 pods are ready",)},
    ),
    "the first pods are starting": Row(
        a_situation(*two(ready=False), deployment=a_deployment(ready=0)),
        ready="False/Starting",
        available="False/NoPodReady",
        progressing="True/RollingOut",
        degraded="True/FewerPodsReady",
    ),
    "all pods answer": Row(
        a_situation(*two(), reports=ANSWERS),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="False/UpToDate",
        degraded="False/AsAsked",
        model="True/ModelAnswered",
        kstatus="Current",
        names={"Ready": (NEW, "gpt-5-mini"), "Available": ("2 of 2",), "Degraded": ("2 of 2",)},
    ),
    "the first of two pods answers": Row(
        a_situation(
            a_pod(NEW),
            a_pod(NEW, name="ada-2", ready=False),
            reports=(a_report(), a_report("Unknown")),
            deployment=a_deployment(ready=1),
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="True/FewerPodsReady",
        model="True/ModelAnswered",
        kstatus="Current",
        names={"Degraded": ("1 of 2 pods are ready",)},
    ),
    "it is scaled up": Row(
        a_situation(
            *two(),
            a_pod(NEW, name="ada-3", ready=False),
            reports=ANSWERS,
            assistant=THREE,
            deployment=a_deployment(wanted=3, ready=2),
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="True/FewerPodsReady",
        model="True/ModelAnswered",
        kstatus="Current",
        names={"Degraded": ("2 of 3 pods are ready",)},
    ),
    "a new revision is asked for": Row(
        a_situation(*two(OLD), reports=ANSWERS, deployment=a_deployment(observed=0)),
        ready="False/RollingOut",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="False/AsAsked",
        names={"Ready": (NEW, f"{OLD} answers meanwhile")},
    ),
    "the first pod of a new revision starts": Row(
        a_situation(
            *two(OLD),
            a_pod(NEW, name="ada-3", ready=False),
            reports=(*ANSWERS, a_report("Unknown")),
            deployment=a_deployment(replicas=3, updated=1, ready=2),
        ),
        ready="False/RollingOut",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="False/AsAsked",
        names={"Ready": (NEW, f"{OLD} answers meanwhile"), "Progressing": ("1 of 2",)},
    ),
    "the first pod of a new revision answers": Row(
        a_situation(
            *two(OLD),
            a_pod(NEW, name="ada-3"),
            reports=(*ANSWERS, a_report()),
            deployment=a_deployment(replicas=3, updated=1, ready=3),
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="False/AsAsked",
        model="True/ModelAnswered",
        kstatus="Current",
        names={
            "Ready": (NEW,),
            "Available": ("3 pods are ready, 2 are asked for",),
            "Degraded": ("2 of 2 pods are ready",),
        },
    ),
    "the pods of the earlier revision are on their way out": Row(
        a_situation(
            *two(),
            a_pod(OLD, name="ada-3", deleting=True),
            reports=ANSWERS,
            deployment=a_deployment(replicas=3),
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="False/AsAsked",
        model="True/ModelAnswered",
        kstatus="Current",
    ),
    "the Deployment has not been looked at since its last change": Row(
        a_situation(*two(), reports=ANSWERS, deployment=a_deployment(observed=0)),
        ready="False/RollingOut",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="False/AsAsked",
        model="True/ModelAnswered",
    ),
    "its first pods answer before the Deployment has counted them": Row(
        a_situation(*two(), reports=ANSWERS, deployment=a_deployment(ready=0)),
        ready="False/Starting",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="False/AsAsked",
        model="True/ModelAnswered",
    ),
    "it is asked for other pods of the same revision": Row(
        a_situation(
            *two(), reports=ANSWERS, deployment=a_deployment(replicas=3, updated=1, ready=2)
        ),
        ready="False/RollingOut",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="False/AsAsked",
        model="True/ModelAnswered",
    ),
    "one of the other pods of the same revision is ready": Row(
        a_situation(
            *two(), reports=ANSWERS, deployment=a_deployment(replicas=3, updated=1, ready=3)
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="False/AsAsked",
        model="True/ModelAnswered",
        kstatus="Current",
    ),
    "the other pods of the same revision do not start": Row(
        a_situation(
            *two(),
            a_pod(NEW, name="ada-3", trouble="CrashLoopBackOff", message=OOM),
            reports=ANSWERS,
            deployment=a_deployment(replicas=3, updated=1, ready=2),
        ),
        ready="False/ContainerCrashing",
        available="True/PodsReady",
        progressing="True/ContainerCrashing",
        degraded="False/AsAsked",
        model="True/ModelAnswered",
    ),
    "new images come, which nobody asked for": Row(
        a_situation(
            *two(),
            reports=ANSWERS,
            assistant=TOLD_READY,
            deployment=a_deployment(replicas=3, updated=1, ready=2),
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="False/AsAsked",
        model="True/ModelAnswered",
        kstatus="Current",
    ),
    "the rollout before this one was stuck": Row(
        a_situation(
            *two(OLD),
            reports=ANSWERS,
            deployment=a_deployment(observed=0, conditions=(STUCK, QUOTA)),
        ),
        ready="False/RollingOut",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="False/AsAsked",
    ),
    "a pod was evicted and another came": Row(
        a_situation(
            a_pod(NEW, name="ada-0", trouble="Evicted", container=None, finished=True),
            *two(),
            reports=(None, *ANSWERS),
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="False/UpToDate",
        degraded="False/AsAsked",
        model="True/ModelAnswered",
        kstatus="Current",
    ),
}

ASKED_FOR: dict[str, Row] = {
    "it is suspended": Row(
        a_situation(assistant=SUSPENDED, deployment=NONE),
        ready="False/Suspended",
        available="False/Suspended",
        progressing="False/UpToDate",
        degraded="False/Suspended",
        names={"Ready": ("`spec.suspend`",)},
    ),
    "it was suspended a moment ago": Row(
        a_situation(
            *two(deleting=True),
            assistant=SUSPENDED,
            deployment=a_deployment(wanted=0, replicas=2),
        ),
        ready="False/Suspended",
        available="False/Suspended",
        progressing="True/RollingOut",
        degraded="False/Suspended",
    ),
    "it was created suspended": Row(
        a_situation(assistant=SUSPENDED, deployment=a_deployment(wanted=0, observed=0)),
        ready="False/Suspended",
        available="False/Suspended",
        progressing="False/UpToDate",
        degraded="False/Suspended",
    ),
    "it is scaled to zero": Row(
        a_situation(assistant=ZERO, deployment=NONE),
        ready="False/ScaledToZero",
        available="False/ScaledToZero",
        progressing="False/UpToDate",
        degraded="False/ScaledToZero",
        names={"Ready": ("`spec.replicas`",)},
    ),
    "it is suspended and a rollout was stuck": Row(
        a_situation(assistant=SUSPENDED, deployment=a_deployment(wanted=0, conditions=(STUCK,))),
        ready="False/Suspended",
        available="False/Suspended",
        progressing="False/UpToDate",
        degraded="False/Suspended",
    ),
    "the context is missing and it is suspended": Row(
        a_situation(assistant=SUSPENDED, revision=MISSING, deployment=NONE),
        ready="False/ContextNotFound",
        available="False/Suspended",
        progressing="False/ContextNotFound",
        degraded="False/Suspended",
        stalled="True/ContextNotFound",
        context="False/ContextNotFound",
        kstatus="Failed",
    ),
    "it is suspended and that cannot be written": Row(
        a_situation(
            *two(),
            reports=ANSWERS,
            assistant=SUSPENDED,
            refusals=(ChildRefused("NotAllowed", "cannot patch deployments", kind="Deployment"),),
        ),
        ready="False/NotAllowed",
        available="True/PodsReady",
        progressing="False/NotAllowed",
        degraded="False/Suspended",
        stalled="True/NotAllowed",
        model="True/ModelAnswered",
        kstatus="Failed",
    ),
}

PODS: dict[str, Row] = {
    "the image is missing": in_trouble("ImagePullBackOff", "ImagePullFailed", "no such host"),
    "the model's image is missing": in_trouble(
        "ErrImageNeverPull", "ImagePullFailed", "not present", container="model"
    ),
    "the container crashes": in_trouble("CrashLoopBackOff", "ContainerCrashing", OOM),
    "the container cannot be made": in_trouble(
        "CreateContainerConfigError", "ContainerCannotStart", "configmap not found"
    ),
    "no node takes the pods": in_trouble("Unschedulable", "Unschedulable", NO_NODE, container=None),
    "a pod was evicted and another starts": Row(
        a_situation(
            a_pod(NEW, name="ada-0", trouble="Evicted", container=None, finished=True),
            a_pod(NEW),
            a_pod(NEW, name="ada-2", ready=False),
            reports=(None, a_report(), a_report("Unknown")),
            deployment=a_deployment(ready=1),
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="True/FewerPodsReady",
        model="True/ModelAnswered",
        kstatus="Current",
    ),
    "every pod is thrown out by its node": Row(
        a_situation(
            *two(trouble="OutOfcpu", container=None, message="not enough", finished=True),
            deployment=a_deployment(ready=0),
        ),
        ready="False/PodFailed",
        available="False/PodFailed",
        progressing="True/PodFailed",
        degraded="True/PodFailed",
        names={"Ready": ("Pod 'ada-1'", "OutOfcpu", "not enough")},
    ),
    "one pod crashes while another answers": Row(
        a_situation(
            a_pod(NEW),
            a_pod(NEW, name="ada-2", trouble="CrashLoopBackOff", message=OOM),
            reports=(a_report(),),
            deployment=a_deployment(ready=1),
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="True/ContainerCrashing",
        degraded="True/ContainerCrashing",
        model="True/ModelAnswered",
        kstatus="Current",
        names={"Degraded": ("1 of 2 pods are ready", "container 'assistant'", "'ada-2'", OOM)},
    ),
    "one pod of a finished rollout is not ready any more": Row(
        a_situation(
            a_pod(NEW),
            a_pod(
                NEW,
                name="ada-2",
                ready=False,
                unready="containers with unready status: [assistant]",
            ),
            reports=(a_report(), a_report()),
            deployment=a_deployment(ready=1, conditions=(DONE,)),
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="True/FewerPodsReady",
        model="True/ModelAnswered",
        kstatus="Current",
        names={"Degraded": ("1 of 2 pods are ready", WAITING)},
    ),
    "the pods are ready but tell nothing": Row(
        a_situation(*two(), reports=(None, None)),
        ready="False/PodNotAnswering",
        available="True/PodsReady",
        progressing="False/UpToDate",
        degraded="True/PodNotAnswering",
        names={"Ready": ("Pod 'ada-1'",), "Degraded": ("2 of 2", "pod 'ada-1'")},
    ),
    "one of two ready pods tells nothing": Row(
        a_situation(*two(), reports=(a_report(), None)),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="False/UpToDate",
        degraded="True/PodNotAnswering",
        model="True/ModelAnswered",
        kstatus="Current",
        names={"Degraded": ("2 of 2", "pod 'ada-2'")},
    ),
    "a pod answers but is not ready": Row(
        a_situation(*two(ready=False), reports=(a_report(),), deployment=a_deployment(ready=0)),
        ready="False/Starting",
        available="False/NoPodReady",
        progressing="True/RollingOut",
        degraded="True/FewerPodsReady",
        model="True/ModelAnswered",
    ),
    "only pods on their way out are ready": Row(
        a_situation(*two(deleting=True), reports=ANSWERS, deployment=a_deployment(ready=0)),
        ready="False/Starting",
        available="False/NoPodReady",
        progressing="True/RollingOut",
        degraded="True/FewerPodsReady",
    ),
    "the node of one pod is gone": Row(
        a_situation(
            a_pod(NEW),
            a_pod(
                NEW,
                name="ada-2",
                trouble="NodeLost",
                container=None,
                message="node 'node-2' is silent",
            ),
            reports=(a_report(), None),
            deployment=a_deployment(ready=1),
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="True/NodeLost",
        degraded="True/NodeLost",
        model="True/ModelAnswered",
        kstatus="Current",
        names={"Available": ("1 of 2",), "Degraded": ("1 of 2", "Pod 'ada-2'", "node 'node-2'")},
    ),
    "the pod of a node that is gone is given up and its successor starts": Row(
        a_situation(
            a_pod(NEW),
            a_pod(
                NEW,
                name="ada-2",
                trouble="NodeLost",
                container=None,
                message="node 'node-2' is silent",
                deleting=True,
            ),
            a_pod(NEW, name="ada-3", ready=False),
            reports=(a_report(), None, a_report("Unknown")),
            deployment=a_deployment(ready=1),
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="True/NodeLost",
        model="True/ModelAnswered",
        kstatus="Current",
        names={"Degraded": ("1 of 2", "Pod 'ada-2'", "node 'node-2'")},
    ),
    "the pod of a node that is gone was replaced": Row(
        a_situation(
            *two(),
            a_pod(NEW, name="ada-3", trouble="NodeLost", container=None, deleting=True),
            reports=ANSWERS,
        ),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="False/UpToDate",
        degraded="False/AsAsked",
        model="True/ModelAnswered",
        kstatus="Current",
    ),
    "every node is gone": Row(
        a_situation(
            *two(trouble="NodeLost", container=None, message="node 'node-1' is silent"),
            reports=(None, None),
            deployment=a_deployment(ready=0),
        ),
        ready="False/NodeLost",
        available="False/NodeLost",
        progressing="True/NodeLost",
        degraded="True/NodeLost",
        names={"Ready": ("Pod 'ada-1'", "node 'node-1'")},
    ),
}

ROLLOUTS: dict[str, Row] = {
    "a quota forbids the pods": Row(
        a_situation(deployment=a_deployment(replicas=0, updated=0, ready=0, conditions=(QUOTA,))),
        ready="False/QuotaExceeded",
        available="False/QuotaExceeded",
        progressing="False/QuotaExceeded",
        degraded="True/QuotaExceeded",
        stalled="True/QuotaExceeded",
        kstatus="Failed",
        names=dict.fromkeys(("Ready", "Degraded", "Stalled"), ("exceeded quota: small",)),
    ),
    "a policy forbids the pods": Row(
        a_situation(deployment=a_deployment(replicas=0, updated=0, ready=0, conditions=(POLICY,))),
        ready="False/PodsRefused",
        available="False/PodsRefused",
        progressing="False/PodsRefused",
        degraded="True/PodsRefused",
        stalled="True/PodsRefused",
        kstatus="Failed",
        names={"Stalled": ("violates PodSecurity",)},
    ),
    "a quota has no room for the pods of a new revision": Row(
        a_situation(
            *two(OLD),
            reports=ANSWERS,
            deployment=a_deployment(updated=0, conditions=(QUOTA,)),
        ),
        ready="False/QuotaExceeded",
        available="True/PodsReady",
        progressing="False/QuotaExceeded",
        degraded="True/QuotaExceeded",
        stalled="True/QuotaExceeded",
        kstatus="Failed",
        names={"Degraded": ("2 of 2", "exceeded quota: small")},
    ),
    "the rollout is past its deadline": Row(
        a_situation(*two(ready=False), deployment=a_deployment(ready=0, conditions=(STUCK,))),
        ready="False/RolloutStuck",
        available="False/RolloutStuck",
        progressing="False/RolloutStuck",
        degraded="True/RolloutStuck",
        stalled="True/RolloutStuck",
        kstatus="Failed",
        names={"Stalled": ("ada-7c",)},
    ),
    "a new revision cannot be pulled while the earlier one answers": Row(
        a_situation(
            *two(OLD),
            a_pod(NEW, name="ada-3", trouble="ImagePullBackOff", message="no such host"),
            reports=ANSWERS,
            deployment=a_deployment(replicas=3, updated=1, ready=2),
        ),
        ready="False/ImagePullFailed",
        available="True/PodsReady",
        progressing="True/ImagePullFailed",
        degraded="False/AsAsked",
        names={"Ready": ("'ada-3'", "container 'assistant'", "no such host")},
    ),
    "the same past its deadline": Row(
        a_situation(
            *two(OLD),
            a_pod(NEW, name="ada-3", trouble="ImagePullBackOff", message="no such host"),
            reports=ANSWERS,
            deployment=a_deployment(replicas=3, updated=1, ready=2, conditions=(STUCK,)),
        ),
        ready="False/ImagePullFailed",
        available="True/PodsReady",
        progressing="False/RolloutStuck",
        degraded="True/ImagePullFailed",
        stalled="True/ImagePullFailed",
        kstatus="Failed",
        names={
            "Degraded": ("2 of 2", "'ada-3'", "container 'assistant'", "no such host"),
            "Stalled": ("'ada-3'", "container 'assistant'", "no such host"),
        },
    ),
    "a new revision's model is unknown while the earlier one answers": Row(
        a_situation(
            *two(OLD),
            a_pod(NEW, name="ada-3", ready=False),
            reports=(*ANSWERS, failing("ModelNotFound")),
            deployment=a_deployment(replicas=3, updated=1, ready=2),
        ),
        ready="False/ModelNotFound",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="True/ModelNotFound",
        stalled="True/ModelNotFound",
        model="False/ModelNotFound",
        kstatus="Failed",
        names={"Degraded": ("2 of 2", "gpt-5-mini")},
    ),
}

MODELS: dict[str, Row] = {
    **{
        f"the model fails for {reason}": kept_out(reason)
        for reason in (
            "KeyMissing",
            "KeyRefused",
            "CAMissing",
            "CAInvalid",
            "ModelNotFound",
            "RequestRefused",
            "ContextTooLarge",
            "HostNotFound",
            "ConnectionRefused",
            "TLSFailed",
        )
    },
    **{
        f"a model that answered fails for {reason}": kept_out(reason, served=True, stalled=stalled)
        for reason, stalled in {
            "ConnectionRefused": False,
            "HostNotFound": False,
            "KeyRefused": True,
            "TLSFailed": True,
        }.items()
    },
    **{
        f"ready pods cannot answer for {reason}": overloaded(reason)
        for reason in ("RateLimited", "BudgetSpent", "UpstreamError", "ConnectionLost", "Timeout")
    },
    "the upstream of ready pods is down": Row(
        a_situation(*two(), reports=(failing("ConnectionRefused"),) * 2),
        ready="False/ConnectionRefused",
        available="True/PodsReady",
        progressing="False/UpToDate",
        degraded="True/ConnectionRefused",
        model="False/ConnectionRefused",
    ),
    "the model fails in one of two pods": Row(
        a_situation(*two(), reports=(failing("Timeout", "Degraded"), a_report())),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="False/UpToDate",
        degraded="True/Timeout",
        model="True/ModelAnswered",
        kstatus="Current",
        names={"Degraded": ("2 of 2", "pod 'ada-1'", "gpt-5-mini")},
    ),
}

TOKENS: dict[str, Row] = {
    "the tokens' Secret is missing": Row(
        a_situation(*two(), reports=(SHUT, SHUT), assistant=GUARDED),
        ready="False/TokenMissing",
        available="False/TokenMissing",
        progressing="False/UpToDate",
        degraded="True/TokenMissing",
        stalled="True/TokenMissing",
        model="True/ModelAnswered",
        kstatus="Failed",
        names={
            **dict.fromkeys(("Ready", "Available", "Stalled"), (LOST_TOKEN,)),
            "Degraded": ("2 of 2 pods are ready", LOST_TOKEN),
        },
    ),
    "the tokens' Secret has not come to one of the pods": Row(
        a_situation(*two(), reports=(SHUT, a_report()), assistant=GUARDED),
        ready="True/Answering",
        available="True/PodsReady",
        progressing="False/UpToDate",
        degraded="True/TokenMissing",
        model="True/ModelAnswered",
        kstatus="Current",
        names={"Degraded": ("in pod 'ada-1'", LOST_TOKEN)},
    ),
    "one pod lets nobody ask and the other is silent": Row(
        a_situation(*two(), reports=(None, SHUT), assistant=GUARDED),
        ready="False/TokenMissing",
        available="False/TokenMissing",
        progressing="False/UpToDate",
        degraded="True/TokenMissing",
        stalled="True/TokenMissing",
        model="True/ModelAnswered",
        kstatus="Failed",
    ),
    "tokens are asked for, and the first pod of a new revision has none": Row(
        a_situation(
            *two(OLD),
            a_pod(NEW, name="ada-3"),
            reports=(*ANSWERS, SHUT),
            assistant=GUARDED,
            deployment=a_deployment(replicas=3, updated=1, ready=3),
        ),
        ready="False/TokenMissing",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="True/TokenMissing",
        stalled="True/TokenMissing",
        model="True/ModelAnswered",
        kstatus="Failed",
    ),
    "tokens are asked for, and the first other pod of the same revision has none": Row(
        a_situation(
            *two(),
            a_pod(NEW, name="ada-3"),
            reports=(*ANSWERS, SHUT),
            assistant=GUARDED,
            deployment=a_deployment(replicas=3, updated=1, ready=3),
        ),
        ready="False/RollingOut",
        available="True/PodsReady",
        progressing="True/RollingOut",
        degraded="True/TokenMissing",
        model="True/ModelAnswered",
        names={"Degraded": ("in pod 'ada-3'", LOST_TOKEN)},
    ),
    "it starts without its key and without tokens": Row(
        a_situation(
            *two(ready=False),
            reports=(replace(SHUT, models=failing("KeyMissing").models),) * 2,
            assistant=GUARDED,
            deployment=a_deployment(ready=0),
        ),
        ready="False/KeyMissing",
        available="False/NoPodReady",
        progressing="True/RollingOut",
        degraded="True/KeyMissing",
        stalled="True/KeyMissing",
        model="False/KeyMissing",
        kstatus="Failed",
    ),
    "it starts without tokens": Row(
        a_situation(
            *two(ready=False),
            reports=(replace(SHUT, ready=False, models=a_report("Unknown").models),) * 2,
            assistant=GUARDED,
            deployment=a_deployment(ready=0),
        ),
        ready="False/TokenMissing",
        available="False/NoPodReady",
        progressing="True/RollingOut",
        degraded="True/TokenMissing",
        stalled="True/TokenMissing",
        kstatus="Failed",
    ),
    "the tokens' Secret is missing, and no Service is there": Row(
        a_situation(*two(), reports=(SHUT, SHUT), assistant=GUARDED, service=None),
        ready="False/NoService",
        available="False/NoService",
        progressing="False/UpToDate",
        degraded="True/NoService",
        stalled="True/TokenMissing",
        model="True/ModelAnswered",
        kstatus="Failed",
    ),
    "a pod lets nobody ask for a reason that only it knows": Row(
        a_situation(*two(), reports=(a_report(closed="Maintenance"),) * 2),
        ready="False/Maintenance",
        available="False/Maintenance",
        progressing="False/UpToDate",
        degraded="True/Maintenance",
        stalled="True/Maintenance",
        model="True/ModelAnswered",
        kstatus="Failed",
        names={"Ready": ("Nobody may ask: the file is missing",)},
    ),
}

CONTEXTS: dict[str, Row] = {
    "the context is missing from the start": Row(
        a_situation(revision=MISSING, deployment=None),
        ready="False/ContextNotFound",
        available="False/NoPodReady",
        progressing="False/ContextNotFound",
        degraded="True/ContextNotFound",
        stalled="True/ContextNotFound",
        context="False/ContextNotFound",
        kstatus="Failed",
        names={"Ready": ("'ada-cv'",), "Degraded": ("0 of 2",)},
    ),
    "the context went missing while the earlier revision answers": unresolved(MISSING, "'ada-cv'"),
    "the context is too large": unresolved(TOO_LARGE, "2000000 bytes"),
    "the context may not be read": unresolved(FORBIDDEN, "configmaps"),
    "the context cannot be read for a while": Row(
        a_situation(*two(OLD), reports=ANSWERS, revision=UNREAD),
        ready="False/ReadFailed",
        available="True/PodsReady",
        progressing="False/ReadFailed",
        degraded="True/ReadFailed",
        context="Unknown/ReadFailed",
        names={"Ready": ("overloaded",)},
    ),
}

REFUSALS: dict[str, Row] = {
    **{
        f"a child is refused for {reason}": refused(reason)
        for reason in ("NameConflict", "NodePortTaken", "QuotaExceeded", "NotAllowed", "Refused")
    },
    **{
        f"a {kind} is refused, without which it answers all the same": Row(
            a_situation(
                *two(),
                reports=ANSWERS,
                refusals=(ChildRefused("NotAllowed", f"{kind} 'ada'", kind=kind),),
            ),
            ready="True/Answering",
            available="True/PodsReady",
            progressing="False/UpToDate",
            degraded="True/NotAllowed",
            stalled="True/NotAllowed",
            model="True/ModelAnswered",
            kstatus="Failed",
        )
        for kind in ("PodDisruptionBudget", "NetworkPolicy")
    },
    **{
        f"no Service sends the ready pods questions: {reason}": unreachable(reason)
        for reason in ("NoService", "NameConflict", "QuotaExceeded")
    },
    "a child cannot be written for a while": refused("WriteFailed", waits=False),
    "one child is refused and another fails": Row(
        a_situation(
            *two(),
            reports=ANSWERS,
            refusals=(
                ChildRefused("NodePortTaken", "Service 'ada'", kind="Service"),
                ChildRefused("WriteFailed", "Deployment 'ada'", kind="Deployment"),
            ),
        ),
        ready="False/NodePortTaken",
        available="True/PodsReady",
        progressing="False/NodePortTaken",
        degraded="True/NodePortTaken",
        stalled="True/NodePortTaken",
        model="True/ModelAnswered",
        kstatus="Failed",
    ),
}

SITUATIONS = {
    **GOING_WELL,
    **ASKED_FOR,
    **PODS,
    **ROLLOUTS,
    **MODELS,
    **TOKENS,
    **CONTEXTS,
    **REFUSALS,
}
every_situation = pytest.mark.parametrize("row", SITUATIONS.values(), ids=SITUATIONS)

WORDS = {True: "True", False: "False", None: "Unknown"}


@every_situation
def test_every_condition_is_right(row: Row) -> None:
    said = {c.type: f"{WORDS[c.status]}/{c.reason}" for c in judge(row.situation)}
    assert said == row.said


@every_situation
def test_the_messages_name_what_people_look_for(row: Row) -> None:
    told = {c.type: c.message for c in judge(row.situation)}
    for type_, names in row.names.items():
        for name in names:
            assert name.lower() in told[type_].lower()


@every_situation
def test_every_condition_gives_a_reason_and_a_sentence(row: Row) -> None:
    for condition in judge(row.situation):
        assert condition.reason
        assert condition.message
        assert "None" not in condition.message.removeprefix("None of")


@every_situation
def test_tools_that_follow_kstatus_count_it(row: Row) -> None:
    assistant = row.situation.assistant
    status = write_status(row.situation, judge(row.situation), now=NOW)
    body = {"metadata": {"generation": assistant.generation}, "status": status}

    assert kstatus(body) == row.kstatus


def test_a_status_of_before_the_last_change_counts_as_in_progress() -> None:
    row = SITUATIONS["all pods answer"]
    status = write_status(row.situation, judge(row.situation), now=NOW)
    assert kstatus({"metadata": {"generation": 2}, "status": status}) == "InProgress"


def test_a_missing_key_names_the_secret() -> None:
    told = {
        c.type: c.message for c in judge(SITUATIONS["the model fails for KeyMissing"].situation)
    }
    for type_ in ("Ready", "ModelReachable", "Degraded", "Stalled"):
        assert "'openai'" in told[type_]
        assert "'apiKey'" in told[type_]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("CAMissing", "Key 'ca.crt' of ConfigMap 'corporate' is missing or empty"),
        ("CAInvalid", "Key 'ca.crt' of ConfigMap 'corporate' is no CA in PEM: why"),
    ],
)
def test_a_ca_that_is_none_names_the_config_map(reason: str, said: str) -> None:
    ca = {"name": "corporate", "key": "ca.crt"}
    model = {**OPENAI, "caConfigMapRef": ca}
    with_ca = an_assistant(model=model)
    found = a_situation(*two(ready=False), reports=(failing(reason),) * 2, assistant=with_ca)
    told = {c.type: (c.reason, c.message) for c in judge(found)}
    for type_ in ("Ready", "ModelReachable", "Degraded", "Stalled"):
        assert told[type_][0] == reason
        assert said in told[type_][1]


def test_a_report_of_another_revision_proves_nothing() -> None:
    """A pod whose label says one revision and whose answer another is not believed."""
    report = replace(a_report(), revision=OLD)
    situation = replace(a_situation(a_pod(NEW)), reports={a_pod(NEW).uid: report})

    ready, *_ = judge(situation)
    assert (ready.status, ready.reason) == (False, "Starting")
    assert situation.models == ()
    assert REVISION.id != OLD
