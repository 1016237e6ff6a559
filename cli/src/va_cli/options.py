"""The arguments and options that several verbs share, with the same meaning in each."""

import re
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer

from va_cli.completion import assistant_names
from va_cli.durations import parse_duration

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class Seconds(float):
    """Seconds, from a duration as people write it."""


def _seconds(given: str | Seconds) -> Seconds:
    if isinstance(given, Seconds):
        # A default value, which typer parses too.
        return given
    try:
        return Seconds(parse_duration(given))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _namespace(given: str | None) -> str | None:
    """Refuse what no namespace is called: it would lead to another path of the API."""
    if given and not _NAMESPACE.fullmatch(given):
        raise typer.BadParameter(f"'{given}' cannot be the name of a namespace")
    return given


class ListFormat(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


class StatusFormat(StrEnum):
    """How a summary is printed."""

    TEXT = "text"
    JSON = "json"
    YAML = "yaml"


class AnswerFormat(StrEnum):
    """How an answer is printed."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


Name: TypeAlias = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        show_default=False,
        autocompletion=assistant_names,
        help="The assistant. Default: VA_ASSISTANT, else the only one in the namespace.",
    ),
]
Namespace: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        "-n",
        metavar="NAME",
        callback=_namespace,
        help="Its namespace. Default: the context's.",
    ),
]
Context: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The kubeconfig's context. Default: the current one."),
]
Kubeconfig: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Default: KUBECONFIG, else ~/.kube/config, else /etc/rancher/k3s/k3s.yaml.",
    ),
]
Url: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Ask whoever answers there and look into no cluster. Default: VA_URL."
    ),
]
TokenFile: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help="The token, where the assistant asks for one. Default: VA_TOKEN.",
    ),
]
Timeout: TypeAlias = Annotated[
    Seconds,
    typer.Option(
        "--timeout",
        parser=_seconds,
        metavar="DURATION",
        show_default=False,
        help="How long finding the assistant and its whole answer may take. Default: 2m.",
    ),
]
Wait: TypeAlias = Annotated[
    Seconds | None,
    typer.Option(
        "--wait",
        parser=_seconds,
        metavar="DURATION",
        help="Wait so long for an assistant that cannot be asked yet, such as '60s'.",
    ),
]
Sources: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--sources/--no-sources",
        show_default=False,
        help="Name the lines that an answer rests on below it, or, where there is none, those that "
        "come nearest. Default: on a terminal.",
    ),
]
Continue: TypeAlias = Annotated[
    bool,
    typer.Option("--continue", "-c", help="Go on with the last conversation with the assistant."),
]
Verbose: TypeAlias = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say on stderr which way was taken and why.")
]
Debug: TypeAlias = Annotated[bool, typer.Option("--debug", help="Show the trace of a failure.")]
