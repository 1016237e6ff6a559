"""Finds a container engine, and starts a private one where there is none."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from va_cluster import debian, engine_packages, rootfs
from va_cluster.cache import Cache, remove_tree
from va_cluster.errors import NotReady, Unsupported
from va_cluster.process import Process, alive, identify, stop, written
from va_cluster.progress import Progress
from va_cluster.shell import Shell

# Outside the cache: a socket's path may have 107 characters, and a machine can have
# only one such engine, whatever its cache, because engines share bridges and rules.
RUN = Path("/run/virtual-assistant")
# kind puts it on every node.
CLUSTER_LABEL = "io.x-k8s.kind.cluster"
START_SECONDS = 60
STOP_SECONDS = 20


@dataclass(frozen=True)
class Engine:
    """An engine that answers, and how to speak to it."""

    private: bool
    version: str
    shell: Shell


@dataclass(frozen=True)
class Record:
    """The engine that we started: which process, with which cache."""

    process: Process
    cache: str


def socket(run: Path = RUN) -> str:
    """The private engine's address, as DOCKER_HOST has it."""
    return f"unix://{run}/docker.sock"


def read_record(run: Path = RUN) -> Record | None:
    """The record of the engine that we started, whether it still lives or not."""
    try:
        values = json.loads((run / "engine.json").read_text())
        return Record(Process(**values["process"]), values["cache"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(record: Record, run: Path = RUN) -> None:
    """Record the engine that we started."""
    unfinished = run / "engine.json.new"
    unfinished.write_text(json.dumps(asdict(record)))
    unfinished.rename(run / "engine.json")


def private_shell(shell: Shell, cache: Cache, run: Path = RUN) -> Shell:
    """The environment in which programs speak to the private engine."""
    folders = [str(cache.path(engine_packages.ENTRY) / part) for part in ("usr/bin", "usr/sbin")]
    path = ":".join([*folders, shell.environment.get("PATH", "")])
    # Only the legacy builder builds here: BuildKit fails in its first RUN.
    return shell.where(DOCKER_HOST=socket(run), DOCKER_BUILDKIT="0", PATH=path)


def find(shell: Shell, cache: Cache, run: Path = RUN) -> Engine | None:
    """The engine in use: the one we started if it lives, else the user's own if it answers."""
    wish = shell.environment.get("DOCKER_HOST", "")
    record = read_record(run)
    if wish in {"", socket(run)} and record and alive(record.process):
        if record.cache != str(cache.root):
            raise Unsupported(
                f"A private engine is running with the cache {record.cache}.",
                f"Set VA_CACHE_DIR={record.cache} to use it, or stop it with"
                f" `VA_CACHE_DIR={record.cache} va-cluster down --all`.",
            )
        own = private_shell(shell, cache, run)
        if version := server_version(own):
            return Engine(private=True, version=version, shell=own)
    if wish == socket(run):
        # What `va-cluster env` said for an engine that is gone by now.
        shell = shell.where(DOCKER_HOST="")
    if version := server_version(shell):
        return Engine(private=False, version=version, shell=shell)
    if wish and wish != socket(run):
        raise Unsupported(
            f"DOCKER_HOST is {wish}, and no engine answers there.",
            "Start that engine, or unset DOCKER_HOST.",
        )
    return None


def server_version(shell: Shell) -> str:
    """The version of the Docker that answers, empty where none does."""
    result = shell.result("docker", "version", "--format", "{{.Server.Version}}", timeout=20)
    return result.output.strip() if result.ok else ""


def import_root(engine: Engine, root: Path, tag: str, changes: tuple[str, ...]) -> None:
    """Make a root file system an image of the engine."""
    archive = ("tar", "-C", str(root), "--numeric-owner", "-c", ".")
    engine.shell.pipe(archive, ("docker", "import", *changes, "-", tag))


def daemon_command(cache: Cache, runc: str, run: Path = RUN) -> tuple[str, ...]:
    """The command that starts the private engine."""
    return (
        "dockerd",
        "--data-root",
        str(cache.root / "engine" / "data"),
        "--exec-root",
        str(run / "exec"),
        "--host",
        socket(run),
        "--pidfile",
        str(run / "dockerd.pid"),
        # Debian 13's containerd works with Debian 12's libc, its runc does not.
        "--add-runtime",
        f"host={runc}",
        "--default-runtime",
        "host",
        "--log-level",
        "warn",
    )


def ensure(shell: Shell, cache: Cache, progress: Progress, run: Path = RUN) -> Engine:
    """The engine in use, started now if there is none."""
    if found := find(shell, cache, run):
        return found
    with cache.lock("engine"):
        if found := find(shell, cache, run):
            return found
        progress.say("No Docker answers: a private engine will be used.")
        rootfs.check_host("A private engine can be started")
        return start(shell, cache, progress, run)


def start(shell: Shell, cache: Cache, progress: Progress, run: Path) -> Engine:
    """Start the private engine, fetching it first where the cache lacks it."""
    host_programs = {"runc": "runc", "iptables": "iptables"}
    lacking = [name for name in host_programs if shell.find(name) is None]
    if lacking:
        with progress.step(f"Installing {', '.join(lacking)} with apt"):
            debian.install_missing(shell, host_programs)
    engine_packages.ensure(shell, cache, progress)
    with progress.step("Starting the private engine"):
        own = private_shell(shell, cache, run)
        # One that lives and does not answer, or that a run started which was killed
        # before it could record it: two engines would spoil each other's data.
        record = read_record(run)
        for left in (record and record.process, written(run / "dockerd.pid", socket(run))):
            if left:
                stop(left, STOP_SECONDS)
        clear_dead(run)
        run.mkdir(parents=True, exist_ok=True)
        runc = shell.find("runc") or "/usr/sbin/runc"
        pid = own.spawn("engine", *daemon_command(cache, runc, run))
        process = identify(pid)
        if process:
            write_record(Record(process, str(cache.root)), run)
        deadline = time.monotonic() + START_SECONDS
        while process and alive(process) and time.monotonic() < deadline:
            if version := server_version(own):
                started = Engine(private=True, version=version, shell=own)
                remove_remains(started)
                return started
            time.sleep(0.2)
    if process:
        stop(process, STOP_SECONDS)
    raise NotReady(
        f"The private engine did not start:\n{own.log_tail('engine')}",
        f"Its log is {own.logs}/engine.log. If its data is damaged, remove"
        f" {cache.root}/engine/data and try again.",
    )


def remove_remains(engine: Engine) -> None:
    """Remove the nodes that an engine which was killed left in its data.

    The new one starts them again, but with other addresses and no routes.
    """
    label = f"label={CLUSTER_LABEL}"
    left = engine.shell.run("docker", "ps", "--all", "--quiet", "--filter", label).split()
    if left:
        engine.shell.run("docker", "rm", "--force", "--volumes", *left)


def clear_dead(run: Path = RUN) -> None:
    """Remove what a killed engine left, or dockerd takes any process with its old id for itself."""
    for name in ("dockerd.pid", "docker.sock", "engine.json"):
        (run / name).unlink(missing_ok=True)


def stop_private(run: Path = RUN) -> bool:
    """Stop the engine that we started, if it lives; says whether it did."""
    record = read_record(run)
    if record is None:
        return False
    was_alive = alive(record.process)
    stop(record.process, STOP_SECONDS)
    # dockerd ends its containerd unless it was killed.
    for pid_file in (run / "exec").glob("containerd/*.pid"):
        if left := written(pid_file, "containerd"):
            stop(left, STOP_SECONDS)
    clear_dead(run)
    try:
        remove_tree(run)
    except OSError:
        # A mount that a killed engine left keeps its folder; the next engine takes it over.
        return was_alive
    return was_alive
