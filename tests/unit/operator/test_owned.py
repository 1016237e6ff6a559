"""Our fields, taken out of objects as a real API server returned them."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.builders import EVERYTHING, IMAGES, OPENAI, an_assistant, managed
from va_operator.observed import read_child
from va_operator.owned import FIELD_MANAGER, bare, left_out, owned_fields, same
from va_operator.resources.deployment import build_deployment
from va_operator.resources.service import build_service
from va_operator.template_stamp import is_intact, stamp_in

SAMPLES = json.loads((Path(__file__).parents[2] / "support" / "managed_fields.json").read_text())
ASSISTANT = an_assistant(namespace="t1", model=OPENAI, replicas=0)
DEPLOYMENT = build_deployment(ASSISTANT, "3f2a91c0de", IMAGES)


def test_what_was_sent_comes_back_as_it_was() -> None:
    owned = owned_fields(SAMPLES["plain"])

    assert same(DEPLOYMENT, owned)
    assert owned["spec"] == bare(DEPLOYMENT["spec"])


def test_all_that_can_be_asked_of_pods_comes_back_as_it_was_sent() -> None:
    asked = build_deployment(
        an_assistant(namespace="t1", replicas=0, **EVERYTHING), "3f2a91c0de", IMAGES
    )
    assert same(asked, owned_fields(SAMPLES["everything"]))
    stamp = stamp_in(asked)
    assert stamp is not None
    assert is_intact(read_child(SAMPLES["everything"]), stamp)


def test_a_service_has_more_fields_than_we_own() -> None:
    owned = owned_fields(SAMPLES["service"])

    assert same(build_service(ASSISTANT), owned)
    assert SAMPLES["service"]["spec"]["ports"][0]["nodePort"]
    assert "nodePort" not in owned["spec"]["ports"][0]


def test_what_others_added_does_not_count() -> None:
    body = SAMPLES["foreign"]
    names = [container["name"] for container in body["spec"]["template"]["spec"]["containers"]]

    assert "sidecar" in names
    assert body["metadata"]["labels"]["team"] == "blue"
    assert same(DEPLOYMENT, owned_fields(body))


def test_a_field_that_somebody_changed_is_no_longer_ours() -> None:
    body = SAMPLES["edited"]
    owned = owned_fields(body)

    assert "image" not in owned["spec"]["template"]["spec"]["containers"][0]
    assert "app.kubernetes.io/name" not in owned["metadata"]["labels"]
    assert not same(DEPLOYMENT, owned)


def test_a_field_that_we_no_longer_send_still_differs() -> None:
    without_key = build_deployment(an_assistant(namespace="t1", replicas=0), "3f2a91c0de", IMAGES)
    assert not same(without_key, owned_fields(SAMPLES["plain"]))


@pytest.mark.parametrize(
    "entry",
    [
        managed({"f:data": {}}, manager="kubectl"),
        managed({"f:data": {}}, how="Update"),
        {**managed({"f:data": {}}), "subresource": "status"},
    ],
    ids=["of somebody else", "not applied", "of a subresource"],
)
def test_only_what_we_applied_ourselves_is_ours(entry: dict[str, Any]) -> None:
    assert owned_fields({"metadata": {"managedFields": [entry]}, "data": {"a": "b"}}) == {}


def test_an_object_without_managed_fields_has_nothing_of_ours() -> None:
    assert owned_fields({"metadata": {}, "data": {"a": "b"}}) == {}


def of(fields: dict[str, Any], **body: Any) -> dict[str, Any]:
    return owned_fields({"metadata": {"managedFields": [managed(fields)]}, **body})


def test_items_of_a_list_are_found_by_all_their_keys() -> None:
    ports = [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP", "nodePort": 1}]
    key = 'k:{"port":53,"protocol":"UDP"}'
    fields: dict[str, Any] = {"f:ports": {key: {".": {}, "f:port": {}, "f:protocol": {}}}}

    assert of(fields, ports=ports) == {"ports": [{"port": 53, "protocol": "UDP"}]}


def test_items_of_a_set_are_found_by_their_value() -> None:
    fields: dict[str, Any] = {"f:finalizers": {'v:"ours"': {}}}
    assert of(fields, finalizers=["theirs", "ours"]) == {"finalizers": ["ours"]}


def test_a_field_that_is_gone_is_just_gone() -> None:
    assert of({"f:spec": {"f:a": {}, "f:b": {}}}, spec={"b": 1}) == {"spec": {"b": 1}}


def test_what_the_api_server_drops_does_not_count() -> None:
    wanted = {"metadata": {"name": "a", "labels": {"x": "y"}}, "spec": {"a": None, "b": [], "c": 1}}
    assert same(wanted, {"metadata": {"labels": {"x": "y"}}, "spec": {"c": 1, "d": {"e": {}}}})


@pytest.mark.parametrize(
    "owned",
    [
        {"metadata": {"labels": {"x": "z"}}, "spec": {"c": 1}},
        {"metadata": {"labels": {"x": "y"}}, "spec": {"c": 1, "d": 2}},
        {"metadata": {"labels": {"x": "y"}}, "spec": {}},
        {"metadata": {}, "spec": {"c": 1}},
        {},
    ],
)
def test_every_other_difference_counts(owned: dict[str, Any]) -> None:
    assert not same({"metadata": {"labels": {"x": "y"}}, "spec": {"c": 1}}, owned)


def test_the_field_manager_has_the_operators_name() -> None:
    assert FIELD_MANAGER == "virtual-assistant-operator"


def test_what_others_set_and_we_leave_out_is_taken_out() -> None:
    sent = {"replicas": 0, "revision": {"desired": "a"}, "context": {"bytes": 1}, "conditions": []}
    found = {
        **sent,
        "url": "http://evil.example/",
        "revision": {"desired": "a", "serving": "b"},
        "conditions": [{"type": "Theirs"}],
    }
    assert left_out(sent, found) == {"url": None, "revision": {"serving": None}}
    assert left_out(sent, sent) == {}
