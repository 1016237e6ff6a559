"""`va version` says what can be known, and no more."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from support.cli_run import FakeCluster, an_assistant, run_va
from va_cli.cluster import ClusterUnreachable


def an_operator(labels: dict[str, str] | None = None) -> dict[str, Any]:
    image = "registry:5000/virtual-assistant/operator:0.1.0"
    return {
        "metadata": {"name": "operator", "namespace": "va-system", "labels": labels},
        "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
    }


def test_the_version_of_the_program_alone_needs_no_cluster() -> None:
    run = run_va("--version")
    assert (run.code, run.out, run.err) == (0, f"va {version('va-cli')}\n", "")


def test_all_sides() -> None:
    cluster = FakeCluster([an_assistant()], deployment_items=[an_operator()])
    assert run_va("version", cluster=cluster).out.splitlines() == [
        f"va          {version('va-cli')}",
        "Kubernetes  v1.34.4",
        "operator    0.1.0 (registry:5000/virtual-assistant/operator:0.1.0)",
        "ada         revision 3f2a91c0de",
    ]
    assert json.loads(run_va("version", "-o", "json", cluster=cluster).out) == {
        "cli": version("va-cli"),
        "kubernetes": "v1.34.4",
        "operator": {
            "version": "0.1.0",
            "image": "registry:5000/virtual-assistant/operator:0.1.0",
            "namespace": "va-system",
        },
        "assistants": [{"name": "ada", "namespace": "default", "revision": "3f2a91c0de"}],
    }


def test_the_operators_label_goes_before_its_tag() -> None:
    labels = {"app.kubernetes.io/version": "0.2.0"}
    cluster = FakeCluster(deployment_items=[an_operator(labels)])
    assert "operator    0.2.0 (" in run_va("version", cluster=cluster).out


def test_without_a_cluster_it_is_this_program_alone() -> None:
    gone = ClusterUnreachable("The cluster cannot be reached.", why="refused", next_step="…")
    run = run_va("version", "-o", "json", cluster=FakeCluster(failure=gone))
    assert run.code == 0
    assert json.loads(run.out) == {
        "cli": version("va-cli"),
        "kubernetes": None,
        "operator": None,
        "assistants": None,
    }
    assert run.err == "va: The cluster cannot be reached. refused\n"
    assert run_va("version", environment={"KUBECONFIG": "/nonexistent"}).code == 0


def test_a_cluster_that_was_asked_for_must_be_there() -> None:
    assert run_va("version", "--kubeconfig", "/nonexistent").code == 2


def test_what_may_not_be_read_is_unknown() -> None:
    cluster = FakeCluster(forbidden=frozenset({"deployments", "assistants"}))
    run = run_va("version", cluster=cluster)
    assert run.out.splitlines()[1:] == ["Kubernetes  v1.34.4"]
    assert run.err.splitlines() == [
        "va: operator: deployments is forbidden",
        "va: assistants: assistants is forbidden",
    ]
