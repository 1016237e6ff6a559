"""Alerts, dashboard, exported metrics and the page about operations are in step."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from support.builders import IMAGES, an_assistant
from support.cluster import ROOT
from va_operator.api import parse
from va_operator.health import LAG_SECONDS, PROOF_SECONDS, STALE_SECONDS, STUCK_SECONDS
from va_operator.metrics import Metrics, Present
from va_operator.resources.metadata import INSTANCE_LABEL
from va_operator.resources.pod_template import build_template

MONITORING = ROOT / "deploy" / "monitoring"
PAGE = (ROOT / "docs" / "operations.md").read_text()
OWN = re.compile(r"\b(?:va_operator|process)_\w+")
LABELS = re.compile(r"\b(\w+)\s*(?:=~|!~|!=|=)\s*\"")
FROM_PROMETHEUS = {"namespace", "instance"}
"""Labels that scraping adds."""


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    body: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text())
    return body


def shown() -> Iterator[str]:
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def exported() -> dict[str, set[str]]:
    """Return the names that `/metrics` really tells, with their labels."""
    metrics = Metrics()
    metrics.reconciled(1, None, now=1)
    metrics.requested("get", "pods", 200, 1)
    metrics.watch_ended("pods", "ended")
    metrics.asked(answered=True)
    assistant = parse(
        {
            "metadata": {
                "name": "a", "namespace": "b", "uid": "c", "resourceVersion": "1", "generation": 1,
            },
            "spec": {"replicas": 1, "context": {"files": [{"name": "a.md", "inline": "A."}]}},
        }
    )  # fmt: skip
    metrics.show(
        Present(
            waiting=lambda: 0,
            in_work=lambda: 0,
            leading=lambda: True,
            lag=lambda: 0.0,
            unusable=lambda: 0,
            upgrades=lambda: {"under_way": 0, "waiting": 0},
            assistants=lambda: [assistant],
        )
    )
    found: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_alerts_and_dashboard_use_only_metrics_and_labels_that_there_are() -> None:
    there = exported()
    for expression in [*(rule["expr"] for rule in rules()), *shown()]:
        names = set(OWN.findall(expression))
        assert names, expression
        assert names <= set(there), expression
        allowed = FROM_PROMETHEUS.union(*(there[name] for name in names))
        used = set(LABELS.findall(expression))
        for clause in re.findall(r"\b(?:by|without|on) \(([^)]*)\)", expression):
            used.update(label.strip() for label in clause.split(","))
        assert used <= allowed, expression


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    text = " ".join(shown())
    missing = {
        name
        for name in exported()
        if name.startswith("va_operator_")
        and not name.endswith(("_created", "_sum", "_count"))
        and name not in text
    }
    assert missing == set()


def test_panels_do_not_overlap_and_have_ids_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_the_custom_resource_holds_the_same_rules() -> None:
    resource = yaml.safe_load((MONITORING / "prometheus-rule.yaml").read_text())
    assert resource["kind"] == "PrometheusRule"
    assert resource["spec"] == yaml.safe_load((MONITORING / "alerts.yaml").read_text())


def test_what_is_measured_is_what_is_installed() -> None:
    monitor = yaml.safe_load((MONITORING / "pod-monitor.yaml").read_text())["spec"]
    deployment = yaml.safe_load((ROOT / "deploy" / "kustomize" / "operator.yaml").read_text())
    pod = deployment["spec"]["template"]
    assert monitor["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    ports = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
    assert {end["port"] for end in monitor["podMetricsEndpoints"]} <= ports


def test_the_assistants_are_measured_where_their_pods_are_asked() -> None:
    monitor = yaml.safe_load((MONITORING / "pod-monitor-assistants.yaml").read_text())["spec"]
    pod = build_template(an_assistant(), "3f2a91c0de", IMAGES)
    assert monitor["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    [ports] = [container["ports"] for container in pod["spec"]["containers"]]
    [measured] = monitor["podMetricsEndpoints"]
    assert measured["port"] in {port["name"] for port in ports}
    label = "__meta_kubernetes_pod_label_" + re.sub(r"\W", "_", INSTANCE_LABEL)
    assert measured["relabelings"] == [{"sourceLabels": [label], "targetLabel": "assistant"}]


def test_each_alert_is_explained_and_nothing_else_is() -> None:
    headings = set(re.findall(r"^### (VirtualAssistant\w+)$", PAGE, re.MULTILINE))
    assert headings == {rule["alert"] for rule in rules()}


def test_each_alert_says_how_bad_it_is_and_what_is_so() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"].endswith(".")


def test_the_page_names_the_bounds_of_health() -> None:
    for seconds in (STALE_SECONDS, PROOF_SECONDS, STUCK_SECONDS, LAG_SECONDS):
        assert f"{seconds:.0f} seconds" in PAGE
