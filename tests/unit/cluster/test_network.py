import base64
import json
import struct

from va_cluster import network, probe
from va_cluster.engine import Engine
from va_cluster.network import NodeNetwork
from va_cluster.readiness import cluster_address, unready_nodes
from va_cluster.shell import Result

from .fakes import FAILED, OK, shell

A = NodeNetwork("va-control-plane", "172.18.0.2", "10.244.0.0/24")
B = NodeNetwork("va-worker", "172.18.0.3", "10.244.1.0/24")


def node(name: str, address: str, pods: str | None, *, ready: bool = True) -> dict:
    return {
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"podCIDR": pods} if pods else {},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": address},
                {"type": "Hostname", "address": name},
            ],
            "conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": "True" if ready else "False"},
            ],
        },
    }


def service(namespace: str, name: str, address: str) -> dict:
    metadata = {"namespace": namespace, "name": name}
    return {"kind": "Service", "metadata": metadata, "spec": {"clusterIP": address}}


def test_nodes_without_a_subnet_are_not_connected_yet() -> None:
    listing = json.dumps(
        {"items": [node(A.name, A.address, A.pods), node(B.name, B.address, None)]}
    )
    assert network.parse_nodes(listing) == (A,)


def test_every_node_learns_the_way_to_every_other_one() -> None:
    assert network.route_commands((A, B)) == (
        (
            "docker", "exec", "va-control-plane",
            "ip", "route", "replace", "10.244.1.0/24", "via", "172.18.0.3",
        ),
        (
            "docker", "exec", "va-worker",
            "ip", "route", "replace", "10.244.0.0/24", "via", "172.18.0.2",
        ),
    )  # fmt: skip
    assert network.route_commands((A,)) == ()


def test_the_network_and_its_wall_are_made_once() -> None:
    nothing = shell(lambda argv: FAILED if "inspect" in argv or "--check" in argv else OK)
    network.ensure_network(Engine(private=True, version="26", shell=nothing))
    made = [words for words in nothing.ran if "create" in words or "--insert" in words]
    assert [words[0] for words in made] == ["docker", "iptables"]
    there = shell()
    network.ensure_network(Engine(private=True, version="26", shell=there))
    assert not any("create" in words or "--insert" in words for words in there.ran)


def test_the_wall_is_around_our_bridge_alone() -> None:
    rule = " ".join(network.wall_rule())
    assert rule == ("DOCKER-USER --in-interface va-kind ! --out-interface va-kind --jump REJECT")
    assert "com.docker.network.bridge.name=va-kind" in network.network_command()


def test_readiness_counts_ready_nodes() -> None:
    objects = [node("a", "1", "p"), node("b", "2", "p", ready=False), service("d", "s", "1")]
    assert unready_nodes(objects, 2) == "1 of 2 nodes ready"
    assert unready_nodes(objects, 1) == ""


def test_a_service_is_found_by_its_namespace_too() -> None:
    objects = [
        node("a", "1", "p"),
        service("x", "dns", "10.0.0.1"),
        service("y", "dns", "10.0.0.2"),
    ]
    assert cluster_address(objects, "y", "dns") == "10.0.0.2"
    assert cluster_address(objects, "z", "dns") == ""


def dns_answer(address: bytes, *, identity: int = probe.QUERY_ID, flags: int = 0x8180) -> bytes:
    question = probe.query(probe.API_NAME)[2:][12:]
    record = b"\xc0\x0c" + struct.pack(">2HIH", 1, 1, 5, 4) + address
    return struct.pack(">6H", identity, flags, 1, 1, 0, 0) + question + record


def test_the_question_is_the_one_of_dns_over_tcp() -> None:
    data = probe.query("a.bc")
    assert struct.unpack(">H", data[:2])[0] == len(data) - 2
    assert data[14:] == b"\x01a\x02bc\x00\x00\x01\x00\x01"
    assert probe.escaped(b"\x01a") == "\\x01\\x61"


def test_the_answer_holds_the_address() -> None:
    assert probe.addresses(dns_answer(b"\x0a\x60\x00\x01")) == ("10.96.0.1",)
    said = base64.b64encode(dns_answer(b"\x0a\x60\x00\x01")).decode()
    assert probe.answered(said, "10.96.0.1")
    assert not probe.answered(said, "10.96.0.2")


def test_an_error_or_a_torn_message_is_no_answer() -> None:
    good = dns_answer(b"\x0a\x60\x00\x01")
    assert probe.addresses(dns_answer(b"\x0a\x60\x00\x01", flags=0x8183)) == ()
    assert probe.addresses(dns_answer(b"\x0a\x60\x00\x01", identity=1)) == ()
    for length in range(len(good)):
        assert probe.addresses(good[:length]) in {(), ("10.96.0.1",)}
    assert not probe.answered("not base64!", "10.96.0.1")
    assert not probe.answered("", "10.96.0.1")


def test_the_probe_asks_from_inside_the_node() -> None:
    words = probe.command("va-worker", "10.96.0.10", "10.96.0.1")
    assert words[:4] == ("docker", "exec", "va-worker", "bash")
    assert words[-3] == "10.96.0.10"
    assert words[-1] == "10.96.0.1"
    assert Result(probe.NO_POD, "", "").ok is False
