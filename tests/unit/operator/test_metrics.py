"""What `/metrics` tells: counts, times, and the state that is looked up."""

import time

import pytest

from support.builders import an_assistant_body
from va_operator.api import Manifest, VirtualAssistant, parse
from va_operator.errors import ChildRefused, ClusterFailure
from va_operator.metrics import Metrics, Present

REASONS = {"True": "Answering", "False": "NoPodReady"}


def a_present(*assistants: VirtualAssistant, leading: bool = True) -> Present:
    return Present(
        waiting=lambda: 3,
        in_work=lambda: 2,
        leading=lambda: leading,
        lag=lambda: 0.25,
        unusable=lambda: 1,
        upgrades=lambda: {"under_way": 5, "waiting": 7},
        assistants=lambda: assistants,
    )


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    found: float | None = metrics.registry.get_sample_value(f"va_operator_{name}", labels)
    return found


def assistants(metrics: Metrics, condition: str, status: str, reason: str) -> float | None:
    return value(metrics, "assistants", condition=condition, status=status, reason=reason)


def an_assistant(name: str, **conditions: str) -> VirtualAssistant:
    body: Manifest = an_assistant_body(name)
    told = [
        {"type": type_, "status": status, "reason": REASONS.get(status, "KeyMissing")}
        for type_, status in conditions.items()
    ]
    return parse({**body, "status": {"conditions": told} if told else {}})


@pytest.mark.parametrize(
    ("fault", "labels"),
    [
        (None, {"result": "succeeded", "reason": ""}),
        (ChildRefused("NameConflict", "taken"), {"result": "refused", "reason": "NameConflict"}),
        (ClusterFailure(503, "busy"), {"result": "failed", "reason": "503"}),
        (ClusterFailure(0, "no answer"), {"result": "failed", "reason": "0"}),
        (KeyError("x"), {"result": "broken", "reason": "KeyError"}),
    ],
)
def test_a_reconcile_is_counted_by_its_result_and_reason(
    fault: Exception | None, labels: dict[str, str]
) -> None:
    metrics = Metrics()
    metrics.reconciled(0.2, fault, now=1000)
    assert value(metrics, "reconciles_total", **labels) == 1
    assert value(metrics, "reconcile_duration_seconds_count") == 1
    assert value(metrics, "reconcile_duration_seconds_sum") == 0.2


def test_the_last_success_is_a_moment_and_a_failure_does_not_change_it() -> None:
    metrics = Metrics()
    assert value(metrics, "last_success_timestamp_seconds") == 0
    metrics.reconciled(0.2, None, now=1000)
    metrics.reconciled(0.2, KeyError("x"), now=2000)
    assert value(metrics, "last_success_timestamp_seconds") == 1000


def test_a_refusal_that_the_status_tells_counts_as_reconciled() -> None:
    metrics = Metrics()
    metrics.reconciled(0.2, ChildRefused("NameConflict", "taken"), now=1000)
    metrics.reconciled(0.2, ClusterFailure(503, "busy"), now=2000)
    assert value(metrics, "last_success_timestamp_seconds") == 1000


def test_requests_waits_watches_and_questions_are_counted() -> None:
    metrics = Metrics()
    metrics.requested("patch", "deployments", 200, 0.1)
    metrics.requested("patch", "services", 409, 0.3)
    metrics.waited(0.5)
    metrics.watch_ended("pods", "expired")
    metrics.asked(answered=True)
    metrics.asked(answered=False)

    labels = {"verb": "patch", "resource": "services", "code": "409"}
    assert value(metrics, "api_requests_total", **labels) == 1
    assert value(metrics, "api_request_duration_seconds_count", verb="patch") == 2
    assert value(metrics, "queue_wait_seconds_sum") == 0.5
    assert value(metrics, "watch_restarts_total", resource="pods", cause="expired") == 1
    assert value(metrics, "pod_questions_total", result="answered") == 1
    assert value(metrics, "pod_questions_total", result="silent") == 1


def test_the_present_is_looked_up_when_it_is_asked_for() -> None:
    metrics = Metrics()
    crowd = [an_assistant("ada", Ready="True", Available="True")]
    present = a_present()
    metrics.show(
        Present(
            waiting=present.waiting,
            in_work=present.in_work,
            leading=present.leading,
            lag=present.lag,
            unusable=present.unusable,
            upgrades=present.upgrades,
            assistants=lambda: crowd,
        )
    )
    assert assistants(metrics, "Ready", "True", "Answering") == 1
    crowd += [an_assistant("bob", Ready="False", Available="True"), an_assistant("new")]

    assert assistants(metrics, "Ready", "True", "Answering") == 1
    assert assistants(metrics, "Ready", "False", "NoPodReady") == 1
    assert assistants(metrics, "Ready", "Unknown", "") == 1
    assert assistants(metrics, "Available", "True", "Answering") == 2
    assert value(metrics, "queue_depth") == 3
    assert value(metrics, "queue_in_work") == 2
    assert value(metrics, "event_loop_lag_seconds") == 0.25
    assert value(metrics, "namespaces_unusable") == 1
    assert value(metrics, "upgrades", state="under_way") == 5
    assert value(metrics, "upgrades", state="waiting") == 7


def test_reasons_that_pods_invent_make_no_series_of_their_own() -> None:
    metrics = Metrics()
    metrics.show(a_present(an_assistant("ada", ModelReachable="Unknown")))
    assert assistants(metrics, "ModelReachable", "Unknown", "Other") == 1


@pytest.mark.parametrize(("leading", "expected"), [(True, 1), (False, 0)])
def test_it_tells_whether_it_leads(leading: bool, expected: int) -> None:
    metrics = Metrics()
    metrics.show(a_present(leading=leading))
    assert value(metrics, "leading") == expected


def test_the_process_is_measured_too() -> None:
    text = Metrics().text().decode()
    assert "\nprocess_resident_memory_bytes " in text
    assert "\nprocess_cpu_seconds_total " in text


def test_two_of_them_do_not_mix() -> None:
    first, second = Metrics(), Metrics()
    first.asked(answered=True)
    assert value(second, "pod_questions_total", result="answered") is None


def test_a_thousand_assistants_make_no_more_series_and_cost_a_moment() -> None:
    def shown(count: int) -> Metrics:
        metrics = Metrics()
        crowd = [an_assistant(f"a{n}", Ready="True", Available="True") for n in range(count)]
        metrics.show(a_present(*crowd))
        return metrics

    def series(metrics: Metrics) -> int:
        return len([ln for ln in metrics.text().splitlines() if not ln.startswith(b"#")])

    crowded = shown(1000)
    assert series(crowded) == series(shown(1))
    begun = time.process_time()
    crowded.text()
    assert time.process_time() - begun < 0.1
