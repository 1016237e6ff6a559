"""The pieces of an answer, and how they are read from what an assistant sends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from va_cli.failures import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Text:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A line of the assistant's texts that an answer rests on, or that comes near to one."""

    file: str
    line: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The answer is whole; what an older assistant does not say is None."""

    model: str | None = None
    fallback: bool | None = None
    """True where a stand-in wrote it, because the first model could not."""

    revision: str | None = None
    made_by: str | None = None
    """`Model`, `Passages` or `NoAnswer`, as docs/reference/http.md explains them."""

    sources: tuple[Source, ...] = ()
    nearest: tuple[Source, ...] = ()
    """The lines that come nearest to an answer, where there is none."""

    finish_reason: str | None = None

    @property
    def was_cut_short(self) -> bool:
        """Say whether the answer met the model's length limit."""
        return self.finish_reason == "length"


Event: TypeAlias = Text | Done


def parse_event(name: str, data: str) -> Event | Refusal | None:
    """Read one server-sent event; None for one that this version does not know."""
    if name not in {"text", "done", "error"}:
        return None
    body = _json_object(data)
    if body is None:
        return Refusal(reason="InvalidAnswer", message=f"an event '{name}' without a JSON object")
    if name == "text":
        return Text(str(body.get("text", "")))
    if name == "done":
        return _done(body)
    return parse_refusal(None, "application/json", data) or Refusal(
        reason="InvalidAnswer", message="an error event that does not say what failed"
    )


def parse_answer(data: str) -> tuple[Text, Done] | None:
    """Read a whole answer; None where it is something else."""
    body = _json_object(data)
    if body is None or not isinstance(body.get("answer"), str):
        return None
    return Text(body["answer"]), _done(body)


def parse_refusal(
    status: int | None, content_type: str, data: str, retry_after: str | None = None
) -> Refusal | None:
    """Read an assistant's error answer, in JSON or in text; None where it is no such thing."""
    seconds = float(retry_after) if retry_after and retry_after.isdecimal() else None
    if content_type.startswith("application/json"):
        error = (_json_object(data) or {}).get("error")
        if isinstance(error, dict) and isinstance(error.get("reason"), str):
            return Refusal(
                reason=error["reason"],
                message=str(error.get("message") or ""),
                status=status,
                retry_after=seconds,
            )
    elif content_type.startswith("text/plain"):
        reason, colon, message = data.strip().partition(": ")
        if colon and reason.isalpha() and reason[0].isupper() and "\n" not in message:
            return Refusal(reason=reason, message=message, status=status, retry_after=seconds)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServerAnswer:
    """What the API server says of its own when it cannot pass a request on."""

    status: int
    message: str


def parse_api_server_answer(content_type: str, data: str) -> ApiServerAnswer | None:
    """Read a Kubernetes Status object; None where the answer is the assistant's."""
    if not content_type.startswith("application/json"):
        return None
    body = _json_object(data)
    if body is None or body.get("kind") != "Status" or body.get("apiVersion") != "v1":
        return None
    return ApiServerAnswer(status=int(body.get("code") or 0), message=str(body.get("message")))


def done_fields(done: Done) -> dict[str, Any]:
    """Return what is said of an answer, under the names that the interface has for it."""
    return {
        "model": done.model,
        "fallback": done.fallback,
        "revision": done.revision,
        "madeBy": done.made_by,
        "sources": _source_fields(done.sources),
        "nearest": _source_fields(done.nearest),
        "finishReason": done.finish_reason,
    }


def _source_fields(sources: Sequence[Source]) -> list[dict[str, Any]]:
    return [{"file": one.file, "line": one.line, "text": one.text} for one in sources]


def _done(body: dict[str, Any]) -> Done:
    fallback = body.get("fallback")
    return Done(
        model=_text_or_none(body.get("model")),
        fallback=fallback if isinstance(fallback, bool) else None,
        revision=_text_or_none(body.get("revision")),
        made_by=_text_or_none(body.get("madeBy")),
        sources=_sources(body.get("sources")),
        nearest=_sources(body.get("nearest")),
        finish_reason=_text_or_none(body.get("finishReason")),
    )


def _sources(raw: object) -> tuple[Source, ...]:
    """Read the sources; what is no source is left out, for the answer is good without it."""
    found = []
    for item in raw if isinstance(raw, list) else ():
        if isinstance(item, dict) and isinstance(item.get("file"), str):
            line = item.get("line")
            is_a_line = isinstance(line, int) and not isinstance(line, bool) and line > 0
            found.append(
                Source(
                    file=item["file"],
                    line=line if is_a_line else None,
                    text=_text_or_none(item.get("text")) or "",
                )
            )
    return tuple(found)


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _json_object(data: str) -> dict[str, Any] | None:
    try:
        body = json.loads(data)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
