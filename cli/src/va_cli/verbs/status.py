"""`va status`: one assistant, and what to do next."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from va_cli.choosing import assistant_named, meant_by
from va_cli.failures import NotAllowed
from va_cli.options import Context, Debug, Kubeconfig, Name, Namespace, StatusFormat
from va_cli.session import session_of

if TYPE_CHECKING:
    from va_cli.assistants import Assistant
    from va_cli.cluster import Cluster
    from va_cli.status_report import Report


def status(
    invocation: typer.Context,
    name: Name = None,
    output: Annotated[
        StatusFormat, typer.Option("--output", "-o", help="How to print it.")
    ] = StatusFormat.TEXT,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    debug: Debug = False,
) -> None:
    """Show how one assistant is, why, and what to do next."""
    from va_cli.machine_formats import json_text, yaml_text
    from va_cli.status_report import report_lines, report_object

    session = session_of(invocation, debug=debug)
    with session.notes() as notes:
        notes.stage("looking into the cluster")
        cluster = session.cluster(kubeconfig, context)
        place = namespace or cluster.default_namespace
        if name is None:
            assistant, _ = meant_by(
                None, cluster, namespace=place, default=session.settings.assistant
            )
        else:
            assistant = assistant_named(cluster, place, name)
        report = _look_around(cluster, assistant)
    match output:
        case StatusFormat.JSON:
            text = json_text(report_object(report, program=session.program))
        case StatusFormat.YAML:
            text = yaml_text(report_object(report, program=session.program))
        case StatusFormat.TEXT:
            lines = report_lines(
                report, now=datetime.now(UTC), program=session.program, colour=session.colour
            )
            text = "\n".join(lines)
    sys.stdout.write(text + "\n")


def _look_around(cluster: "Cluster", assistant: "Assistant") -> "Report":
    """Read what is around the assistant, as far as the user may see it."""
    from va_cli.pods import parse_pod, parse_warnings
    from va_cli.status_report import Report

    pods = warnings = None
    try:
        selector = assistant.selector
        found = cluster.pods(assistant.namespace, selector) if selector else ()
        pods = [parse_pod(pod) for pod in found]
    except NotAllowed:
        pass
    try:
        names = [assistant.name, *(pod.name for pod in pods or ())]
        warnings = parse_warnings(cluster.warnings(assistant.namespace), about=names)
    except NotAllowed:
        pass
    return Report(assistant=assistant, pods=pods, warnings=warnings)
