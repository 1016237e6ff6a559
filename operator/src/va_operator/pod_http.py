"""Asks pods directly by their addresses: how the operator does it inside of the cluster."""

import json
from typing import Final

import aiohttp

from va_operator.api import Manifest
from va_operator.errors import ClusterFailure
from va_operator.observed import Pod

TIMEOUT: Final = aiohttp.ClientTimeout(total=3, sock_connect=1)
LARGEST: Final = 64 * 1024
"""Bytes of a body that are read: a pod is not trusted to be brief."""


class PodHttp:
    """A client for pods."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(timeout=TIMEOUT)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def ask(self, pod: Pod, port: int, path: str) -> Manifest:
        """Fetch JSON from a pod; raises ClusterFailure where it gives none."""
        host = f"[{pod.ip}]" if ":" in (pod.ip or "") else pod.ip
        try:
            url = f"http://{host}:{port}{path}"
            async with self._session.get(url, allow_redirects=False) as response:
                body: Manifest = json.loads(await _read(response.content))
                return body
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RecursionError) as error:
            raise ClusterFailure(0, f"pod {pod.key} gives no answer: {error!r}") from error


async def _read(stream: aiohttp.StreamReader) -> bytes:
    raw = b""
    async for piece in stream.iter_any():
        raw += piece
        if len(raw) > LARGEST:
            raise ValueError(f"more than {LARGEST} bytes")
    return raw
