"""The ways of answering that are measured. Thin: each only asks and passes on what came."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.answers.asking import Ask, AskFailed, AskLater, Beside
from benchmarks.answers.cases import Case
from benchmarks.answers.judging import Said
from benchmarks.answers.pipeline_ways import extraction, ours, reranked, retrieved

PATIENCE_SECONDS = 120
COME_BACK = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
ANSWER_TOKENS = 160
"""Somewhat more than is read of an answer (`READ_CHARACTERS`). The script that this began with set
no limit, but a small model that repeats itself needs one."""


@contextmanager
def original(text: Path, beside: Beside) -> Iterator[Ask]:
    """Give the way of the script that this began with: the text as system message, as it is."""
    system = {"role": "system", "content": text.read_text("utf-8")}

    def ask(case: Case) -> Said:
        messages = [system]
        for asked, answered in case.before:
            messages.append({"role": "user", "content": asked})
            messages.append({"role": "assistant", "content": answered})
        messages.append({"role": "user", "content": case.ask})
        return Said(text=complete(beside.url, messages))

    yield ask


def served(url: str, token: str | None = None) -> Ask:
    """Return the way of an assistant that runs somewhere, with whatever model it has.

    The token is what it asks of its clients, where it does.
    """

    def ask(case: Case) -> Said:
        history = [
            {"role": role, "text": text}
            for turn in case.before
            for role, text in zip(("user", "assistant"), turn, strict=True)
        ]
        found = post(url, {"question": case.ask, "history": history}, token)
        made = found.get("madeBy")
        return Said(
            text=found["answer"],
            refused=None if made is None else made == "NoAnswer",
            nearest=tuple(line["text"] for line in found.get("nearest", ())),
        )

    return ask


def complete(model_url: str, messages: list[dict[str, str]]) -> str:
    """Return what the model says to messages; always the same to the same."""
    body = {"messages": messages, "temperature": 0, "max_tokens": ANSWER_TOKENS}
    found = post(f"{model_url}/v1/chat/completions", body)
    return str(found["choices"][0]["message"]["content"])


def post(url: str, body: dict[str, Any], token: str | None = None) -> Any:
    """Send JSON and return the JSON that comes.

    Raises `AskLater` where the server says when to come back, as one does that lets a client ask
    so many questions a minute; else `AskFailed`.
    """
    at = urlsplit(url)
    kind = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
    connection = kind(at.netloc, timeout=PATIENCE_SECONDS)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request("POST", at.path or "/", json.dumps(body), headers)
        response = connection.getresponse()
        content = response.read().decode("utf-8", "replace")
        if response.status != 200:
            said = f"{response.status}: {content[:200]}"
            wait = response.getheader("Retry-After", "")
            if response.status in COME_BACK and wait.isdecimal():
                raise AskLater(said, float(wait))
            raise AskFailed(said)
        return json.loads(content)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise AskFailed(repr(error)) from error
    finally:
        connection.close()


WAYS = {
    "original": original,
    "retrieved": retrieved,
    "extraction": extraction,
    "reranked": reranked,
    "ours": ours,
}
"""Each adds something to the one before it, but `extraction`, which takes the model away."""

WITHOUT_MODEL = frozenset({"extraction"})
