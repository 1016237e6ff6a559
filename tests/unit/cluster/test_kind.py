from pathlib import Path

import yaml

from va_cluster import kind
from va_cluster.cache import Cache
from va_cluster.engine import Engine
from va_cluster.kind import Node, Record
from va_cluster.shell import Result

from .fakes import shell

NAME = "virtual-assistant"


def config(name: str = NAME, nodes: int = 1, *, own_image: bool = True) -> dict:
    return yaml.safe_load(kind.config_text(name, nodes, own_image=own_image))


def test_roles_follow_the_number_of_nodes() -> None:
    assert [node["role"] for node in config(nodes=3)["nodes"]] == [
        "control-plane",
        "worker",
        "worker",
    ]


def test_the_usual_cluster_has_its_node_ports_on_loopback() -> None:
    mappings = config(nodes=2)["nodes"][0]["extraPortMappings"]
    assert [one["hostPort"] for one in mappings] == list(range(30000, 30032))
    assert all(one["containerPort"] == one["hostPort"] for one in mappings)
    assert {one["listenAddress"] for one in mappings} == {"127.0.0.1"}


def test_a_cluster_of_another_name_takes_no_host_ports() -> None:
    assert all("extraPortMappings" not in node for node in config("trial", 2)["nodes"])


def test_the_own_image_brings_its_own_pod_network_and_cgroup_driver() -> None:
    own, public = config(own_image=True), config(own_image=False)
    assert own["networking"] == {"disableDefaultCNI": True}
    assert "networking" not in public
    drivers = [yaml.safe_load(patch).get("cgroupDriver") for patch in own["kubeadmConfigPatches"]]
    assert "cgroupfs" in drivers
    assert all("cgroupDriver" not in patch for patch in public["kubeadmConfigPatches"])


def test_etcd_does_not_wait_for_the_disk_in_both_of_kubeadm_s_formats() -> None:
    patches = [yaml.safe_load(patch) for patch in config()["kubeadmConfigPatches"]]
    arguments = {
        one["apiVersion"]: one["etcd"]["local"]["extraArgs"] for one in patches if "etcd" in one
    }
    assert arguments == {
        "kubeadm.k8s.io/v1beta3": {"unsafe-no-fsync": "true"},
        "kubeadm.k8s.io/v1beta4": [{"name": "unsafe-no-fsync", "value": "true"}],
    }


def test_without_an_image_kind_takes_its_own() -> None:
    command = kind.create_command("/bin/kind", NAME, Path("/k.yaml"), None)
    assert command == (
        "/bin/kind", "create", "cluster", "--name", NAME, "--config", "/k.yaml",
    )  # fmt: skip
    assert kind.create_command("kind", NAME, Path("k"), "own:1")[-2:] == ("--image", "own:1")


def test_nodes_are_read_in_the_order_of_their_names() -> None:
    listing = "/va-worker\t2b\trunning\t10:01\n/va-control-plane\t1a\tpaused\t10:00\n"
    assert kind.parse_nodes(listing) == (
        Node("1a", "va-control-plane", "paused", "10:00"),
        Node("2b", "va-worker", "running", "10:01"),
    )


def test_no_containers_are_no_nodes() -> None:
    fake = shell(lambda argv: Result(0, "", ""))
    assert kind.list_nodes(Engine(private=True, version="26", shell=fake), NAME) == ()
    assert len(fake.ran) == 1


def test_the_record_survives_and_damage_is_no_record(tmp_path: Path) -> None:
    cache = Cache(tmp_path, lambda name: None)
    assert kind.read_record(cache, NAME) is None
    kind.kubeconfig(cache, NAME).parent.mkdir(parents=True)
    record = Record(("1a 10:00",), "own:1")
    kind.write_record(cache, NAME, record)
    assert kind.read_record(cache, NAME) == record
    assert kind.recorded_clusters(cache) == (NAME,)
    (kind.kubeconfig(cache, NAME).parent / "cluster.json").write_text('{"nodes": [')
    assert kind.read_record(cache, NAME) is None
