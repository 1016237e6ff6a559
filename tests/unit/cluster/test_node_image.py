import json
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from va_cluster import base_image, node_image, oci
from va_cluster.corefile import without_upstream

LISTED = (
    "registry.k8s.io/kube-apiserver:v1.34.4",
    "registry.k8s.io/coredns/coredns:v1.12.1",
    "registry.k8s.io/pause:3.10.1",
    "registry.k8s.io/etcd:3.6.5-0",
)


def test_images_go_by_the_names_that_kubeadm_asks_for() -> None:
    assert node_image.image_for(LISTED, "etcd") == "registry.k8s.io/etcd:3.6.5-0"
    assert node_image.image_for(LISTED, "coredns") == "registry.k8s.io/coredns/coredns:v1.12.1"


def test_a_changed_file_changes_the_image_s_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = node_image.tag()
    assert node_image.tag() == before
    for path in node_image.FILES.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "entrypoint").write_text("#!/bin/sh\nexec /sbin/init\n")
    monkeypatch.setattr(node_image, "FILES", tmp_path)
    assert node_image.tag() != before


def test_every_file_of_the_node_has_its_place() -> None:
    names = {path.name for path in node_image.FILES.iterdir()}
    assert names == {*node_image.PLACES, "preload"}


def run_kubelet_cgroups(root: Path) -> None:
    subprocess.run(["/bin/sh", node_image.FILES / "kubelet-cgroups", root], check=True)


def test_the_kubelet_gets_every_controller_of_cgroup_v2(tmp_path: Path) -> None:
    for group in (tmp_path, tmp_path / "kubelet"):
        group.mkdir(exist_ok=True)
        (group / "cgroup.controllers").write_text("cpuset cpu hugetlb\n")
    (tmp_path / "init.scope").mkdir()
    (tmp_path / "cgroup.procs").write_text("0\n170\n42\n")
    run_kubelet_cgroups(tmp_path)
    passed_on = "+cpuset\n+cpu\n+hugetlb\n"
    assert (tmp_path / "cgroup.subtree_control").read_text() == passed_on
    assert (tmp_path / "kubelet/cgroup.subtree_control").read_text() == passed_on
    assert (tmp_path / "init.scope/cgroup.procs").read_text() == "170\n42\n"


def test_what_cgroup_v2_refuses_keeps_no_kubelet_from_starting(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu\n")
    (tmp_path / "cgroup.procs").write_text("42\n")
    (tmp_path / "cgroup.subtree_control").mkdir()
    run_kubelet_cgroups(tmp_path)
    assert (tmp_path / "kubelet").is_dir()


def test_the_kubelet_s_cpuset_of_cgroup_v1_has_cpus(tmp_path: Path) -> None:
    for controller in ("cpuset", "memory"):
        (tmp_path / controller).mkdir()
    (tmp_path / "cpuset/cpuset.cpus").write_text("0-1\n")
    (tmp_path / "cpuset/cpuset.mems").write_text("0\n")
    run_kubelet_cgroups(tmp_path)
    assert (tmp_path / "memory/kubelet").is_dir()
    assert (tmp_path / "cpuset/kubelet/cpuset.cpus").read_text() == "0-1\n"
    assert (tmp_path / "cpuset/kubelet/cpuset.mems").read_text() == "0\n"


def test_containerd_s_unit_loses_its_limits() -> None:
    unit = "[Service]\nExecStart=/usr/bin/containerd\nLimitNOFILE=infinity\nOOMScoreAdjust=-999\n"
    assert node_image.without_limits(unit) == "[Service]\nExecStart=/usr/bin/containerd\n"


def test_libraries_are_those_that_ldd_found() -> None:
    ldd = """\
/usr/sbin/xtables-nft-multi:
\tlinux-vdso.so.1 (0x00007ffc)
\tlibxtables.so.12 => /lib/x86_64-linux-gnu/libxtables.so.12 (0x00007f)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f)
"""
    assert node_image.libraries(ldd) == (
        "/lib/x86_64-linux-gnu/libc.so.6",
        "/lib/x86_64-linux-gnu/libxtables.so.12",
        "/lib64/ld-linux-x86-64.so.2",
    )


def test_an_archive_is_a_whole_oci_image(tmp_path: Path) -> None:
    content = tmp_path / "content"
    (content / "usr/local/bin").mkdir(parents=True)
    (content / "usr/local/bin/pause").write_text("program")
    image = oci.Image("registry.k8s.io/pause:3.10.1", content, ("/usr/local/bin/pause",))
    oci.write_archive(image, "x86_64", tmp_path / "pause.tar")
    with tarfile.open(tmp_path / "pause.tar") as tar:
        files = {name: tar.extractfile(name) for name in tar.getnames()}
        read = {name: file.read() for name, file in files.items() if file}
    named = json.loads(read["index.json"])["manifests"][0]
    assert named["annotations"] == {"io.containerd.image.name": "registry.k8s.io/pause:3.10.1"}

    def blob(descriptor: dict) -> bytes:
        data = read["blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")]
        assert sha256(data).hexdigest() == descriptor["digest"].removeprefix("sha256:")
        assert len(data) == descriptor["size"]
        return data

    manifest = json.loads(blob(named))
    config = json.loads(blob(manifest["config"]))
    assert config["architecture"] == "amd64"
    assert config["config"]["Entrypoint"] == ["/usr/local/bin/pause"]
    assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]
    blob(manifest["layers"][0])
    assert list(tmp_path.glob("*.layer")) == []


def test_coredns_asks_nobody_outside() -> None:
    corefile = """\
.:53 {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
    }
    loop
    reload
}
"""
    assert (
        without_upstream(corefile)
        == """\
.:53 {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
    }
    prometheus :9153
    cache 30 {
       disable success cluster.local
    }
    reload
}
"""
    )


def test_a_forward_without_a_block_goes_alone() -> None:
    assert without_upstream(". {\n forward . 1.1.1.1\n reload\n}\n") == ". {\n reload\n}\n"


def test_the_base_image_changes_with_the_host_s_certificates(tmp_path: Path) -> None:
    (tmp_path / "a.crt").write_text("one")
    (tmp_path / "notes.txt").write_text("no certificate")
    found = base_image.host_certificates(tmp_path)
    assert [path.name for path in found] == ["a.crt"]
    before = base_image.tag(found, "sources")
    (tmp_path / "a.crt").write_text("two")
    assert base_image.tag(found, "sources") != before
    assert base_image.host_certificates(tmp_path / "none") == ()


def test_the_base_image_trusts_what_the_host_trusts() -> None:
    changes = " ".join(base_image.import_changes())
    assert "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" in changes
    assert "PIP_CERT=/etc/ssl/certs/ca-certificates.crt" in changes
