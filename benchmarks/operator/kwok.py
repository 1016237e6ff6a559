"""kwok: plays the kubelet of nodes that do not exist.

Built from its Go module, whose version and checksums are locked in `go/kwok`, with the stages that
come in the module's source. It acts on nodes with its own annotation only, and so on the pods that
are bound to them: the real node stays the real kubelet's.
"""

import json
import os
import subprocess
from pathlib import Path

from benchmarks.operator.api_client import ApiClient
from benchmarks.operator.processes import Running, start
from va_cluster.cache import Cache, Entry, recipe_key

MODULE = Path(__file__).parent / "go" / "kwok"
PACKAGE = "sigs.k8s.io/kwok"
VERSION = "v0.8.0"
ANNOTATION = "kwok.x-k8s.io/node"
STAGES = (
    "kustomize/stage/node/fast/node-initialize.yaml",
    "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "kustomize/stage/pod/fast/pod-ready.yaml",
    "kustomize/stage/pod/fast/pod-complete.yaml",
    "kustomize/stage/pod/fast/pod-delete.yaml",
)
PODS_PER_NODE = 250
POD_ADDRESSES = "10.128.0.0/14"
"""Where nobody is: a route in the real node says so at once to whoever asks a simulated pod."""


def ensure_kwok(cache_root: Path) -> Path:
    """Return the folder with `kwok` and its stages, built now if it is missing (3 minutes)."""
    sources = [path.read_bytes() for path in sorted(MODULE.iterdir())]
    entry = Entry("binaries", "kwok", recipe_key(VERSION, *STAGES, *sources))
    return Cache(cache_root, print).ensure(entry, _build)


def _build(folder: Path) -> None:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    subprocess.run(
        ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", folder / "kwok",
         f"{PACKAGE}/cmd/kwok"],
        cwd=MODULE, env=environment, check=True, timeout=1200,
    )  # fmt: skip
    found = subprocess.run(
        ["go", "list", "-m", "-f", "{{.Dir}}", PACKAGE],
        cwd=MODULE, env=environment, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    parts = [Path(found.stdout.strip(), name).read_text() for name in STAGES]
    (folder / "stages.yaml").write_text("\n---\n".join(parts))


def start_kwok(folder: Path, scratch: Path, kubeconfig: Path) -> Running:
    """Start kwok for its own nodes."""
    return start(
        scratch / "kwok.log", folder / "kwok", "--kubeconfig", kubeconfig,
        "--config", folder / "stages.yaml",
        "--manage-all-nodes=false", f"--manage-nodes-with-annotation-selector={ANNOTATION}=fake",
        "--node-lease-duration-seconds=40", f"--cidr={POD_ADDRESSES}",
    )  # fmt: skip


async def make_nodes(api: ApiClient, count: int) -> None:
    """Make so many nodes for kwok, each with room for 250 pods."""
    room = {"cpu": "1000", "memory": "4Ti", "pods": str(PODS_PER_NODE)}
    for number in range(count):
        name = f"kwok-{number:03d}"
        body = {
            "apiVersion": "v1", "kind": "Node",
            "metadata": {
                "name": name, "annotations": {ANNOTATION: "fake"},
                "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
            },
            "status": {"allocatable": room, "capacity": room},
        }  # fmt: skip
        await api.send("POST", "/api/v1/nodes", json.dumps(body), fine=(409,))


async def cordon(api: ApiClient, node: str) -> None:
    """Let no more pods onto the real node."""
    body = json.dumps({"spec": {"unschedulable": True}})
    content = "application/merge-patch+json"
    await api.send("PATCH", f"/api/v1/nodes/{node}", body, content=content)
