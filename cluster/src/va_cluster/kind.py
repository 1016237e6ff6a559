"""kind: its configuration, and the clusters it made in an engine."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from va_cluster import binaries
from va_cluster.cache import Cache
from va_cluster.engine import CLUSTER_LABEL, Engine
from va_cluster.progress import Progress
from va_cluster.settings import DEFAULT_NAME
from va_cluster.shell import Shell

NODE_PORTS = range(30000, 30032)
NETWORK = "kind"
PUBLIC_IMAGE = "public"
INSPECT = (
    "docker",
    "inspect",
    "--format",
    "{{.Name}}\t{{.Id}}\t{{.State.Status}}\t{{.State.StartedAt}}",
)

OWN_IMAGE_NETWORKING = """\
networking:
  disableDefaultCNI: true
"""
ETCD_PATCH = """\
kubeadmConfigPatches:
- |
  apiVersion: kubeadm.k8s.io/v1beta3
  kind: ClusterConfiguration
  etcd: {local: {extraArgs: {unsafe-no-fsync: "true"}}}
- |
  apiVersion: kubeadm.k8s.io/v1beta4
  kind: ClusterConfiguration
  etcd: {local: {extraArgs: [{name: unsafe-no-fsync, value: "true"}]}}
"""
KUBELET_PATCH = """\
- |
  kind: KubeletConfiguration
  cgroupDriver: cgroupfs
"""


@dataclass(frozen=True)
class Node:
    """A container that is a node of a cluster."""

    id: str
    name: str
    state: str
    started: str

    @property
    def life(self) -> str:
        """This run of the container: one that was started again has lost its routes."""
        return f"{self.id} {self.started}"


@dataclass(frozen=True)
class Record:
    """A cluster that `up` finished: the lives of the containers it was made of."""

    nodes: tuple[str, ...]
    image: str


def config_text(name: str, nodes: int, *, own_image: bool) -> str:
    """kind's configuration of a cluster."""
    text = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"
    if own_image:
        text += OWN_IMAGE_NETWORKING
    text += "nodes:\n- role: control-plane\n"
    # A host port has room for one cluster: the one that people and `make` use.
    if name == DEFAULT_NAME:
        text += "  extraPortMappings:\n"
        for port in NODE_PORTS:
            mapping = f"containerPort: {port}, hostPort: {port}, listenAddress: 127.0.0.1"
            text += f"  - {{{mapping}}}\n"
    text += "- role: worker\n" * (nodes - 1)
    text += ETCD_PATCH
    if own_image:
        text += KUBELET_PATCH
    return text


def create_command(kind: str, name: str, config: Path, image: str | None) -> tuple[str, ...]:
    """The command that creates a cluster; without an image kind takes its own public one."""
    chosen = ("--image", image) if image else ()
    return (kind, "create", "cluster", "--name", name, "--config", str(config), *chosen)


def parse_nodes(listing: str) -> tuple[Node, ...]:
    """The nodes of `docker inspect` with our format."""
    rows = [line.lstrip("/").split("\t") for line in listing.splitlines() if line.strip()]
    nodes = (Node(name=row[0], id=row[1], state=row[2], started=row[3]) for row in rows)
    return tuple(sorted(nodes, key=lambda node: node.name))


def list_nodes(engine: Engine, name: str) -> tuple[Node, ...]:
    """The nodes of a cluster, running or not."""
    label = f"label={CLUSTER_LABEL}={name}"
    listed = engine.shell.run("docker", "ps", "--all", "--quiet", "--filter", label).split()
    if not listed:
        return ()
    # Without those that vanish in between.
    return parse_nodes(engine.shell.result(*INSPECT, *listed).output)


def list_clusters(engine: Engine) -> tuple[str, ...]:
    """The names of all clusters that kind made in this engine."""
    label = f'{{{{.Label "{CLUSTER_LABEL}"}}}}'
    listing = engine.shell.run(
        "docker", "ps", "--all", "--filter", f"label={CLUSTER_LABEL}", "--format", label
    )
    return tuple(sorted(set(listing.split())))


def delete_nodes(engine: Engine, nodes: tuple[Node, ...]) -> None:
    """Remove a cluster's containers with their volumes, whatever state they are in."""
    if nodes:
        engine.shell.run("docker", "rm", "--force", "--volumes", *(node.id for node in nodes))


def kubeconfig(cache: Cache, name: str) -> Path:
    """The cluster's own kubeconfig; the user's is never touched."""
    return cache.root / "clusters" / name / "kubeconfig"


def read_record(cache: Cache, name: str) -> Record | None:
    """What `up` recorded when it finished this cluster."""
    try:
        values = json.loads((cache.root / "clusters" / name / "cluster.json").read_text())
        return Record(tuple(values["nodes"]), str(values["image"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(cache: Cache, name: str, record: Record) -> None:
    """Record that the cluster is finished."""
    folder = cache.root / "clusters" / name
    unfinished = folder / "cluster.json.new"
    unfinished.write_text(json.dumps(asdict(record)))
    unfinished.rename(folder / "cluster.json")


def recorded_clusters(cache: Cache) -> tuple[str, ...]:
    """The names of the clusters that have a folder in the cache."""
    folder = cache.root / "clusters"
    return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()


def program(shell: Shell, cache: Cache) -> str | None:
    """kind, from the PATH or from the cache."""
    if found := shell.find("kind"):
        return found
    built = cache.path(binaries.entry(binaries.KIND)) / "kind"
    return str(built) if built.exists() else None


def ensure_program(shell: Shell, cache: Cache, progress: Progress) -> str:
    """kind, built now if there is none."""
    if found := program(shell, cache):
        return found
    with progress.step(f"Building kind {binaries.KIND.version}"):
        return str(binaries.ensure(binaries.KIND, shell, cache) / "kind")
