"""The alerts fire on what they are for and on nothing else, as Prometheus evaluates them."""

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

from support.cluster import ROOT
from va_cluster.cache import Cache, Entry
from va_cluster.settings import cache_folder

RULES = ROOT / "deploy" / "monitoring" / "alerts.yaml"
CASES = Path(__file__).with_name("alerts_test.yaml")

PROMTOOL: Final = "v0.316.0"
"""Prometheus 3.16, as Go names it. Without service discovery, and with it most of its modules."""
BUILD: Final = (
    "go", "install", "-tags", "remove_all_sd",
    f"github.com/prometheus/prometheus/cmd/promtool@{PROMTOOL}",
)  # fmt: skip


@pytest.fixture(scope="module")
def promtool() -> Path:
    """Build promtool where it is not in the cache yet: six minutes on two cores."""
    cache = Cache(cache_folder(os.environ), on_wait=lambda name: None)

    def build(folder: Path) -> None:
        with cache.scratch("promtool") as go:  # 3 GB that only this build can use
            environment = {
                **os.environ,
                "CGO_ENABLED": "0",
                "GOBIN": str(folder),
                "GOFLAGS": "-modcacherw -trimpath",
                "GOCACHE": str(go / "build"),
                "GOMODCACHE": str(go / "mod"),
            }
            subprocess.run(BUILD, env=environment, check=True, timeout=1500)

    return cache.ensure(Entry("binaries", "promtool", PROMTOOL), build) / "promtool"


@pytest.mark.timeout(1800)
def test_prometheus_reads_the_rules(promtool: Path) -> None:
    done = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout


def test_each_alert_fires_on_what_it_is_for_and_is_quiet_otherwise(promtool: Path) -> None:
    done = subprocess.run([promtool, "test", "rules", CASES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout


def test_each_alert_is_tried_in_both_ways() -> None:
    tried = {case["name"]: case["alert_rule_test"][0] for case in _read(CASES)["tests"]}
    for rule in _read(RULES)["groups"][0]["rules"]:
        name = rule["alert"]
        assert tried[f"{name} fires"]["alertname"] == name
        assert tried[f"{name} fires"]["exp_alerts"]
        assert tried[f"{name} is quiet"]["alertname"] == name
        assert tried[f"{name} is quiet"]["exp_alerts"] == []


def _read(path: Path) -> dict[str, list[dict[str, list[dict[str, str]]]]]:
    body: dict[str, list[dict[str, list[dict[str, str]]]]] = yaml.safe_load(path.read_text())
    return body
