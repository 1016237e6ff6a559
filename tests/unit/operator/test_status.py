"""From what was seen to what is said: the table of situations."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from support.builders import (
    OPENAI,
    a_deployment,
    a_pod,
    a_report,
    a_service,
    an_assistant,
    the_revision,
)
from va_operator.api import Manifest
from va_operator.errors import ChildRefused, ContextError
from va_operator.judgement import judge
from va_operator.observed import Pod
from va_operator.reports import Report
from va_operator.situation import Situation
from va_operator.status import write_status

ADA = an_assistant(model=OPENAI)
REVISION = the_revision(ADA)
NEW, OLD = REVISION.id, "0123456789"
NOW = datetime(2026, 5, 4, tzinfo=UTC)
MISSING = ContextError("ContextNotFound", "'ada-cv' does not exist")


def a_situation(*pods: Pod, reports: tuple[Report | None, ...] = (), **given: Any) -> Situation:
    """Return a situation in which the pods, in order, said what the reports are."""
    said = {
        pod.uid: report and replace(report, revision=pod.revision)
        for pod, report in zip(pods, reports, strict=False)
    }
    base: dict[str, Any] = {
        "assistant": ADA,
        "revision": REVISION,
        "refusals": (),
        "deployment": a_deployment(),
        "service": a_service(),
    }
    return Situation(**{**base, **given}, pods=pods, reports=said)


def two(revision: str = NEW, **given: Any) -> tuple[Pod, Pod]:
    return a_pod(revision, name="ada-1", **given), a_pod(revision, name="ada-2", **given)


def failing(reason: str, state: str = "Failed") -> Report:
    return a_report(state, reason, "why")


SUSPENDED = replace(ADA, suspend=True)
ZERO = replace(ADA, replicas=0)
NONE = a_deployment(wanted=0)
STUCK = {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "no progress"}
QUOTA = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: q"}

# Each line: Ready, Available, Progressing, ContextResolved, ModelReachable.
SITUATIONS: dict[str, tuple[Situation, str]] = {
    "it was just created": (
        a_situation(deployment=None, service=None),
        "False/Starting False/NoPodReady True/RollingOut True/Resolved Unknown/NotAskedYet",
    ),
    "the first pods are starting": (
        a_situation(*two(ready=False), deployment=a_deployment(ready=0)),
        "False/Starting False/NoPodReady True/RollingOut True/Resolved Unknown/NotAskedYet",
    ),
    "all pods answer": (
        a_situation(*two(), reports=(a_report(), a_report())),
        "True/Answering True/PodsReady False/UpToDate True/Resolved True/ModelAnswered",
    ),
    "one of two pods answers": (
        a_situation(
            a_pod(NEW),
            a_pod(NEW, name="ada-2", ready=False),
            reports=(a_report(), a_report("Unknown")),
            deployment=a_deployment(ready=1),
        ),
        "True/Answering True/PodsReady True/RollingOut True/Resolved True/ModelAnswered",
    ),
    "the second of two pods answers": (
        a_situation(*two(), reports=(failing("Timeout", "Degraded"), a_report())),
        "True/Answering True/PodsReady False/UpToDate True/Resolved True/ModelAnswered",
    ),
    "a pod answers but is not ready": (
        a_situation(*two(ready=False), reports=(a_report(),), deployment=a_deployment(ready=0)),
        "False/Starting False/NoPodReady True/RollingOut True/Resolved True/ModelAnswered",
    ),
    "a new revision rolls out behind the old one": (
        a_situation(
            a_pod(OLD),
            a_pod(NEW, name="ada-2", ready=False),
            reports=(a_report(), a_report("Unknown")),
            deployment=a_deployment(updated=1, ready=1),
        ),
        "False/RollingOut True/PodsReady True/RollingOut True/Resolved Unknown/NotAskedYet",
    ),
    "the new revision cannot be pulled and the old one answers": (
        a_situation(
            a_pod(OLD),
            a_pod(NEW, name="ada-2", trouble="ImagePullBackOff"),
            reports=(a_report(),),
            deployment=a_deployment(updated=1, ready=1),
        ),
        (
            "False/ImagePullFailed True/PodsReady True/ImagePullFailed True/Resolved "
            "Unknown/NotAskedYet"
        ),
    ),
    "the new revision's model fails and the old one answers": (
        a_situation(
            a_pod(OLD),
            a_pod(NEW, name="ada-2", ready=False),
            reports=(a_report(), failing("ModelNotFound")),
            deployment=a_deployment(updated=1, ready=1),
        ),
        "False/ModelNotFound True/PodsReady True/RollingOut True/Resolved False/ModelNotFound",
    ),
    "the image is missing": (
        a_situation(*two(trouble="ErrImagePull"), deployment=a_deployment(ready=0)),
        (
            "False/ImagePullFailed False/ImagePullFailed True/ImagePullFailed True/Resolved "
            "Unknown/NotAskedYet"
        ),
    ),
    "the container crashes": (
        a_situation(*two(trouble="CrashLoopBackOff"), deployment=a_deployment(ready=0)),
        (
            "False/ContainerCrashing False/ContainerCrashing True/ContainerCrashing True/Resolved "
            "Unknown/NotAskedYet"
        ),
    ),
    "no node takes the pods": (
        a_situation(
            *two(trouble="Unschedulable", container=None), deployment=a_deployment(ready=0)
        ),
        (
            "False/Unschedulable False/Unschedulable True/Unschedulable True/Resolved "
            "Unknown/NotAskedYet"
        ),
    ),
    "a quota forbids the pods": (
        a_situation(deployment=a_deployment(replicas=0, updated=0, ready=0, conditions=(QUOTA,))),
        (
            "False/QuotaExceeded False/QuotaExceeded False/QuotaExceeded True/Resolved "
            "Unknown/NotAskedYet"
        ),
    ),
    "the rollout gave up": (
        a_situation(*two(ready=False), deployment=a_deployment(ready=0, conditions=(STUCK,))),
        (
            "False/RolloutStuck False/RolloutStuck False/RolloutStuck True/Resolved "
            "Unknown/NotAskedYet"
        ),
    ),
    "one pod crashes while another answers": (
        a_situation(
            a_pod(NEW),
            a_pod(NEW, name="ada-2", trouble="CrashLoopBackOff"),
            reports=(a_report(),),
            deployment=a_deployment(ready=1),
        ),
        "True/Answering True/PodsReady True/ContainerCrashing True/Resolved True/ModelAnswered",
    ),
    "the pods are ready but tell nothing": (
        a_situation(*two(), reports=(None, None)),
        "False/PodNotAnswering True/PodsReady False/UpToDate True/Resolved Unknown/NotAskedYet",
    ),
    "the context is missing from the start": (
        a_situation(revision=MISSING, deployment=None),
        (
            "False/ContextNotFound False/NoPodReady False/ContextNotFound False/ContextNotFound "
            "Unknown/NotAskedYet"
        ),
    ),
    "the context went missing while the old revision answers": (
        a_situation(*two(OLD), reports=(a_report(), a_report()), revision=MISSING),
        (
            "False/ContextNotFound True/PodsReady False/ContextNotFound False/ContextNotFound "
            "Unknown/NotAskedYet"
        ),
    ),
    "it is suspended": (
        a_situation(assistant=SUSPENDED, deployment=NONE),
        "False/Suspended False/Suspended False/UpToDate True/Resolved Unknown/NotAskedYet",
    ),
    "it was suspended a moment ago": (
        a_situation(
            *two(deleting=True), assistant=SUSPENDED, deployment=a_deployment(wanted=0, replicas=2)
        ),
        "False/Suspended False/Suspended True/RollingOut True/Resolved Unknown/NotAskedYet",
    ),
    "it is scaled to zero": (
        a_situation(assistant=ZERO, deployment=NONE),
        "False/ScaledToZero False/ScaledToZero False/UpToDate True/Resolved Unknown/NotAskedYet",
    ),
    "the context is missing and it is suspended": (
        a_situation(assistant=SUSPENDED, revision=MISSING, deployment=NONE),
        (
            "False/ContextNotFound False/Suspended False/ContextNotFound False/ContextNotFound "
            "Unknown/NotAskedYet"
        ),
    ),
    "only pods on their way out are ready": (
        a_situation(*two(deleting=True), reports=(a_report(),), deployment=a_deployment(ready=0)),
        "False/Starting False/NoPodReady True/RollingOut True/Resolved Unknown/NotAskedYet",
    ),
    "the Deployment has not been looked at since its last change": (
        a_situation(*two(), reports=(a_report(), a_report()), deployment=a_deployment(observed=0)),
        "True/Answering True/PodsReady True/RollingOut True/Resolved True/ModelAnswered",
    ),
    **{
        f"the model fails for {reason}": (
            a_situation(
                *two(ready=False), reports=(failing(reason),), deployment=a_deployment(ready=0)
            ),
            f"False/{reason} False/NoPodReady True/RollingOut True/Resolved False/{reason}",
        )
        for reason in (
            "KeyMissing",
            "KeyRefused",
            "ModelNotFound",
            "RequestRefused",
            "ContextTooLarge",
            "HostNotFound",
            "ConnectionRefused",
            "TLSFailed",
        )
    },
    **{
        f"ready pods cannot answer for {reason}": (
            a_situation(*two(), reports=(failing(reason, "Degraded"),) * 2),
            f"False/{reason} True/PodsReady False/UpToDate True/Resolved False/{reason}",
        )
        for reason in ("RateLimited", "UpstreamError", "ConnectionLost", "Timeout")
    },
    **{
        f"a child is refused for {reason}": (
            a_situation(*two(), reports=(a_report(),) * 2, refusals=(ChildRefused(reason, "why"),)),
            f"False/{reason} True/PodsReady False/{reason} True/Resolved True/ModelAnswered",
        )
        for reason in ("NameConflict", "NodePortTaken", "QuotaExceeded", "NotAllowed", "Refused")
    },
}


def said(situation: Situation) -> str:
    words = {True: "True", False: "False", None: "Unknown"}
    return " ".join(f"{words[found.status]}/{found.reason}" for found in judge(situation))


@pytest.mark.parametrize(("situation", "expected"), SITUATIONS.values(), ids=SITUATIONS)
def test_the_conditions_say_what_was_seen(situation: Situation, expected: str) -> None:
    assert said(situation) == expected


@pytest.mark.parametrize("situation", [s for s, _ in SITUATIONS.values()], ids=SITUATIONS)
def test_every_condition_gives_a_reason_and_a_sentence(situation: Situation) -> None:
    for condition in judge(situation):
        assert condition.reason
        assert condition.message
        assert "None" not in condition.message.removeprefix("None of")


def message(situation: Situation, type_: str = "Ready") -> str:
    return next(found.message for found in judge(situation) if found.type == type_)


def test_messages_name_what_people_need() -> None:
    answering = SITUATIONS["all pods answer"][0]
    rolling = SITUATIONS["a new revision rolls out behind the old one"][0]
    pulling = SITUATIONS["the image is missing"][0]

    assert message(answering) == f"Revision {NEW} answers with gpt-5-mini"
    assert message(answering, "Available") == "2 of 2 pods are ready"
    assert message(answering, "ContextResolved") == "1 file of 20 bytes"
    assert message(rolling) == (f"Revision {NEW} is on its way; revision {OLD} answers meanwhile")
    assert message(rolling, "Progressing") == "1 of 2 pods are made as the spec asks"
    assert message(pulling) == "Container 'assistant' of pod 'ada-1' is in ErrImagePull"


def test_a_missing_key_names_the_secret() -> None:
    text = message(SITUATIONS["the model fails for KeyMissing"][0])
    assert "'openai'" in text
    assert "'apiKey'" in text


def test_the_model_that_answers_is_named_not_the_first() -> None:
    broken, fine = failing("Timeout").models[0], replace(a_report().models[0], name="spare")
    report = replace(a_report(), models=(broken, fine))
    situation = a_situation(a_pod(NEW), reports=(report,))

    assert message(situation) == f"Revision {NEW} answers with spare"
    assert message(situation, "ModelReachable") == "spare answers"


def test_a_pod_that_was_not_asked_yet_is_waited_for() -> None:
    old, new = a_pod(OLD), a_pod(NEW, name="ada-2", ready=False)

    assert a_situation(old, new).unasked_pods == (new,)
    assert a_situation(new, reports=(None,)).unasked_pods == ()
    assert a_situation(new, reports=(a_report(),)).unasked_pods == ()


@pytest.mark.parametrize("given", [{"started": False}, {"ip": None}, {"deleting": True}])
def test_a_pod_that_cannot_be_asked_is_not_waited_for(given: dict[str, Any]) -> None:
    assert a_situation(a_pod(NEW, **given)).unasked_pods == ()


def status(situation: Situation, before: Manifest | None = None) -> Manifest:
    assistant = replace(situation.assistant, status=before or {})
    situation = replace(situation, assistant=assistant)
    return write_status(situation, judge(situation), now=NOW)


def test_a_full_status() -> None:
    found = status(SITUATIONS["all pods answer"][0])

    assert found["observedGeneration"] == 1
    assert (found["replicas"], found["readyReplicas"], found["updatedReplicas"]) == (2, 2, 2)
    assert found["selector"] == (
        "app.kubernetes.io/instance=ada,app.kubernetes.io/name=virtual-assistant"
    )
    assert found["revision"] == {"desired": NEW, "serving": NEW}
    assert found["context"] == {
        "bytes": 20,
        "files": [{"name": "ada.md", "digest": REVISION.files[0][1]}],
        "tokens": 345,
    }
    assert found["models"] == [{"name": "gpt-5-mini", "state": "Ready"}]
    assert found["nodePort"] == 30123
    assert found["url"] == "http://192.0.2.10:30123/"


def test_what_is_not_known_is_left_out() -> None:
    found = status(a_situation(deployment=None, service=None, revision=MISSING))

    assert {"url", "nodePort", "revision", "context"}.isdisjoint(found)
    assert found["models"] == [{"name": "gpt-5-mini", "state": "Unknown"}]


def test_a_failing_model_is_told_with_its_last_error() -> None:
    found = status(SITUATIONS["the model fails for KeyRefused"][0])
    assert found["models"] == [
        {"name": "gpt-5-mini", "state": "Failed", "lastError": "KeyRefused: why"}
    ]


def test_the_same_situation_gives_the_same_status_at_any_time() -> None:
    situation = SITUATIONS["all pods answer"][0]
    first = status(situation)
    later = replace(situation, assistant=replace(ADA, status=first))

    assert write_status(later, judge(later), now=datetime(2027, 1, 1, tzinfo=UTC)) == first


SERVING = {
    "the desired one as soon as a pod of it is ready": ((a_pod(OLD), a_pod(NEW, name="b")), NEW),
    "the old one until then": ((a_pod(OLD), a_pod(NEW, name="b", ready=False)), OLD),
    "none without ready pods": ((a_pod(NEW, ready=False),), None),
}


@pytest.mark.parametrize(("pods", "serving"), SERVING.values(), ids=SERVING)
def test_the_serving_revision_is(pods: tuple[Pod, ...], serving: str | None) -> None:
    reports = (a_report(),) * len(pods)
    assert status(a_situation(*pods, reports=reports))["revision"].get("serving") == serving


def test_with_a_missing_context_the_serving_revision_is_still_told() -> None:
    found = status(SITUATIONS["the context went missing while the old revision answers"][0])
    assert found["revision"] == {"serving": OLD}


def url(service: Any, host: str | None = "192.0.2.10", **wanted: Any) -> str | None:
    situation = a_situation(
        a_pod(NEW, host_ip=host),
        reports=(a_report(),),
        assistant=an_assistant(model=OPENAI, service=wanted),
        service=service,
    )
    return status(situation).get("url")


INGRESS: dict[str, Any] = {"loadBalancer": {"ingress": [{"ip": "203.0.113.5"}]}}


def test_the_url_is_what_one_types() -> None:
    assert url(a_service()) == "http://192.0.2.10:30123/"
    assert url(a_service(), "2001:db8::7") == "http://[2001:db8::7]:30123/"
    assert url(a_service(node_port=None), type="ClusterIP") == "http://ada.shop.svc:80/"
    assert url(a_service(**INGRESS), type="LoadBalancer", port=8080) == "http://203.0.113.5:8080/"
    assert url(a_service(), type="LoadBalancer") == "http://192.0.2.10:30123/"


def test_there_is_no_url_that_would_not_answer() -> None:
    assert url(None) is None
    assert url(a_service(), None) is None
    assert url(a_service(node_port=None)) is None
    assert "url" not in status(a_situation(*two(ready=False), reports=(a_report("Unknown"),) * 2))
