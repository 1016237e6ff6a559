"""All that one looks at when an assistant does not do what it should."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from va_cli.assistants import why_not_ready
from va_cli.durations import age
from va_cli.next_steps import next_step
from va_cli.tables import NONE, table
from va_cli.terminal import paint, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from va_cli.assistants import Assistant
    from va_cli.pods import Pod, WarningEvent


LONGEST_MESSAGE = 100
"""Of a line among others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An assistant with its surroundings."""

    assistant: Assistant
    pods: Sequence[Pod] | None
    """None where they may not be listed."""

    warnings: Sequence[WarningEvent] | None
    """None where events may not be listed."""

    @property
    def next_step(self) -> str:
        """What to do now."""
        return next_step(self.assistant, self.pods or ())


def report_lines(report: Report, *, now: datetime, program: str, colour: bool) -> list[str]:
    """Return the report for people."""
    sections = [
        _summary(report.assistant, now, colour),
        _conditions(report.assistant, now),
        _pods(report, now),
        _warnings(report, now),
        [f"Next: {report.next_step.replace('{va}', program)}"],
    ]
    lines = [line for section in sections if section for line in (*section, "")]
    return lines[:-1]


def report_object(report: Report, *, program: str) -> dict[str, Any]:
    """Return the report for programs; the keys are documented and stay."""
    assistant = report.assistant
    ready = assistant.condition("Ready")
    return {
        "name": assistant.name,
        "namespace": assistant.namespace,
        "ready": assistant.holds("Ready"),
        "reason": ready.reason if ready else None,
        "message": ready.message if ready else None,
        "url": assistant.url,
        "suspended": assistant.suspended,
        "replicas": {
            "desired": assistant.replicas,
            "ready": assistant.ready_replicas,
            "updated": assistant.updated_replicas,
        },
        "revision": {
            "desired": assistant.revision_desired,
            "serving": assistant.revision_serving,
        },
        "context": {
            "bytes": assistant.context_bytes,
            "tokens": assistant.context_tokens,
            "estimatedTokens": assistant.context_estimated_tokens,
            "window": assistant.context_window,
            "windowPercent": assistant.context_window_percent,
            "given": assistant.context_given,
            "files": list(assistant.context_files),
        },
        "models": [
            {"name": m.name, "state": m.state, "lastError": m.last_error} for m in assistant.models
        ],
        "conditions": [
            {
                "type": c.type,
                "status": c.status,
                "reason": c.reason,
                "message": c.message,
                "lastTransitionTime": _time(c.since),
            }
            for c in assistant.conditions
        ],
        "pods": None if report.pods is None else [_pod_object(pod) for pod in report.pods],
        "warnings": None
        if report.warnings is None
        else [
            {
                "about": w.about,
                "reason": w.reason,
                "message": w.message,
                "count": w.count,
                "lastSeen": _time(w.last_seen),
            }
            for w in report.warnings
        ],
        "next": report.next_step.replace("{va}", program),
    }


def _summary(assistant: Assistant, now: datetime, colour: bool) -> list[str]:
    if assistant.holds("Ready"):
        state, how = "ready", "green"
    elif assistant.holds("Available"):
        state, how = "not ready, but an older revision answers", "yellow"
    else:
        state, how = "not ready", "red"
    name = paint(assistant.name, "bold", on=colour)
    lines = [f"{name} in namespace {assistant.namespace}: {paint(state, how, on=colour)}"]
    why = why_not_ready(assistant)
    if why:
        lines.append(f"  {plain(why)}")
    if not assistant.is_observed and assistant.conditions:
        lines.append("  The operator has not yet seen the last change of the object.")
    return [*lines, "", *_facts(assistant, now)]


def _facts(assistant: Assistant, now: datetime) -> Iterator[str]:
    facts = {
        "URL": assistant.url or NONE,
        "Model": _models(assistant),
        "Replicas": f"{assistant.ready_replicas} of {assistant.replicas} ready"
        + (", suspended" if assistant.suspended else ""),
        "Revision": _revision(assistant),
        "Context": _context(assistant),
        "Age": age(assistant.created, now),
    }
    for label, fact in facts.items():
        yield f"{label:<10}{plain(fact)}"


def _models(assistant: Assistant) -> str:
    told = [
        f"{model.name} ({model.state}{': ' + model.last_error if model.last_error else ''})"
        for model in assistant.models
    ]
    return ", ".join(told) or assistant.model_asked_for or NONE


def _revision(assistant: Assistant) -> str:
    desired, serving = assistant.revision_desired, assistant.revision_serving
    if desired and serving and desired != serving:
        return f"{serving} answers, {desired} is asked for"
    if serving:
        return serving
    return f"none answers, {desired} is asked for" if desired else NONE


def _context(assistant: Assistant) -> str:
    parts = []
    if assistant.context_bytes is not None:
        parts.append(f"{assistant.context_bytes} bytes")
    if (size := _tokens(assistant)) is not None:
        parts.append(size)
    if assistant.context_given == "Passages":
        parts.append("passages are given")
    if assistant.context_files:
        parts.append(", ".join(assistant.context_files))
    return "; ".join(parts) or NONE


def _tokens(assistant: Assistant) -> str | None:
    """Return how large the texts are for the model, which has counted them only where it is given
    all of them."""
    counted, estimated = assistant.context_tokens, assistant.context_estimated_tokens
    passages = assistant.context_given == "Passages"
    if estimated is not None and (counted is None or passages):
        size = f"about {estimated} tokens"
    elif counted is not None:
        size = f"{counted} tokens"
    else:
        return None
    percent = assistant.context_window_percent
    return size if percent is None else f"{size}, {percent} % of the window"


def _conditions(assistant: Assistant, now: datetime) -> list[str]:
    if not assistant.conditions:
        return []
    return table(
        ["CONDITION", "STATUS", "REASON", "AGE", "MESSAGE"],
        [
            [c.type, c.status, c.reason, age(c.since, now), shortened(c.message)]
            for c in assistant.conditions
        ],
    )


def _pods(report: Report, now: datetime) -> list[str]:
    if report.pods is None:
        return ["Pods: you may not list them."]
    if not report.pods:
        return ["Pods: none."]
    return table(
        ["POD", "READY", "STATUS", "RESTARTS", "NODE", "AGE"],
        [
            [p.name, p.ready, p.status, str(p.restarts), p.node or NONE, age(p.created, now)]
            for p in report.pods
        ],
    )


def _warnings(report: Report, now: datetime) -> list[str]:
    if report.warnings is None:
        return ["Warnings: you may not list events."]
    if not report.warnings:
        return []
    return [
        "Warnings:",
        *(
            f"  {age(w.last_seen, now)} ago, {w.about}: {w.reason}: "
            f"{shortened(w.message)}" + (f" ({w.count} times)" if w.count > 1 else "")
            for w in report.warnings
        ),
    ]


def shortened(message: str) -> str:
    """Return one line that leaves room for others; the whole is in the JSON."""
    line = " ".join(plain(message).split())
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


def _pod_object(pod: Pod) -> dict[str, Any]:
    return {
        "name": pod.name,
        "ready": pod.ready,
        "status": pod.status,
        "restarts": pod.restarts,
        "revision": pod.revision,
        "node": pod.node,
        "created": _time(pod.created),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
