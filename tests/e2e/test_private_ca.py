"""A model server whose certificate no public authority has signed."""

from pathlib import Path

import pytest

from support.asking import ask, wait_until_open
from support.certificates import Authority, make_authority
from support.cluster import Cluster, Manifest
from support.product import a_key, an_assistant, local_url, with_stub
from support.stub_model import KEY, StubModel

pytestmark = pytest.mark.usefixtures("operator")

TEXT = "The animal is a dog.\n"
MODEL = "behind-tls"
"""Named so that the requests of these tests are told from others in the server's log."""


def a_ca(cluster: Cluster, namespace: str, name: str, authority: Authority) -> None:
    metadata = {"name": name}
    data = {"ca.crt": authority.pem}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    cluster.apply(manifest, namespace)


def trusting(name: str) -> Manifest:
    return {"caConfigMapRef": {"name": name, "key": "ca.crt"}}


def asked(stub: StubModel) -> list[Manifest]:
    """Return the requests that came through."""
    return [one for one in stub.log() if one["body"]["model"] == MODEL]


def said(cluster: Cluster, namespace: str) -> dict[str, str]:
    return {
        type_: "{status}/{reason}".format(**cluster.condition("ada", type_, namespace))
        for type_ in ("Ready", "Available", "ModelReachable", "Degraded", "Stalled")
    }


def test_only_a_server_that_the_ca_vouches_for_is_told_anything(
    cluster: Cluster,
    namespace: str,
    stub: StubModel,
    authority: Authority,
    node_port: int,
    tmp_path: Path,
) -> None:
    a_key(cluster, namespace)
    a_ca(cluster, namespace, "right", authority)
    a_ca(cluster, namespace, "wrong", make_authority(tmp_path))
    model = with_stub(stub, MODEL, baseURL=stub.tls_base_url, **trusting("wrong"))
    cluster.apply(an_assistant(text=TEXT, service={"nodePort": node_port}, **model), namespace)

    told = cluster.wait_for("ada", namespace, "Stalled", reason="TLSFailed")
    assert MODEL in told["message"]
    assert said(cluster, namespace) == {
        "Ready": "False/TLSFailed",
        "Available": "False/NoPodReady",
        "ModelReachable": "False/TLSFailed",
        "Degraded": "True/TLSFailed",
        "Stalled": "True/TLSFailed",
    }
    assert not asked(stub), "neither the key nor the text has left the pod"

    cluster.patch("va", "ada", namespace, {"spec": {"model": trusting("right")}})
    cluster.wait_for("ada", namespace)
    url = local_url(node_port)
    wait_until_open(url)
    assert ask(url, "Which animal?").text == TEXT
    assert cluster.condition("ada", "ModelReachable", namespace)["reason"] == "ModelAnswered"
    assert {one["key"] for one in asked(stub)} == {KEY}
    serving = (cluster.get("va", "ada", namespace) or {})["status"]["revision"]["serving"]

    cluster.patch("va", "ada", namespace, {"spec": {"model": trusting("wrong")}})
    cluster.wait_for("ada", namespace, status="False", reason="TLSFailed")
    cluster.wait_for("ada", namespace, "ModelReachable", status="False", reason="TLSFailed")
    assert cluster.condition("ada", "Available", namespace)["status"] == "True"
    reply = ask(url, "Which animal?")
    assert (reply.text, reply.headers["x-revision"]) == (TEXT, serving)
