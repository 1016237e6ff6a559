"""`va version`: what runs here and there."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from va_cli.failures import Failure
from va_cli.options import Context, Debug, Kubeconfig, Namespace
from va_cli.session import session_of

if TYPE_CHECKING:
    from va_cli.cluster import Cluster
    from va_cli.terminal import Notes

OPERATOR = "app.kubernetes.io/part-of=virtual-assistant,app.kubernetes.io/component=operator"


class VersionFormat(StrEnum):
    """How versions are printed."""

    TEXT = "text"
    JSON = "json"


def version(
    invocation: typer.Context,
    output: Annotated[
        VersionFormat, typer.Option("--output", "-o", help="How to print them.")
    ] = VersionFormat.TEXT,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    debug: Debug = False,
) -> None:
    """Show the versions of this program and, where it can be reached, of the cluster's side."""
    from importlib.metadata import version as installed

    from va_cli.machine_formats import json_text

    session = session_of(invocation, debug=debug)
    found: dict[str, Any] = {
        "cli": installed("va-cli"),
        "kubernetes": None,
        "operator": None,
        "assistants": None,
    }
    with session.notes() as notes:
        notes.stage("looking into the cluster")
        try:
            cluster = session.cluster(kubeconfig, context)
            found["kubernetes"] = cluster.version()
        except Failure as failure:
            if kubeconfig or context:
                raise
            notes.say(f"{failure.what} {failure.why}")
        else:
            found["operator"] = _operator(cluster, notes)
            found["assistants"] = _assistants(cluster, namespace, notes)
    text = json_text(found) if output is VersionFormat.JSON else "\n".join(_lines(found))
    sys.stdout.write(text + "\n")


def _operator(cluster: "Cluster", notes: "Notes") -> dict[str, str | None] | None:
    """Return what the operator's Deployment says: its version label, else its image's tag."""
    try:
        deployments = cluster.deployments(OPERATOR)
    except Failure as failure:
        notes.say(f"operator: {failure.why}")
        return None
    if not deployments:
        return None
    metadata = deployments[0]["metadata"]
    image = str(deployments[0]["spec"]["template"]["spec"]["containers"][0].get("image"))
    return {
        "version": (metadata.get("labels") or {}).get("app.kubernetes.io/version") or _tag(image),
        "image": image,
        "namespace": metadata.get("namespace"),
    }


def _tag(image: str) -> str | None:
    """Return the image's tag; a registry's port is none."""
    _, colon, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    return tag if colon else None


def _assistants(
    cluster: "Cluster", namespace: str | None, notes: "Notes"
) -> list[dict[str, str | None]] | None:
    from va_cli.assistants import parse_assistant

    try:
        found = cluster.assistants(namespace or cluster.default_namespace)
    except Failure as failure:
        notes.say(f"assistants: {failure.why}")
        return None
    return [
        {"name": a.name, "namespace": a.namespace, "revision": a.revision_serving}
        for a in map(parse_assistant, found)
    ]


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{'va':<12}{found['cli']}"]
    if found["kubernetes"]:
        lines.append(f"{'Kubernetes':<12}{found['kubernetes']}")
    operator = found["operator"]
    if operator:
        known = operator["version"] or "unknown"
        lines.append(f"{'operator':<12}{known} ({operator['image']})")
    for assistant in found["assistants"] or ():
        revision = assistant["revision"] or "<none>"
        lines.append(f"{assistant['name']:<12}revision {revision}")
    return lines
