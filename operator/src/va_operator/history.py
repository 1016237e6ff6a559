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


def write_history(
    before: list[Manifest], serving: str | None, *, desired: str | None, since: str
) -> list[Manifest]:
    """Return the history with the revision that serves now, ``since`` then, at its head.

    While the first pods of the desired revision come and go, the one before it steps in again
    and again: that is no news, and would push out what is.
    """
    latest = [entry["revision"] for entry in before[:2]]
    steps_in = serving != desired and serving in latest
    if serving is None or serving in latest[:1] or steps_in:
        return before
    return [{"revision": serving, "since": since}, *before][:LENGTH]


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
