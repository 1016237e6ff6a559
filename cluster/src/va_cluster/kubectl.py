"""kubectl: where it is, and how it speaks to a cluster."""

from dataclasses import dataclass
from pathlib import Path

from va_cluster import binaries
from va_cluster.cache import Cache, Entry, recipe_key
from va_cluster.engine import Engine
from va_cluster.shell import Result, Shell

COPIED = Entry("binaries", "kubectl", recipe_key("copied"))


@dataclass(frozen=True)
class Kubectl:
    """kubectl with one cluster's kubeconfig."""

    program: str
    kubeconfig: Path
    shell: Shell

    def result(self, *words: str, stdin: str | None = None) -> Result:
        """Run it; a failure is an answer too."""
        return self.shell.result(*self._command(words), stdin=stdin, timeout=60)

    def run(self, *words: str, stdin: str | None = None) -> str:
        """Run it; it must succeed."""
        return self.shell.run(*self._command(words), stdin=stdin, timeout=60)

    def _command(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return (self.program, "--kubeconfig", str(self.kubeconfig), *words)


def find_program(shell: Shell, cache: Cache) -> str | None:
    """kubectl: the user's own, else the one that was built, else the one that was copied."""
    if found := shell.find("kubectl"):
        return found
    built = cache.path(binaries.entry(binaries.KUBERNETES)) / "kubectl"
    copied = cache.path(COPIED) / "kubectl"
    return next((str(path) for path in (built, copied) if path.exists()), None)


def ensure_program(engine: Engine, cache: Cache, node: str) -> str:
    """kubectl, copied out of a node if there is none: every node of kind has one."""
    if found := find_program(engine.shell, cache):
        return found

    def copy(folder: Path) -> None:
        engine.shell.run("docker", "cp", "--follow-link", f"{node}:/usr/bin/kubectl", folder)

    return str(cache.ensure(COPIED, copy) / "kubectl")
