"""What a provider's error response means; pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from va_assistant.errors import Failure, Reason

_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context|context (length|size|window)",
    re.IGNORECASE,
)
_CUT_TO_NOTHING = re.compile(r"output limit was reached", re.IGNORECASE)
_ABOUT_CONTENT = frozenset({"content_filter", "content_policy_violation"})
_KEY_LIKE = re.compile(r"\b(sk|key|Bearer)[-_ ][^\s'\"]{6,}")
_ACCOUNT = re.compile(r"\b(?:org|proj)[-_][A-Za-z0-9]{6,}")
"""How OpenAI names the organization and the project that a key belongs to."""


def failure_of(
    status: int,
    body: object,
    headers: Mapping[str, str],
    *,
    now: datetime,
    who: str = "the provider",
) -> Failure:
    """Return the failure that a response with an error status stands for.

    `who` has answered.
    """
    fields = body if isinstance(body, Mapping) else {}
    text = nameless(_message(fields, body))
    said = f"{who} answered {status}" + (f": {text}" if text else "")
    codes = f"{fields.get('code')} {fields.get('type')}"
    if status == 401:
        # Providers like to quote the key here.
        return Failure(Reason.KEY_REFUSED, "the provider refuses the key (401)")
    if status == 403:
        return Failure(Reason.KEY_REFUSED, said)
    if status == 404:
        return Failure(Reason.MODEL_NOT_FOUND, said)
    if status == 408:
        return Failure(Reason.TIMEOUT, said)
    if status == 429:
        return Failure(Reason.RATE_LIMITED, said, retry_after=retry_after_seconds(headers, now=now))
    if status == 413 or (status in {400, 422} and _TOO_LONG.search(f"{codes} {text}")):
        return Failure(Reason.CONTEXT_TOO_LARGE, said)
    if status >= 500 or status == 409:
        return Failure(
            Reason.UPSTREAM_ERROR, said, retry_after=retry_after_seconds(headers, now=now)
        )
    if status < 400:
        return Failure(Reason.REQUEST_REFUSED, f"{said}: a redirection, is the baseURL right?")
    about_question = bool(_ABOUT_CONTENT & set(codes.split()))
    return Failure(Reason.REQUEST_REFUSED, said, about_question=about_question)


def nameless(message: str) -> str:
    """Return a provider's message without what looks like a key or the name of an account."""
    return _ACCOUNT.sub("…", _KEY_LIKE.sub("…", message))


def is_cut_to_nothing(failure: Failure) -> bool:
    """Tell whether a model only complains that it had no room for an answer."""
    return failure.reason is Reason.REQUEST_REFUSED and bool(
        _CUT_TO_NOTHING.search(failure.message)
    )


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return how long the provider wants to be left alone, in any of its spellings."""
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            seconds = float(milliseconds) / 1000
        elif (value := headers.get("retry-after")) is None:
            return None
        elif value.strip()[:1].isdigit():
            seconds = float(value)
        else:
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if 0 <= seconds < 1e6 else None


def _message(fields: Mapping[str, Any], body: object) -> str:
    message = fields.get("message")
    if isinstance(message, str):
        return message
    return body if isinstance(body, str) else ""
