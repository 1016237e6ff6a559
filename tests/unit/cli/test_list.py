"""`va list` looks as kubectl's lists do."""

from __future__ import annotations

import json

import pytest
import yaml

from support.cli_run import FakeCluster, a_condition, an_assistant, run_va


@pytest.fixture
def cluster() -> FakeCluster:
    starting = a_condition("Ready", "False", "Starting", "the first\npods start")
    return FakeCluster(
        [
            an_assistant("bob", conditions=[starting], readyReplicas=0, revision={}),
            an_assistant("ada", url="http://10.0.0.1:30080"),
            an_assistant("eve", namespace="hr"),
        ]
    )


def without_age(text: str) -> list[list[str]]:
    return [line.split()[:-1] for line in text.splitlines()]


def test_the_columns(cluster: FakeCluster) -> None:
    run = run_va("list", cluster=cluster)
    assert run.code == 0
    assert run.out.splitlines()[0].endswith("   AGE")
    assert without_age(run.out) == [
        ["NAME", "READY", "REPLICAS", "MODEL", "REVISION", "URL"],
        ["ada", "True", "2/2", "gpt-5-mini", "3f2a91c0de", "http://10.0.0.1:30080"],
        ["bob", "False", "0/2", "gpt-5-mini", "<none>", "<none>"],
    ]


def test_wide_says_why(cluster: FakeCluster) -> None:
    lines = run_va("list", "-o", "wide", cluster=cluster).out.splitlines()
    assert "REASON      MESSAGE                AGE" in lines[0]
    assert "Starting    the first pods start   " in lines[2]


def test_all_namespaces_have_a_column(cluster: FakeCluster) -> None:
    rows = without_age(run_va("list", "-A", cluster=cluster).out)
    assert [row[:2] for row in rows] == [
        ["NAMESPACE", "NAME"],
        ["default", "ada"],
        ["default", "bob"],
        ["hr", "eve"],
    ]


def test_the_namespace_and_the_selector(cluster: FakeCluster) -> None:
    run = run_va("list", "-n", "hr", "-l", "team=hr", "-o", "name", cluster=cluster)
    assert run.out == "virtualassistant.virtualassistant.dev/eve\n"
    assert cluster.selectors == ["team=hr"]


def test_machine_formats_are_the_objects_themselves(cluster: FakeCluster) -> None:
    forced = {"CLICOLOR_FORCE": "1"}
    as_json = run_va("list", "-o", "json", cluster=cluster, environment=forced).out
    as_yaml = run_va("list", "-o", "yaml", cluster=cluster, environment=forced).out
    expected = {"apiVersion": "v1", "kind": "List", "items": [cluster.items[1], cluster.items[0]]}
    assert json.loads(as_json) == yaml.safe_load(as_yaml) == expected


def test_none_is_said_beside_the_output() -> None:
    run = run_va("list", cluster=FakeCluster())
    assert (run.code, run.out) == (0, "")
    assert run.err == "va: no assistants found in namespace 'default'\n"
    assert run_va("list", "-A", cluster=FakeCluster()).err.endswith("in any namespace\n")
    assert json.loads(run_va("list", "-o", "json", cluster=FakeCluster()).out)["items"] == []


def test_colour_does_not_move_the_columns(cluster: FakeCluster) -> None:
    plain = run_va("list", cluster=cluster).out
    run = run_va("list", cluster=cluster, environment={"CLICOLOR_FORCE": "1"})
    assert "\x1b[32mTrue\x1b[0m" in run.out
    assert "\x1b[31mFalse\x1b[0m" in run.out
    for code in ("\x1b[32m", "\x1b[31m", "\x1b[0m"):
        run = run.__class__(run.code, run.out.replace(code, ""), run.err)
    assert run.out.splitlines()[0] == plain.splitlines()[0]
    assert without_age(run.out) == without_age(plain)


def test_what_the_operator_has_not_seen_is_unknown() -> None:
    manifest = an_assistant()
    del manifest["status"]
    assert run_va("list", cluster=FakeCluster([manifest])).out.splitlines()[1].split()[:6] == [
        "ada",
        "Unknown",
        "0/2",
        "<none>",
        "<none>",
        "<none>",
    ]
