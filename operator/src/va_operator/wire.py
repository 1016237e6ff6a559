"""What goes over the wire to the API server and comes back: bodies, lines of a watch, failures."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp

from va_operator.api import Manifest
from va_operator.errors import ClusterFailure, ResourceExpired

_ESCAPED_IN_YAML: Final = re.compile("[\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def described(method: str, path: str, *, watch: bool) -> tuple[str, str]:
    """Return the verb and the resource of a request, with its subresource, as RBAC names them.

    For RBAC discovery has no resource; here it is one, that of each API being as good as all.
    """
    parts = path.removeprefix("/").split("/")
    parts = parts[2 if parts[0] == "api" else 3 :]  # without api/v1 or apis/GROUP/VERSION
    if not parts:
        return "get", "discovery"
    if parts[0] == "namespaces":
        parts = parts[2:]
    plural, name, sub = parts[0], parts[1:2], parts[2:3]
    reading = "watch" if watch else "get" if name else "list"
    return _VERBS.get(method, reading), "/".join([plural, *sub])


def as_yaml(body: Manifest) -> str:
    """Return a body as JSON that is YAML too: server-side apply reads it as YAML.

    YAML knows no pairs of surrogates, as JSON's escape of an emoji is one, and takes some
    other characters only escaped.
    """
    text = json.dumps(body)
    if "\\u" not in text:
        return text
    text = json.dumps(body, ensure_ascii=False)
    return _ESCAPED_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


async def read_lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Split a stream into lines of any length; aiohttp's own reader gives up on long ones."""
    rest = b""
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield line


async def read_json(response: aiohttp.ClientResponse) -> Any:
    """Read a whole body, {} where it is no JSON; raises ClusterFailure where it breaks off."""
    try:
        return json.loads(await response.read())
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ClusterFailure(0, f"the answer broke: {error!r}") from error
    except (ValueError, RecursionError):
        return {}


def failure_of(response: aiohttp.ClientResponse, body: Any) -> ClusterFailure:
    """Return the failure that a response with an error status tells of."""
    after = response.headers.get("Retry-After", "")
    failure = failure_in(body, response.status)
    failure.retry_after = float(after) if after.isdigit() else None
    return failure


def failure_in(body: Any, status: int = 0) -> ClusterFailure:
    """Return the failure that a Status object tells of; ``status`` stands in for its code."""
    status = (isinstance(body, dict) and body.get("code")) or status
    message = (isinstance(body, dict) and body.get("message")) or "no message"
    if status == 410:
        return ResourceExpired(message)
    reason = (isinstance(body, dict) and body.get("reason")) or ""
    return ClusterFailure(status, message, reason=reason)
