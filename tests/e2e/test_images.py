"""The images as they were built."""

import json
import re
import tomllib
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from support.cluster import ROOT, Cluster
from support.product import Operator
from support.script_pod import script_container, script_pod

LIST = """
import json, sysconfig
from importlib.metadata import distributions
from pathlib import Path
place = sysconfig.get_path("purelib")
packages = {one.metadata["Name"]: one.version for one in distributions(path=[place])}
print(json.dumps({"packages": packages, "pth": [one.name for one in Path(place).glob("*.pth")]}))
"""
CHECK = """
from va_assistant.embedded import check_weights
check_weights()
"""


@pytest.fixture(scope="module")
def inside(cluster: Cluster, operator: Operator) -> Iterator[dict[str, Any]]:
    """What each image has in it, by its name; the weights of the model's were checked."""
    namespace = f"test-images-{uuid.uuid4().hex[:8]}"
    images = operator.images()
    containers = [
        script_container(name, image, "python3", "-c", LIST) for name, image in images.items()
    ]
    checking = script_container("weights", images["model"], "python3", "-c", CHECK)
    cluster.kubectl("create", "namespace", namespace)
    try:
        cluster.apply(script_pod("images", *containers, checking, restartPolicy="Never"), namespace)
        cluster.kubectl(
            "-n",
            namespace,
            "wait",
            "pod/images",
            "--for=jsonpath={.status.phase}=Succeeded",
            "--timeout=60s",
        )
        yield {
            name: json.loads(cluster.kubectl("-n", namespace, "logs", "images", "-c", name))
            for name in images
        }
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_an_image_has_the_packages_of_the_lock_and_none_that_only_tests_need(
    inside: dict[str, Any],
) -> None:
    ours = {
        "operator": {"va-operator"},
        "assistant": {"va-assistant"},
        "model": {"va-assistant", "va-reranker"},
    }
    lock = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    locked = {(package["name"], package["version"]) for package in lock}
    for image, found in inside.items():
        packages = {(normal(name), version) for name, version in found["packages"].items()}
        assert packages <= locked, image
        names = {name for name, _ in packages}
        assert {name for name in names if name.startswith("va-")} == ours[image]
        assert not names & {"pip", "setuptools", "pytest", "ruff"}, image


def test_no_package_of_an_image_runs_code_whenever_python_starts(inside: dict[str, Any]) -> None:
    assert not {image: found["pth"] for image, found in inside.items() if found["pth"]}
