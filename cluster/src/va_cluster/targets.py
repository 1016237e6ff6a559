"""The clusters that can be chosen, seen alike: a kubeconfig, kubectl, and a way for images."""

from pathlib import Path
from typing import Protocol

from va_cluster import current, images, k3s, kubectl
from va_cluster.errors import NotOurs, NotUp, Unsupported
from va_cluster.settings import Choice
from va_cluster.workplace import Workplace


class Target(Protocol):
    """A cluster that commands speak to."""

    @property
    def name(self) -> str:
        """What to call it."""
        ...

    @property
    def kubeconfig(self) -> str:
        """The kubeconfig that leads to it, as the variable KUBECONFIG names it."""
        ...

    def kubectl(self) -> tuple[str, ...]:
        """The kubectl to use with it."""
        ...

    def load(self, names: tuple[str, ...]) -> None:
        """Bring images into it."""
        ...

    def answers(self) -> bool:
        """Whether its API server answers."""
        ...


class _Cluster:
    """What the targets have in common."""

    def __init__(self, place: Workplace, name: str, kubeconfig: Path | str) -> None:
        self.place = place
        self.name = name
        self.kubeconfig = str(kubeconfig)

    def kubectl(self) -> tuple[str, ...]:
        """The user's kubectl, or ours."""
        found = kubectl.find_program(self.place.shell, self.place.cache)
        if found is None:
            raise Unsupported(
                "There is no kubectl.", "Install it: https://kubernetes.io/docs/tasks/tools/"
            )
        return (found,)

    def answers(self) -> bool:
        """Whether its API server answers."""
        shell = self.place.shell.where(KUBECONFIG=self.kubeconfig)
        return shell.result(*self.kubectl(), "get", "--raw", "/readyz", timeout=20).ok


class KindCluster(_Cluster):
    """Our own cluster."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, place.name, place.kubeconfig)

    def kubectl(self) -> tuple[str, ...]:
        """The user's kubectl, the built one, or the one of the first node."""
        if program := kubectl.find_program(self.place.shell, self.place.cache):
            return (program,)
        found = self.place.need_engine()
        nodes = self.place.observe(found).nodes
        if not nodes:
            raise NotUp(f"Cluster {self.name} is not there.", self.place.command("up"))
        return (kubectl.ensure_program(found, self.place.cache, nodes[0].name),)

    def load(self, names: tuple[str, ...]) -> None:
        """Bring images into the nodes that lack them."""
        images.load(self.place.need_engine(), self.name, names, self.place.progress)


class K3sCluster(_Cluster):
    """The k3s of this machine."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, "k3s", k3s.KUBECONFIG)

    def kubectl(self) -> tuple[str, ...]:
        """The user's kubectl, or the one inside k3s."""
        return k3s.kubectl_command(self.place.shell)

    def load(self, names: tuple[str, ...]) -> None:
        """Bring images into k3s's containerd."""
        found = self.place.ensure_engine()
        for name in names:
            images.image_id(found, name)
            with self.place.progress.step(f"Loading {name} into k3s"):
                found.shell.pipe(k3s.save_command(name), k3s.import_command())


class CurrentCluster(_Cluster):
    """The cluster of the user's current context."""

    def __init__(self, place: Workplace) -> None:
        environment = place.settings.environment
        super().__init__(place, "current", current.kubeconfig(environment))

    def load(self, names: tuple[str, ...]) -> None:
        """Bring images into it where it is a kind cluster."""
        shell = self.place.shell
        context = shell.run(*self.kubectl(), "config", "current-context").strip()
        cluster = current.kind_cluster(context)
        images.load(self.place.need_engine(), cluster, names, self.place.progress)


def target(place: Workplace) -> Target:
    """The chosen cluster."""
    match place.settings.choice:
        case Choice.KIND:
            return KindCluster(place)
        case Choice.K3S:
            return K3sCluster(place)
        case Choice.CURRENT:
            return CurrentCluster(place)


def need_kubeconfig(chosen: Target, place: Workplace) -> None:
    """Refuse where there is no cluster yet, or kubectl would speak to whatever it finds."""
    if not Path(chosen.kubeconfig).exists():
        way = f"Start it with `{place.command('up')}`."
        advice = way if place.settings.choice is Choice.KIND else "Install it: https://k3s.io"
        raise NotUp(f"There is no cluster {chosen.name}: {chosen.kubeconfig} is missing.", advice)


def refuse_foreign(choice: Choice, verb: str) -> None:
    """`up` and `down` are for the kind cluster alone."""
    if choice is not Choice.KIND:
        whose = "k3s" if choice is Choice.K3S else "the cluster of your current context"
        raise NotOurs(
            f"`va-cluster {verb}` does not touch {whose}: it was not made here.",
            "Leave out --cluster (and CLUSTER) for a kind cluster of its own.",
        )
