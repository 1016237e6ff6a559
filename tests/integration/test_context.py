"""The context: what follows it, and what happens while it is not there."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.api_objects import Objects
from support.builders import a_manifest, referring
from support.cluster import Manifest


@pytest.fixture
def namespace(watched: Iterator[str]) -> str:
    """The next of the namespaces that the module's operator watches."""
    return next(watched)


def a_source(text: str = "Ada works.", key: str = "cv.md") -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ada-cv"},
            "data": {key: text}}  # fmt: skip


def an_assistant(**spec: Any) -> Manifest:
    return a_manifest(context=referring("ada-cv"), **{"replicas": 0, **spec})


def desired(objects: Objects) -> str:
    status = objects.get("va").get("status", {})
    found: str = status.get("revision", {}).get("desired", "")
    return found


def mounted(objects: Objects) -> str:
    volumes = objects.get("deployment")["spec"]["template"]["spec"]["volumes"]
    [name] = [v["configMap"]["name"] for v in volumes if v["name"] == "revision"]
    found: str = name
    return found


def test_a_change_of_the_text_is_a_new_revision(objects: Objects) -> None:
    objects.create(a_source())
    objects.apply(an_assistant())
    objects.settled()
    before = desired(objects)

    objects.create(a_source("Ada rests."))
    objects.until(lambda: desired(objects) not in {"", before})
    assert mounted(objects) == f"ada-{desired(objects)}"
    data = objects.get("configmap", mounted(objects))["data"]
    assert data["context.ada-cv.md"] == "Ada rests."


def test_a_text_that_comes_later_is_found(objects: Objects) -> None:
    objects.apply(an_assistant())
    found = objects.wait_for("ContextResolved", reason="ContextNotFound")
    assert "'ada-cv' does not" in found["message"]
    assert objects.find("deployment") is None

    objects.create(a_source(key="other.md"))
    found = objects.wait_for("ContextResolved", reason="ContextKeyNotFound")
    assert "'other.md'" in found["message"]

    objects.create(a_source())
    objects.wait_for("ContextResolved", status="True")
    objects.get("deployment")


def test_a_text_that_goes_leaves_the_pods_alone(objects: Objects) -> None:
    objects.create(a_source())
    objects.apply(an_assistant(replicas=1))
    objects.settled()
    before = objects.get("deployment")

    objects.kubectl("delete", "configmap", "ada-cv")
    objects.wait_for("ContextResolved", reason="ContextNotFound")
    objects.quiet()
    assert objects.get("deployment")["metadata"]["generation"] == before["metadata"]["generation"]

    objects.kubectl("scale", "va/ada", "--replicas=2")
    objects.until(lambda: objects.get("deployment")["spec"]["replicas"] == 2)
    assert objects.get("deployment")["spec"]["template"] == before["spec"]["template"]

    objects.create(a_source())
    objects.wait_for("ContextResolved", status="True")
    assert objects.get("deployment")["spec"]["template"] == before["spec"]["template"]


def test_a_warning_is_told_as_an_event_once(objects: Objects) -> None:
    objects.apply(an_assistant())
    objects.wait_for("ContextResolved", reason="ContextNotFound")
    objects.quiet()
    events = [event for event in objects.list("events", "") if event["reason"] == "ContextNotFound"]

    [event] = events  # `Ready` tells it; `ContextResolved` would only repeat that.
    assert event["message"].startswith("Ready: ")
    assert event["type"] == "Warning"
    assert "ContextNotFound" in objects.kubectl("describe", "va", "ada")


def test_old_revisions_go(objects: Objects) -> None:
    objects.create(a_source())
    objects.apply(an_assistant())
    objects.settled()
    for number in range(6):
        before = desired(objects)
        objects.create(a_source(f"text {number}"))
        objects.until(lambda before=before: desired(objects) not in {"", before})

    objects.until(lambda: len(objects.list("configmaps")) == 4)
    assert objects.find("configmap", mounted(objects))
    assert objects.find("configmap", "ada-cv")


def test_one_text_serves_many_assistants(objects: Objects) -> None:
    objects.create(a_source())
    names = ["ada", "bob", "eve"]
    for name in names:
        objects.apply({**an_assistant(), "metadata": {"name": name}})
    objects.settled(names)
    objects.create(a_source("Ada rests."))

    objects.until(lambda: len(objects.list("configmaps")) == 6)


def test_a_large_text_fits(objects: Objects) -> None:
    objects.create(a_source("é" * 499_000))
    objects.apply(an_assistant(model={"name": "big", "baseURL": "http://x/v1"}))
    objects.wait_for("ContextResolved", status="True")
    objects.get("deployment")


def test_a_binary_text_is_told(objects: Objects) -> None:
    objects.create({**a_source(), "data": {}, "binaryData": {"cv.md": "AP8="}})
    objects.apply(an_assistant())
    objects.wait_for("ContextResolved", reason="ContextNotText")
