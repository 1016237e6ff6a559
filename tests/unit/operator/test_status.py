"""The status: what is told beside the conditions, and carried on from one to the next."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import ANY

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
from support.situations import ADA, NEW, NOW, OLD, REVISION, a_situation, failing, two
from va_operator.api import Manifest
from va_operator.errors import ChildRefused, ContextError
from va_operator.judgement import judge
from va_operator.observed import Pod
from va_operator.reports import Report
from va_operator.situation import Situation
from va_operator.status import write_status

MISSING = ContextError("ContextNotFound", "'ada-cv' does not exist")
ANSWERING = a_situation(*two(), reports=(a_report(), a_report()))
REFUSED = a_situation(*two(ready=False), reports=(failing("KeyRefused"),))


def message(situation: Situation, type_: str = "Ready") -> str:
    return next(found.message for found in judge(situation) if found.type == type_)


def test_the_model_that_answers_is_named_not_the_first() -> None:
    broken, fine = (
        failing("Timeout").models[0],
        replace(a_report().models[0], name="spare", place=1),
    )
    report = replace(a_report(), models=(broken, fine))
    situation = a_situation(a_pod(NEW), reports=(report,))

    assert message(situation) == f"Revision {NEW} answers with fallback 1 (spare)"
    assert message(situation, "ModelReachable").endswith("fallback 1 (spare) answers in its place")


def test_a_pod_that_was_not_asked_yet_is_waited_for() -> None:
    old, new = a_pod(OLD), a_pod(NEW, name="ada-2", ready=False)

    assert a_situation(old, new).unasked_pods == (new,)
    assert a_situation(new, reports=(None,)).unasked_pods == ()
    assert a_situation(new, reports=(a_report(),)).unasked_pods == ()


@pytest.mark.parametrize("given", [{"started": False}, {"ip": None}, {"deleting": True}])
def test_a_pod_that_cannot_be_asked_is_not_waited_for(given: dict[str, Any]) -> None:
    assert a_situation(a_pod(NEW, **given)).unasked_pods == ()


def status(situation: Situation, before: Manifest | None = None) -> Manifest:
    assistant = replace(situation.assistant, status_json=json.dumps(before or {}))
    situation = replace(situation, assistant=assistant)
    return write_status(situation, judge(situation), now=NOW)


def test_a_full_status() -> None:
    found = status(ANSWERING)

    assert found["observedGeneration"] == 1
    assert (found["replicas"], found["readyReplicas"], found["updatedReplicas"]) == (2, 2, 2)
    assert found["selector"] == (
        "app.kubernetes.io/instance=ada,app.kubernetes.io/name=virtual-assistant"
    )
    assert found["revision"] == {"desired": NEW, "serving": NEW}
    assert found["context"] == {
        "bytes": 20,
        "files": [{"name": "ada.md", "digest": REVISION.files[0][1]}],
        "estimatedTokens": 7,
        "tokens": 345,
    }
    assert found["models"] == [{"name": "gpt-5-mini", "state": "Ready"}]
    assert found["nodePort"] == 30123
    assert found["url"] == "http://192.0.2.10:30123/"


WINDOW = {"name": "gpt-5-mini", "contextWindow": 2000}
FIT: dict[str, tuple[dict[str, Any], Report | None, dict[str, Any]]] = {
    "before a pod has counted": (
        {"model": WINDOW},
        None,
        {"window": 2000, "windowPercent": 51},
    ),
    "before a pod has counted what goes whole": (
        {"model": WINDOW, "mode": "Full"},
        None,
        {"window": 2000, "windowPercent": 51, "given": "Whole"},
    ),
    "before a pod has counted what is retrieved": (
        {"model": WINDOW, "mode": "Retrieve"},
        None,
        {"window": 2000, "windowPercent": 51, "given": "Passages"},
    ),
    "once a pod has counted the whole": (
        {"model": WINDOW},
        a_report(tokens=700, whole=True),
        {"window": 2000, "windowPercent": 35, "given": "Whole", "tokens": 700},
    ),
    "once a pod has found that it does not fit": (
        {"model": {**WINDOW, "contextWindow": 900}},
        a_report(tokens=40, whole=False),
        {"window": 900, "windowPercent": 112, "given": "Passages", "tokens": 40},
    ),
    "for the embedded model": (
        {},
        None,
        {"window": 8192, "windowPercent": 13, "given": "Passages"},
    ),
    "for a window that nobody knows": (
        {"model": OPENAI},
        a_report(tokens=700, whole=True),
        {"given": "Whole", "tokens": 700},
    ),
    "for a model that counts nothing": (
        {"model": WINDOW},
        a_report(tokens=None, whole=True),
        {"window": 2000, "windowPercent": 51, "given": "Whole"},
    ),
    "for a pod of an earlier version": (
        {"model": WINDOW},
        a_report(tokens=700),
        {"window": 2000, "windowPercent": 51, "tokens": 700},
    ),
}


@pytest.mark.parametrize(("spec", "report", "fit"), FIT.values(), ids=FIT)
def test_how_the_texts_fit_the_model_is_told(
    spec: dict[str, Any], report: Report | None, fit: dict[str, Any]
) -> None:
    files = [{"name": "ada.md", "inline": "Ada " * 750}]
    model = {"model": spec["model"]} if "model" in spec else {}
    mode = {"mode": spec["mode"]} if "mode" in spec else {}
    assistant = an_assistant(context={"files": files, **mode}, instructions="Be kind.", **model)
    revision = the_revision(assistant)
    pods, reports = ((a_pod(revision.id),), (report,)) if report else ((), ())
    situation = a_situation(*pods, reports=reports, assistant=assistant, revision=revision)

    told = status(situation)["context"]
    assert (told.pop("bytes"), told.pop("files")) == (3000, ANY)
    assert told == {"estimatedTokens": 1003, **fit}


@pytest.mark.parametrize(
    "given",
    [
        {"revision": ContextError("ContextEmpty", "no text")},
        {"refusals": (ChildRefused("NotAllowed", "no", kind="Deployment"),)},
        {"deployment": a_deployment(observed=0)},
        {"deployment": None},
    ],
    ids=["without a revision", "refused", "not looked at", "none"],
)
def test_pods_of_before_do_not_count_as_updated(given: dict[str, Any]) -> None:
    assert status(a_situation(*two(), **given))["updatedReplicas"] == 0


def test_what_is_not_known_is_left_out() -> None:
    found = status(a_situation(deployment=None, service=None, revision=MISSING))

    assert {"url", "nodePort", "revision", "context"}.isdisjoint(found)
    assert found["models"] == [{"name": "gpt-5-mini", "state": "Unknown"}]


def test_a_failing_model_is_told_with_its_last_error() -> None:
    found = status(REFUSED)
    assert found["models"] == [
        {"name": "gpt-5-mini", "state": "Failed", "lastError": "KeyRefused: why"}
    ]


def test_the_same_situation_gives_the_same_status_at_any_time() -> None:
    situation = ANSWERING
    first = status(situation)
    later = replace(situation, assistant=replace(ADA, status_json=json.dumps(first)))

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
    found = status(a_situation(*two(OLD), revision=MISSING))
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
    assert url(a_service(type_="ClusterIP", node_port=None)) == "http://ada.shop.svc:80/"
    assert url(a_service(type_="LoadBalancer", port=8080, **INGRESS)) == "http://203.0.113.5:8080/"
    assert url(a_service(type_="LoadBalancer")) == "http://192.0.2.10:30123/"


def test_the_url_follows_the_service_as_it_is_not_as_it_was_asked_for() -> None:
    assert url(a_service(), type="ClusterIP", port=8080) == "http://192.0.2.10:30123/"
    assert url(a_service(**INGRESS)) == "http://192.0.2.10:30123/"


def test_the_url_stays_as_long_as_its_node_serves() -> None:
    pods = (a_pod(NEW, host_ip="192.0.2.10"), a_pod(NEW, name="b", host_ip="192.0.2.11"))
    told = {"url": "http://192.0.2.11:30123/"}

    assert status(a_situation(*pods), told)["url"] == "http://192.0.2.11:30123/"
    assert status(a_situation(pods[0]), told)["url"] == "http://192.0.2.10:30123/"


def test_there_is_no_url_that_would_not_answer() -> None:
    assert url(None) is None
    assert url(a_service(), None) is None
    assert url(a_service(node_port=None)) is None
    assert "url" not in status(a_situation(*two(ready=False), reports=(a_report("Unknown"),) * 2))


def history(*entries: tuple[str, str]) -> Manifest:
    return {
        "history": [
            {"revision": r, "since": since if "T" in since else f"2026-05-0{since}T00:00:00Z"}
            for r, since in entries
        ]
    }


TODAY = "2026-05-03T23:59:58Z"
"""When the pods became ready, a little before the status is written."""


def test_the_history_begins_with_what_serves_first() -> None:
    assert "history" not in status(a_situation(*two(ready=False)))
    assert status(ANSWERING)["history"] == history((NEW, TODAY))["history"]


def test_another_serving_revision_goes_to_the_head_of_the_history() -> None:
    found = status(ANSWERING, history((OLD, "2")))
    assert found["history"] == history((NEW, TODAY), (OLD, "2"))["history"]


@pytest.mark.parametrize("pods", [two(), two(ready=False), ()], ids=["served", "starting", "gone"])
def test_the_history_stays_while_no_other_revision_serves(pods: tuple[Pod, ...]) -> None:
    before = history((NEW, "3"), (OLD, "2"))
    assert status(a_situation(*pods), before)["history"] == before["history"]


def test_the_history_tells_since_when_the_first_serving_pod_is_ready() -> None:
    early, late = "2026-05-01T10:00:00Z", "2026-05-01T10:00:05Z"
    pods = (
        a_pod(NEW, name="b", ready_since=late),
        a_pod(NEW, name="a", ready_since=early),
        a_pod(OLD, name="c", ready_since="2026-04-01T00:00:00Z"),
    )
    assert status(a_situation(*pods))["history"] == history((NEW, early))["history"]
    untold = (a_pod(NEW, ready_since=None),)
    assert status(a_situation(*untold))["history"] == history((NEW, "4"))["history"]


def test_a_first_pod_that_comes_and_goes_writes_no_history() -> None:
    before = history((NEW, "3"), (OLD, "2"))
    assert status(a_situation(*two(OLD)), before)["history"] == before["history"]


def test_going_back_to_an_earlier_revision_is_history() -> None:
    before = history((OLD, "3"), (NEW, "2"))
    found = status(ANSWERING, before)["history"]
    assert found == history((NEW, TODAY), (OLD, "3"), (NEW, "2"))["history"]


def test_the_history_holds_ten() -> None:
    before = history(*((f"{n:010x}", "1") for n in range(10)))
    found = status(ANSWERING, before)["history"]

    assert [entry["revision"] for entry in found[:2]] == [NEW, "0000000000"]
    assert len(found) == 10


@pytest.mark.parametrize(
    "garbage",
    [
        None,
        "yesterday",
        {"revision": NEW},
        [None, 7, "x", [], {}],
        [{"revision": NEW}],
        [{"revision": 7, "since": "2026-05-01T00:00:00Z"}],
        [{"revision": "", "since": "2026-05-01T00:00:00Z"}],
        [{"revision": "x" * 65, "since": "2026-05-01T00:00:00Z"}],
        [{"revision": OLD, "since": "yesterday"}],
        [{"revision": OLD, "since": "2026-05-01"}],
        [{"revision": OLD, "since": 7}],
    ],
)
def test_a_history_that_is_none_is_begun_anew(garbage: Any) -> None:
    assert status(ANSWERING, {"history": garbage})["history"] == history((NEW, TODAY))["history"]


def test_of_two_earlier_revisions_the_one_told_before_still_serves() -> None:
    other = "abcdefabcd"
    pods = (a_pod(OLD), a_pod(other, name="b"))

    assert status(a_situation(*pods))["revision"]["serving"] == OLD
    assert status(a_situation(*pods), history((other, "2")))["revision"]["serving"] == other
