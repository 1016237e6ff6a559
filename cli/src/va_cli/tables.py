"""Columns as kubectl prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from va_cli.durations import age
from va_cli.terminal import paint, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from va_cli.assistants import Assistant

NONE = "<none>"
_READY_COLOURS = {"True": "green", "False": "red", "Unknown": "yellow"}


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return lines with three spaces between the columns and none at the end."""
    cells = [header, *([" ".join(plain(cell).split()) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return [
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def assistants_table(
    assistants: Sequence[Assistant],
    *,
    now: datetime,
    all_namespaces: bool = False,
    wide: bool = False,
    colour: bool = False,
) -> list[str]:
    """Return the assistants as `kubectl get` would show them."""
    header = ["NAME", "READY", "REPLICAS", "MODEL", "REVISION", "URL"]
    header = ["NAMESPACE"] * all_namespaces + header + ["REASON", "MESSAGE"] * wide + ["AGE"]
    lines = table(header, [_row(a, now, all_namespaces, wide) for a in assistants])
    if not colour:
        return lines
    return [lines[0], *(_coloured(line, a) for line, a in zip(lines[1:], assistants, strict=True))]


def _row(assistant: Assistant, now: datetime, all_namespaces: bool, wide: bool) -> Sequence[str]:
    ready = assistant.condition("Ready")
    row = [
        assistant.name,
        ready.status if ready else "Unknown",
        f"{assistant.ready_replicas}/{0 if assistant.suspended else assistant.replicas}",
        assistant.model or NONE,
        assistant.revision_serving or NONE,
        assistant.url or NONE,
    ]
    more = [ready.reason if ready else NONE, (ready.message if ready else "") or NONE]
    return (
        [assistant.namespace] * all_namespaces + row + more * wide + [age(assistant.created, now)]
    )


def _coloured(line: str, assistant: Assistant) -> str:
    """Colour the first READY cell; after the padding, so that columns stay in line."""
    ready = assistant.condition("Ready")
    word = ready.status if ready else "Unknown"
    before, found, after = line.partition(f" {word} ")
    return f"{before} {paint(word, _READY_COLOURS[word], on=True)} {after}" if found else line
