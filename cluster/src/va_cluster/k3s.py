"""k3s: a cluster that the user installed on this machine."""

from pathlib import Path

from va_cluster.shell import Shell

KUBECONFIG = Path("/etc/rancher/k3s/k3s.yaml")


def save_command(image: str) -> tuple[str, ...]:
    """The command that writes an image to its standard output."""
    return ("docker", "save", image)


def import_command() -> tuple[str, ...]:
    """The command that takes an image from its standard input into k3s's containerd."""
    return ("k3s", "ctr", "images", "import", "-")


def kubectl_command(shell: Shell) -> tuple[str, ...]:
    """The user's kubectl, or the one inside k3s."""
    found = shell.find("kubectl")
    return (found,) if found else ("k3s", "kubectl")
