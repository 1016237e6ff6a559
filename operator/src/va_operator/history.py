"""The history: which revision began to serve when. Pure.

It is carried on from the status that the API server has, so a restart loses nothing.
"""

from datetime import datetime
from typing import Any, Final

from va_operator.api import Manifest

LENGTH: Final = 10
"""Entries that a status has room for."""


def read_history(status: Manifest) -> list[Manifest]:
    """Return the entries of a status, newest first, without what is none: it may be edited."""
    found = status.get("history")
    return [
        {"revision": entry["revision"], "since": entry["since"]}
        for entry in (found if isinstance(found, list) else ())
        if _is_entry(entry)
    ][:LENGTH]


def write_history(before: list[Manifest], serving: str | None, *, now: datetime) -> list[Manifest]:
    """Return the history with the revision that serves now at its head."""
    if serving is None or (before and before[0]["revision"] == serving):
        return before
    entry = {"revision": serving, "since": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return [entry, *before][:LENGTH]


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    revision, since = entry.get("revision"), entry.get("since")
    if not (isinstance(revision, str) and 0 < len(revision) <= 64 and isinstance(since, str)):
        return False
    try:
        return datetime.fromisoformat(since).tzinfo is not None
    except ValueError:
        return False
