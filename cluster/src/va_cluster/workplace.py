"""What every command works with: the settings, the cache, the shell, the way to report."""

from dataclasses import dataclass
from pathlib import Path

from va_cluster import engine, kind, kubectl
from va_cluster.cache import Cache
from va_cluster.engine import Engine
from va_cluster.errors import NotUp
from va_cluster.kubectl import Kubectl
from va_cluster.plan import Observed
from va_cluster.progress import Progress
from va_cluster.settings import DEFAULT_NAME, Settings
from va_cluster.shell import Shell

# Where programs stand that the PATH of a service or of cron may not name.
USUAL_FOLDERS = ("/usr/local/go/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")


@dataclass(frozen=True)
class Workplace:
    """One run's settings and tools."""

    settings: Settings
    cache: Cache
    shell: Shell
    progress: Progress
    run: Path = engine.RUN

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.settings.name

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of the kind cluster."""
        return kind.kubeconfig(self.cache, self.name)

    def engine(self) -> Engine | None:
        """The engine in use, if there is one."""
        return engine.find(self.shell, self.cache, self.run)

    def ensure_engine(self) -> Engine:
        """The engine in use, started now if there is none."""
        return engine.ensure(self.shell, self.cache, self.progress, self.run)

    def need_engine(self) -> Engine:
        """The engine in use; there must be one."""
        if found := self.engine():
            return found
        raise NotUp("No container engine is running.", f"Start one with `{self.command('up')}`.")

    def observe(self, found: Engine) -> Observed:
        """What there is of the kind cluster."""
        return Observed(
            nodes=kind.list_nodes(found, self.name),
            record=kind.read_record(self.cache, self.name),
            has_kubeconfig=self.kubeconfig.exists(),
        )

    def kubectl(self, found: Engine, node: str) -> Kubectl:
        """kubectl for the kind cluster."""
        program = kubectl.ensure_program(found, self.cache, node)
        return Kubectl(program, self.kubeconfig, found.shell)

    def command(self, verb: str) -> str:
        """What to type for this cluster."""
        name = "" if self.name == DEFAULT_NAME else f"--name {self.name} "
        return f"va-cluster {name}{verb}"


def make_workplace(settings: Settings, progress: Progress) -> Workplace:
    """Put the tools of one run together."""
    cache = Cache(
        settings.cache,
        on_wait=lambda name: progress.say(f"Waiting for another va-cluster ({name}) ..."),
    )
    path = ":".join([settings.environment.get("PATH", ""), *USUAL_FOLDERS])
    shell = Shell({**settings.environment, "PATH": path}, settings.cache / "logs")
    return Workplace(settings, cache, shell, progress)
