"""The cluster of the user's current kubectl context, which is used only when asked for by name."""

from collections.abc import Mapping
from pathlib import Path

from va_cluster.errors import NotOurs

KIND_PREFIX = "kind-"


def kubeconfig(environment: Mapping[str, str]) -> str:
    """The kubeconfig that kubectl reads; it may be several files, with colons between them."""
    if named := environment.get("KUBECONFIG"):
        return named
    return str(Path(environment.get("HOME", "/root"), ".kube", "config"))


def kind_cluster(context: str) -> str:
    """The name of the kind cluster behind a context; only those can be loaded into."""
    if context.startswith(KIND_PREFIX):
        return context.removeprefix(KIND_PREFIX)
    raise NotOurs(
        f"Images cannot be loaded into the cluster of the context {context!r}.",
        "Push them to a registry that it pulls from (`docker push`), and use those names.",
    )
