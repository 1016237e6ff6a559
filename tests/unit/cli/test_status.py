"""`va status` says how an assistant is, and what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from support.cli_run import FakeCluster, a_condition, an_assistant, run_va
from va_cli.assistants import parse_assistant
from va_cli.next_steps import next_step
from va_cli.pods import parse_pod, parse_warnings


def a_pod(name: str = "ada-1", *, waiting: str | None = None, **status: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"virtualassistant.dev/revision": "3f2a91c0de"},
        },
        "spec": {
            "nodeName": "node-1",
            "initContainers": [{"name": "model", "restartPolicy": "Always"}, {"name": "once"}],
        },
        "status": {
            "phase": "Pending" if waiting else "Running",
            "initContainerStatuses": [
                {"name": "once", "ready": True, "state": {"terminated": {"reason": "Completed"}}},
                {"name": "model", "ready": True, "restartCount": 1, "state": {"running": {}}},
            ],
            "containerStatuses": [
                {"name": "assistant", "ready": not waiting, "restartCount": 2, "state": state}
            ],
            **status,
        },
    }


def a_warning(name: str, reason: str, *, minute: int = 0) -> dict[str, Any]:
    return {
        "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"},
        "involvedObject": {"kind": "Pod", "name": name},
        "reason": reason,
        "message": f"{reason} happened\nhere",
        "count": 3,
        "lastTimestamp": f"2026-01-01T00:{minute:02}:00Z",
    }


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(
        [an_assistant(url="http://10.0.0.1:30080")],
        pod_items=[a_pod()],
        event_items=[a_warning("ada-1", "FailedMount"), a_warning("other", "Unrelated")],
    )


def test_the_summary_and_its_surroundings(cluster: FakeCluster) -> None:
    run = run_va("status", "ada", cluster=cluster)
    assert run.code == 0
    lines = [" ".join(line.split()) for line in run.out.splitlines()]
    assert lines[:7] == [
        "ada in namespace default: ready",
        "",
        "URL http://10.0.0.1:30080",
        "Model gpt-5-mini (Ready)",
        "Replicas 2 of 2 ready",
        "Revision 3f2a91c0de",
        "Context 447 bytes; 120 tokens, 3 % of the window; cv.md",
    ]
    assert any(line.startswith("Ready True Answering") for line in lines)
    assert any(line.startswith("ada-1 2/2 Running 3 node-1") for line in lines)
    assert any("Pod/ada-1: FailedMount: FailedMount happened here (3 times)" in n for n in lines)
    assert "Unrelated" not in run.out
    assert lines[-1] == 'Next: va ask ada -n default "…"'


def test_without_a_name_it_is_the_only_one_or_the_default(cluster: FakeCluster) -> None:
    assert run_va("status", cluster=cluster).out.startswith("ada in")
    cluster.items = [*cluster.items, an_assistant("bob")]
    assert run_va("status", cluster=cluster).code == 2
    run = run_va("status", cluster=cluster, environment={"VA_ASSISTANT": "bob"})
    assert run.out.startswith("bob in")


def test_the_keys_for_programs(cluster: FakeCluster) -> None:
    forced = {"CLICOLOR_FORCE": "1"}
    found = json.loads(run_va("status", "-o", "json", cluster=cluster, environment=forced).out)
    assert found == yaml.safe_load(run_va("status", "-o", "yaml", cluster=cluster).out)
    assert found == {
        "name": "ada",
        "namespace": "default",
        "ready": True,
        "reason": "Answering",
        "message": "",
        "url": "http://10.0.0.1:30080",
        "suspended": False,
        "replicas": {"desired": 2, "ready": 2, "updated": 2},
        "revision": {"desired": "3f2a91c0de", "serving": "3f2a91c0de"},
        "context": {
            "bytes": 447,
            "tokens": 120,
            "estimatedTokens": 149,
            "window": 4000,
            "windowPercent": 3,
            "given": "Whole",
            "files": ["cv.md"],
        },
        "models": [{"name": "gpt-5-mini", "state": "Ready", "lastError": None}],
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Answering",
                "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
        "pods": [
            {
                "name": "ada-1",
                "ready": "2/2",
                "status": "Running",
                "restarts": 3,
                "revision": "3f2a91c0de",
                "node": "node-1",
                "created": "2026-01-01T00:00:00Z",
            }
        ],
        "warnings": [
            {
                "about": "Pod/ada-1",
                "reason": "FailedMount",
                "message": "FailedMount happened\nhere",
                "count": 3,
                "lastSeen": "2026-01-01T00:00:00Z",
            }
        ],
        "next": 'va ask ada -n default "…"',
    }


def test_what_may_not_be_listed_is_left_out(cluster: FakeCluster) -> None:
    cluster.forbidden = frozenset({"pods", "events"})
    run = run_va("status", "ada", cluster=cluster)
    assert run.code == 0
    assert "Pods: you may not list them." in run.out
    assert "Warnings: you may not list events." in run.out
    found = json.loads(run_va("status", "ada", "-o", "json", cluster=cluster).out)
    assert (found["pods"], found["warnings"]) == (None, None)


def test_an_older_revision_that_answers_is_told(cluster: FakeCluster) -> None:
    manifest = an_assistant(
        conditions=[
            a_condition("Ready", "False", "RollingOut", "1 of 2 pods"),
            a_condition("Available", "True", "PodsReady"),
        ],
        revision={"desired": "bbbbbbbbbb", "serving": "aaaaaaaaaa"},
    )
    out = run_va("status", cluster=FakeCluster([manifest])).out
    assert out.startswith("ada in namespace default: not ready, but an older revision answers\n")
    assert "  RollingOut: 1 of 2 pods\n" in out
    assert "aaaaaaaaaa answers, bbbbbbbbbb is asked for" in out


def test_a_status_of_an_older_object_is_told() -> None:
    out = run_va("status", cluster=FakeCluster([an_assistant(observedGeneration=2)])).out
    assert "not yet seen the last change" in out


@pytest.mark.parametrize(
    ("pod", "status"),
    [
        (a_pod(), "Running"),
        (a_pod(waiting="ImagePullBackOff"), "ImagePullBackOff"),
        (a_pod(waiting="PodInitializing"), "Pending"),
        (
            a_pod(
                waiting="PodInitializing",
                conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}],
            ),
            "Unschedulable",
        ),
        ({"metadata": {"name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z"}}, "Terminating"),
        (
            {"metadata": {"name": "x"}, "status": {"phase": "Failed", "reason": "Evicted"}},
            "Evicted",
        ),
    ],
)
def test_a_pods_status_is_what_kubectl_says(pod: dict[str, Any], status: str) -> None:
    assert parse_pod(pod).status == status


def test_the_last_warnings_come_last() -> None:
    events = [a_warning("ada-1", f"Reason{minute}", minute=minute) for minute in (9, 1, 5, 2, 7, 3)]
    assert [w.reason for w in parse_warnings(events, about=["ada-1"])] == [
        "Reason2",
        "Reason3",
        "Reason5",
        "Reason7",
        "Reason9",
    ]


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({}, "<none>"),
        ({"bytes": 447, "estimatedTokens": 149}, "447 bytes; about 149 tokens"),
        (
            {"bytes": 447, "estimatedTokens": 149, "windowPercent": 4},
            "447 bytes; about 149 tokens, 4 % of the window",
        ),
        (
            {"estimatedTokens": 9000, "tokens": 40, "windowPercent": 110, "given": "Passages"},
            "about 9000 tokens, 110 % of the window; passages are given",
        ),
        ({"bytes": 447, "tokens": 120}, "447 bytes; 120 tokens"),
    ],
)
def test_how_the_texts_fit_the_model(
    cluster: FakeCluster, context: dict[str, Any], said: str
) -> None:
    cluster.items = [an_assistant(context=context)]
    lines = run_va("status", "ada", cluster=cluster).out.splitlines()
    [line] = [line for line in lines if line.startswith("Context ")]
    assert line.split(maxsplit=1)[1] == said


def of(*conditions: dict[str, Any], **spec: Any) -> dict[str, Any]:
    manifest = an_assistant(conditions=list(conditions))
    manifest["spec"].update(spec)
    return manifest


@pytest.mark.parametrize(
    ("manifest", "pod", "step"),
    [
        (of(suspend=True), None, "kubectl patch va ada -n default --type merge"),
        (of(replicas=0), None, "kubectl scale va ada -n default --replicas 1"),
        (of(), None, "component=operator"),
        (of(a_condition("ContextResolved", "False", "ContextNotFound")), None, "create configmap"),
        (of(a_condition("ModelReachable", "False", "KeyMissing")), None, "create secret"),
        (of(a_condition("ModelReachable", "False", "CAMissing")), None, "create configmap"),
        (of(a_condition("ModelReachable", "False", "CAInvalid")), None, "caConfigMapRef"),
        (of(a_condition("ModelReachable", "False", "TLSFailed")), None, "caConfigMapRef"),
        (of(a_condition("ModelReachable", "False", "BudgetSpent")), None, "spec.budget"),
        (of(a_condition("ModelReachable", "False", "NewReason")), None, "(NewReason)"),
        (of(a_condition("Ready", "False", "TokenMissing")), None, "spec.auth.tokenSecretRef"),
        (
            of(a_condition("Ready", "False", "Starting")),
            a_pod(waiting="ImagePullBackOff"),
            "kubectl describe pod ada-1 -n default",
        ),
        (of(a_condition("Ready", "True", "Answering")), None, "{va} ask ada -n default"),
        (of(a_condition("Ready", "False", "Starting")), None, "kubectl wait va/ada -n default"),
    ],
)
def test_the_next_step(manifest: dict[str, Any], pod: dict[str, Any] | None, step: str) -> None:
    pods = [parse_pod(pod)] if pod else []
    assert step in next_step(parse_assistant(manifest), pods)
