"""The own image of a cluster's nodes, for where the public one cannot be pulled."""

import platform
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from va_cluster import binaries, debian, oci, rootfs
from va_cluster.cache import Cache, recipe_key
from va_cluster.engine import Engine, import_root
from va_cluster.progress import Progress
from va_cluster.shell import Shell

FILES = Path(__file__).parent / "node"
REPOSITORY = "virtual-assistant/kind-node"
PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "containerd",
    "runc",
    "containernetworking-plugins",
    "iptables",
    "conntrack",
    "socat",
    "kmod",
    "procps",
    "iproute2",
)
ROOTFS = rootfs.entry("node", PACKAGES)
CNI_PLUGINS = frozenset({"bridge", "host-local", "loopback", "portmap"})
# Where each of our files goes in the node's file system, and with which mode.
PLACES = {
    "kubelet.service": ("etc/systemd/system/kubelet.service", 0o644),
    "kubelet-cgroups": ("usr/local/bin/kubelet-cgroups", 0o755),
    "entrypoint": ("usr/local/bin/entrypoint", 0o755),
    "containerd.toml": ("etc/containerd/config.toml", 0o644),
    "cni.json": ("etc/containerd/cni.json", 0o644),
}
MASKED_UNITS = (
    "systemd-udevd.service",
    "systemd-logind.service",
    "getty.target",
    "console-getty.service",
    "dev-hugepages.mount",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
)
NODE_PROGRAMS = ("kubeadm", "kubelet", "kubectl")
IMPORT_CHANGES = (
    "--change",
    'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]',
    "--change",
    "ENV container=docker",
    # systemd takes it for an orderly halt.
    "--change",
    "STOPSIGNAL SIGRTMIN+3",
)
# What kube-proxy runs: its image holds these, the libraries they need and nothing else.
PROXY_PROGRAMS = ("xtables-nft-multi", "xtables-legacy-multi")
PROXY_LINKS = {
    "iptables": "xtables-nft-multi",
    "iptables-save": "xtables-nft-multi",
    "iptables-restore": "xtables-nft-multi",
    "ip6tables": "xtables-nft-multi",
    "ip6tables-save": "xtables-nft-multi",
    "ip6tables-restore": "xtables-nft-multi",
}


def tag() -> str:
    """The image's name, which changes with anything it is made from."""
    files = [path.read_bytes() for path in sorted(FILES.iterdir())]
    components = [str(binaries.entry(one).path) for one in binaries.NODE_COMPONENTS]
    code = Path(__file__).read_bytes()
    key = recipe_key(binaries.KUBERNETES_VERSION, code, str(ROOTFS.path), *components, *files)
    return f"{REPOSITORY}:{key}"


def image_for(listed: tuple[str, ...], program: str) -> str:
    """The name under which kubeadm asks for a program's image."""
    return next(name for name in listed if name.rpartition(":")[0].endswith(f"/{program}"))


def without_limits(unit: str) -> str:
    """containerd's unit without the limits that a node without CAP_SYS_RESOURCE cannot set."""
    refused = ("LimitNPROC", "LimitNOFILE", "LimitCORE", "OOMScoreAdjust")
    kept = [line for line in unit.splitlines() if not line.startswith(refused)]
    return "\n".join(kept) + "\n"


def libraries(ldd: str) -> tuple[str, ...]:
    """The paths of the libraries that `ldd` lists."""
    words = [word for line in ldd.splitlines() for word in line.split()]
    return tuple(sorted({word for word in words if word.startswith("/") and ":" not in word}))


def exists(engine: Engine) -> bool:
    """Whether the engine has the image."""
    return engine.shell.result("docker", "image", "inspect", tag()).ok


def ensure(engine: Engine, cache: Cache, progress: Progress) -> str:
    """The image's name in the engine, built now if it is missing."""
    if exists(engine):
        return tag()
    with cache.lock("node-image"):
        if not exists(engine):
            rootfs.check_host("A node image can be built")
            _ensure_parts(engine.shell, cache, progress)
            with progress.step("Assembling the node image"), cache.scratch("node-image") as folder:
                _assemble(engine, cache, folder)
                _remove_older(engine)
    return tag()


def _ensure_parts(shell: Shell, cache: Cache, progress: Progress) -> None:
    """The programs and the root file system, side by side: one computes, the other waits."""

    def root_file_system() -> None:
        if not cache.has(ROOTFS):
            with progress.step(f"Installing Debian {debian.SUITE} for the nodes (1 to 2 min)"):
                rootfs.ensure(ROOTFS.name, PACKAGES, shell, cache)

    def programs() -> None:
        for component in binaries.missing(binaries.NODE_COMPONENTS, cache):
            hint = " (about 5 min on two cores)" if component is binaries.KUBERNETES else ""
            with progress.step(f"Building {component.name} {component.version}{hint}"):
                binaries.ensure(component, shell, cache)

    if binaries.missing(binaries.NODE_COMPONENTS, cache):
        binaries.check_go(shell)
    with ThreadPoolExecutor(max_workers=2) as pool:
        tasks = [pool.submit(root_file_system), pool.submit(programs)]
    for task in tasks:
        task.result()


def _assemble(engine: Engine, cache: Cache, folder: Path) -> None:
    root = folder / "root"
    root.mkdir()
    shell = engine.shell
    programs = {
        program: cache.path(binaries.entry(component)) / program
        for component in binaries.NODE_COMPONENTS
        for program in component.programs
    }
    shell.run("tar", "-C", root, "-xpf", cache.path(ROOTFS) / rootfs.ARCHIVE)
    for program in NODE_PROGRAMS:
        shutil.copy2(programs[program], root / "usr/bin" / program)
    listing = shell.run(
        programs["kubeadm"],
        "config",
        "images",
        "list",
        "--kubernetes-version",
        binaries.KUBERNETES_VERSION,
    )
    listed = tuple(listing.split())
    _write_files(root, pause=image_for(listed, "pause"))
    _enable_units(shell, root)
    _preload(shell, root, folder, programs, listed)
    import_root(engine, root, tag(), IMPORT_CHANGES)


def _write_files(root: Path, pause: str) -> None:
    for name, (place, mode) in PLACES.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((FILES / name).read_text().replace("@PAUSE@", pause))
        path.chmod(mode)
    (root / "etc/cni/net.d").mkdir(parents=True, exist_ok=True)
    (root / "kind").mkdir()
    (root / "kind/version").write_text(binaries.KUBERNETES_VERSION)
    unit = root / "lib/systemd/system/containerd.service"
    unit.write_text(without_limits(unit.read_text()))
    for plugin in (root / "usr/lib/cni").iterdir():
        if plugin.name not in CNI_PLUGINS:
            plugin.unlink()


def _enable_units(shell: Shell, root: Path) -> None:
    systemctl = ("chroot", root, "systemctl", "--quiet")
    shell.run(*systemctl, "enable", "containerd", "kubelet")
    shell.run(*systemctl, "mask", *MASKED_UNITS)
    shell.run(*systemctl, "set-default", "multi-user.target")


def _preload(
    shell: Shell,
    root: Path,
    folder: Path,
    programs: dict[str, Path],
    listed: tuple[str, ...],
) -> None:
    """Put the control plane's images into the node's containerd."""
    preload = root / "preload"
    preload.mkdir()
    shutil.copy2(FILES / "preload", preload / "run")
    contents: dict[str, tuple[str, ...]] = {
        "kube-apiserver": (),
        "kube-controller-manager": (),
        "kube-scheduler": (),
        "kube-proxy": (),
        "etcd": (),
        # The pods of these two name no command.
        "coredns": ("/usr/local/bin/coredns",),
        "pause": ("/usr/local/bin/pause",),
    }
    for program, entrypoint in contents.items():
        content = folder / program
        (content / "usr/local/bin").mkdir(parents=True)
        shutil.copy2(programs[program], content / "usr/local/bin" / program)
        if program == "kube-proxy":
            _add_iptables(shell, root, content)
        image = oci.Image(image_for(listed, program), content, entrypoint)
        oci.write_archive(image, platform.machine(), preload / f"{program}.tar")
        shutil.rmtree(content)
    shell.run_logged("preload", *debian.APART, "chroot", root, "/bin/sh", "/preload/run")
    shutil.rmtree(preload)


def _add_iptables(shell: Shell, root: Path, content: Path) -> None:
    """Give kube-proxy's image the node's iptables."""
    paths = [f"/usr/sbin/{program}" for program in PROXY_PROGRAMS]
    extensions = [f"/{path.relative_to(root)}" for path in root.glob("usr/lib/*/xtables/*.so")]
    listed = shell.run("chroot", root, "ldd", *paths, *extensions)
    for name in (*paths, *extensions, *libraries(listed)):
        # The same relative place; links are followed, so that every name is a file.
        target = content / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shell.run("cp", "--dereference", f"{root}{name}", target)
    for name, program in PROXY_LINKS.items():
        (content / "usr/sbin" / name).symlink_to(program)


def _remove_older(engine: Engine) -> None:
    """Remove the images of older recipes; one that a cluster still uses stays."""
    listing = engine.shell.run(
        "docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", REPOSITORY
    )
    for name in listing.split():
        if name != tag():
            engine.shell.result("docker", "image", "rm", name)
