"""`va list`: the assistants and how they are."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from va_cli.options import Context, Debug, Kubeconfig, ListFormat, Namespace
from va_cli.session import session_of


def list_assistants(
    invocation: typer.Context,
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="Those of every namespace.")
    ] = False,
    selector: Annotated[
        str | None,
        typer.Option("--selector", "-l", metavar="LABELS", help="Only those, such as 'team=hr'."),
    ] = None,
    output: Annotated[
        ListFormat, typer.Option("--output", "-o", help="How to print them.")
    ] = ListFormat.TABLE,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    debug: Debug = False,
) -> None:
    """List the assistants and how they are."""
    from va_cli.assistants import RESOURCE, parse_assistant
    from va_cli.machine_formats import json_text, yaml_text
    from va_cli.tables import assistants_table

    session = session_of(invocation, debug=debug)
    with session.notes() as notes:
        notes.stage("looking into the cluster")
        cluster = session.cluster(kubeconfig, context)
        place = None if all_namespaces else namespace or cluster.default_namespace
        found = sorted(
            cluster.assistants(place, selector=selector),
            key=lambda item: (item["metadata"].get("namespace"), item["metadata"]["name"]),
        )
        notes.quiet()
        match output:
            case ListFormat.JSON:
                lines = [json_text({"apiVersion": "v1", "kind": "List", "items": found})]
            case ListFormat.YAML:
                lines = [yaml_text({"apiVersion": "v1", "kind": "List", "items": found})]
            case ListFormat.NAME:
                lines = [f"{RESOURCE}/{item['metadata']['name']}" for item in found]
            case _ if found:
                lines = assistants_table(
                    [parse_assistant(item) for item in found],
                    now=datetime.now(UTC),
                    all_namespaces=all_namespaces,
                    wide=output is ListFormat.WIDE,
                    colour=session.colour,
                )
            case _:
                lines = []
                where = f"namespace '{place}'" if place else "any namespace"
                notes.say(f"no assistants found in {where}")
    for line in lines:
        sys.stdout.write(line + "\n")
