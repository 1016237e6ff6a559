"""Situations of an assistant, built in a line: what was seen of it and of all that is its."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from support.builders import (
    OPENAI,
    a_deployment,
    a_pod,
    a_report,
    a_service,
    an_assistant,
    the_revision,
)
from va_operator.observed import Pod
from va_operator.reports import Report
from va_operator.situation import Situation

ADA = an_assistant(model=OPENAI)
"""Two pods are asked for."""
REVISION = the_revision(ADA)
NEW, OLD = REVISION.id, "0123456789"
"""The desired revision, and an earlier one."""
NOW = datetime(2026, 5, 4, tzinfo=UTC)


def a_situation(*pods: Pod, reports: tuple[Report | None, ...] = (), **given: Any) -> Situation:
    """Return a situation in which the pods, in order, said what the reports are."""
    said = {
        pod.uid: report and replace(report, revision=pod.revision)
        for pod, report in zip(pods, reports, strict=False)
    }
    base: dict[str, Any] = {
        "assistant": ADA,
        "revision": REVISION,
        "refusals": (),
        "deployment": a_deployment(),
        "service": a_service(),
    }
    return Situation(**{**base, **given}, pods=pods, reports=said)


def two(revision: str = NEW, **given: Any) -> tuple[Pod, Pod]:
    """Return two pods that are alike."""
    return a_pod(revision, name="ada-1", **given), a_pod(revision, name="ada-2", **given)


def failing(reason: str, state: str = "Failed") -> Report:
    """Return what a pod says whose model failed."""
    return a_report(state, reason, "why")
