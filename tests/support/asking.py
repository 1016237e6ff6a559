"""Asking an assistant over HTTP, as curl does."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from support.cluster import until


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def ask(
    url: str,
    question: str | bytes,
    *,
    content_type: str = "text/plain",
    accept: str = "*/*",
    method: str = "POST",
    within: float = 90,
) -> Reply:
    """Ask once; raises OSError where nobody answers, HTTPException where half of one does."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=within)
    try:
        body = question.encode() if isinstance(question, str) else question
        connection.request(
            method, parts.path or "/", body, {"Content-Type": content_type, "Accept": accept}
        )
        response = connection.getresponse()
        text = response.read().decode()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, text)
    finally:
        connection.close()


def wait_until_open(url: str, *, within: float = 15) -> None:
    """Wait until a node port leads to a pod; nodes learn of it a moment after it is ready."""

    def opened() -> bool:
        try:
            return ask(url + "health", "", method="GET", within=2).status == 200
        except (OSError, http.client.HTTPException):
            return False

    until(opened, within=within, show=lambda: f"nobody answers at {url}")
