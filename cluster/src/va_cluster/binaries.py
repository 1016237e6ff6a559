"""Builds the Go programs of a cluster from pinned modules."""

import re
from dataclasses import dataclass
from pathlib import Path

from va_cluster.cache import Cache, Entry, recipe_key, remove_tree
from va_cluster.errors import Unsupported
from va_cluster.shell import Shell

MODULES = Path(__file__).parent / "go"
KUBERNETES_VERSION = "v1.34.4"
VERSION_PACKAGE = "k8s.io/component-base/version"
NEEDED_GO = (1, 25)


@dataclass(frozen=True)
class Component:
    """A Go module of ours, and the programs that it builds."""

    name: str
    version: str
    programs: tuple[str, ...]
    packages: tuple[str, ...]
    ldflags: str = "-s -w"


KUBERNETES_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
)
KUBERNETES = Component(
    "kubernetes",
    KUBERNETES_VERSION,
    KUBERNETES_PROGRAMS,
    tuple(f"k8s.io/kubernetes/cmd/{program}" for program in KUBERNETES_PROGRAMS),
    # Programs that do not know their version refuse to work with each other.
    f"-s -w -X {VERSION_PACKAGE}.gitVersion={KUBERNETES_VERSION}"
    f" -X {VERSION_PACKAGE}.gitMajor=1 -X {VERSION_PACKAGE}.gitMinor=34"
    f" -X {VERSION_PACKAGE}.gitTreeState=clean",
)
ETCD = Component("etcd", "v3.6.4", ("etcd",), ("go.etcd.io/etcd/server/v3",))
COREDNS = Component("coredns", "v1.12.4", ("coredns",), (".",))
PAUSE = Component("pause", "v1", ("pause",), (".",))
KIND = Component("kind", "v0.33.0", ("kind",), ("sigs.k8s.io/kind",))
NODE_COMPONENTS = (PAUSE, ETCD, COREDNS, KUBERNETES)


def build_command(component: Component, folder: Path) -> tuple[str, ...]:
    """The command that puts the component's programs into `folder`."""
    # With several packages `go build` names the programs itself, and takes only a folder.
    alone = len(component.packages) == 1
    target = f"{folder}/{component.programs[0]}" if alone else f"{folder}/"
    return ("go", "build", "-ldflags", component.ldflags, "-o", target, *component.packages)


def entry(component: Component) -> Entry:
    """The component's place in the cache, which changes with anything it is built from."""
    sources = [path.read_bytes() for path in sorted((MODULES / component.name).iterdir())]
    command = " ".join(build_command(component, Path("folder")))
    return Entry("binaries", component.name, recipe_key(component.version, command, *sources))


def go_version(said: str) -> tuple[int, int] | None:
    """`go version go1.26.1 linux/amd64` as (1, 26)."""
    found = re.search(r"\bgo(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else None


def check_go(shell: Shell) -> None:
    """Refuse early where the programs cannot be built."""
    needed = ".".join(str(part) for part in NEEDED_GO)
    found = go_version(shell.result("go", "version").output)
    if found is None or found < NEEDED_GO:
        has = "there is none" if found is None else f"this one is {found[0]}.{found[1]}"
        raise Unsupported(
            f"Go {needed} or newer is needed to build the cluster's programs, and {has}.",
            "Install Go from https://go.dev/dl/ and see that `go version` finds it.",
        )


def go_shell(shell: Shell, cache: Cache) -> Shell:
    """The environment of our builds: static programs, locked versions, own caches."""
    return shell.where(
        CGO_ENABLED="0",
        GOWORK="off",
        GOFLAGS="-mod=readonly -modcacherw -trimpath -buildvcs=false",
        GOCACHE=str(cache.root / "go" / "build"),
        GOMODCACHE=str(cache.root / "go" / "mod"),
        GOTMPDIR=str(cache.root / "go"),
    )


def ensure(component: Component, shell: Shell, cache: Cache) -> Path:
    """The folder that holds the component's programs, built now if they are missing."""

    def build(folder: Path) -> None:
        check_go(shell)
        (cache.root / "go").mkdir(exist_ok=True)
        go_shell(shell, cache).run_logged(
            f"go-{component.name}",
            *build_command(component, folder),
            cwd=MODULES / component.name,
        )

    return cache.ensure(entry(component), build)


def missing(components: tuple[Component, ...], cache: Cache) -> tuple[Component, ...]:
    """Those that are still to be built."""
    return tuple(component for component in components if not cache.has(entry(component)))


def remove_leftovers(cache: Cache) -> None:
    """Remove what the compiler kept: 5 GB that only a build cut short can use again."""
    remove_tree(cache.root / "go")
