"""Asking an assistant over HTTP, as curl does."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


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
    """Ask once; raises OSError where nobody answers."""
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
