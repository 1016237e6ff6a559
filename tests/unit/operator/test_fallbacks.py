"""Several models in their order: what is told of who answers, and why."""

from typing import Any

from support.builders import NAMESPACE, OPENAI, a_report, an_assistant, the_revision
from support.situations import NOW, a_situation, two
from va_operator.api import KeyRef
from va_operator.conditions import Condition
from va_operator.judgement import judge
from va_operator.observed import Pod
from va_operator.reports import ModelReport, Report, parse_report
from va_operator.situation import Situation
from va_operator.status import write_status

SPARE = {**OPENAI, "apiKeySecretRef": {"name": "spare", "key": "token"}}
ADA = an_assistant(model=OPENAI, fallbacks=[SPARE, {"provider": "Embedded"}])
"""Its first two models have one name."""
NEW = the_revision(ADA).id
ANSWERED: tuple[str, str | None] = ("Ready", None)
BUSY: tuple[str, str | None] = ("Degraded", "RateLimited")
REFUSED: tuple[str, str | None] = ("Failed", "KeyRefused")
KEYLESS: tuple[str, str | None] = ("Failed", "KeyMissing")
GONE: tuple[str, str | None] = ("Failed", "ConnectionRefused")
UNASKED: tuple[str, str | None] = ("Unknown", None)


def report(*states: tuple[str, str | None], ready: bool = True) -> Report:
    """Return what a pod says of its models."""
    models = tuple(
        ModelReport(
            place=place,
            name=model.name,
            state=state,
            reason=reason,
            message="so it is" if reason else None,
        )
        for place, (model, (state, reason)) in enumerate(zip(ADA.models, states, strict=True))
    )
    return Report(ready=ready, revision=NEW, tokens=None, models=models)


def situation(*reports: Report, pods: tuple[Pod, ...] | None = None) -> Situation:
    return a_situation(
        *(pods or two(NEW)), reports=reports, assistant=ADA, revision=the_revision(ADA)
    )


def told(*states: tuple[str, str | None], ready: bool = True) -> dict[str, Condition]:
    """Judge two pods that say the same."""
    said = report(*states, ready=ready)
    return {c.type: c for c in judge(situation(said, said, pods=two(NEW, ready=ready)))}


def test_models_are_read_in_their_order() -> None:
    assert [model.name for model in ADA.models] == [
        "gpt-5-mini",
        "gpt-5-mini",
        "smollm2-135m-instruct",
    ]
    assert ADA.models[1].api_key == KeyRef(name="spare", key="token")
    assert ADA.embedded_model is ADA.models[2]
    assert an_assistant(model=OPENAI).embedded_model is None
    assert ADA.key.namespace == NAMESPACE


def test_the_report_of_a_pod_numbers_its_models() -> None:
    body: dict[str, Any] = {
        "ready": True,
        "revision": NEW,
        "context": {},
        "models": [{"name": "same", "state": "Ready"}] * 2,
    }
    assert [model.place for model in parse_report(body).models] == [0, 1]


def test_while_the_preferred_model_answers_it_alone_is_named() -> None:
    found = told(ANSWERED, ANSWERED, ANSWERED)
    assert found["ModelReachable"].reason == "ModelAnswered"
    assert found["ModelReachable"].message == "gpt-5-mini answers"
    assert found["Ready"].message == f"Revision {NEW} answers with gpt-5-mini"
    assert found["Degraded"].status is False


def test_a_fallback_that_answers_is_named_with_what_it_stands_in_for() -> None:
    found = told(BUSY, ANSWERED, ANSWERED)
    reachable = found["ModelReachable"]
    assert (reachable.status, reachable.reason) == (True, "FallbackAnswers")
    assert reachable.message == (
        "gpt-5-mini does not answer: so it is; fallback 1 (gpt-5-mini) answers in its place"
    )
    assert found["Ready"].status is True
    assert found["Ready"].message.endswith("answers with fallback 1 (gpt-5-mini)")
    degraded = found["Degraded"]
    assert (degraded.status, degraded.reason) == (True, "RateLimited")
    assert "fallback 1 (gpt-5-mini) answers in its place" in degraded.message
    assert found["Stalled"].status is False


def test_the_key_that_is_missing_is_that_of_the_model_that_misses_it() -> None:
    found = told(ANSWERED, KEYLESS, ANSWERED)
    assert found["ModelReachable"].reason == "ModelAnswered"
    assert (found["Degraded"].status, found["Degraded"].reason) == (True, "KeyMissing")
    assert "Key 'token' of Secret 'spare' is missing" in found["Degraded"].message
    assert found["Stalled"].status is False


def test_a_preferred_model_that_only_the_user_can_mend_is_stalled_though_a_fallback_answers() -> (
    None
):
    found = told(REFUSED, ANSWERED, ANSWERED)
    assert found["Ready"].status is True
    assert (found["Stalled"].status, found["Stalled"].reason) == (True, "KeyRefused")
    assert found["Degraded"].reason == "KeyRefused"


def test_one_that_may_come_back_is_not_stalled() -> None:
    found = told(GONE, ANSWERED, ANSWERED)
    assert found["Ready"].status is True
    assert found["Stalled"].status is False
    assert (found["Degraded"].status, found["Degraded"].reason) == (True, "ConnectionRefused")


def test_a_new_pod_that_its_preferred_model_keeps_out_says_so() -> None:
    found = told(REFUSED, ANSWERED, ANSWERED, ready=False)
    assert (found["Ready"].status, found["Ready"].reason) == (False, "KeyRefused")
    assert found["Stalled"].status is True
    for kind in ("Stalled", "Degraded", "ModelReachable"):
        assert found[kind].message.endswith("fallback 1 (gpt-5-mini) answers, but no pod is ready")


def test_when_no_model_answers_the_first_failure_is_told() -> None:
    found = told(BUSY, REFUSED, BUSY)
    assert (found["ModelReachable"].status, found["ModelReachable"].reason) == (
        False,
        "RateLimited",
    )
    assert found["Ready"].status is False


def test_a_fallback_that_was_tried_first_does_not_speak_for_the_preferred_model() -> None:
    assert told(UNASKED, ANSWERED, UNASKED)["ModelReachable"].reason == "NotAskedYet"


def test_the_pod_that_answers_with_the_best_model_is_believed() -> None:
    now = situation(report(BUSY, ANSWERED, ANSWERED), report(ANSWERED, ANSWERED, ANSWERED))
    assert now.answering_model
    assert now.answering_model.place == 0


def test_the_status_has_a_line_for_each_model() -> None:
    now = situation(report(BUSY, ANSWERED, UNASKED))
    assert write_status(now, judge(now), now=NOW)["models"] == [
        {"name": "gpt-5-mini", "state": "Degraded", "lastError": "RateLimited: so it is"},
        {"name": "gpt-5-mini", "state": "Ready"},
        {"name": "smollm2-135m-instruct", "state": "Unknown"},
    ]


def test_before_a_pod_was_asked_all_models_are_unknown() -> None:
    now = situation()
    assert [m["state"] for m in write_status(now, judge(now), now=NOW)["models"]] == (
        ["Unknown"] * 3
    )


def test_a_pod_that_knows_of_one_model_only_is_understood() -> None:
    """Its image is of before there were fallbacks."""
    now = situation(a_report(), a_report())
    assert {c.type: c for c in judge(now)}["ModelReachable"].reason == "ModelAnswered"
