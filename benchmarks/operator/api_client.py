"""A bare asynchronous client of the API server: a TLS session, requests, bytes.

It is the limit that the operator is measured against, so it does nothing that writing an object
does not need: no models, no cache, no watch, no retries.
"""

import base64
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON = "application/json"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
REQUEST_SECONDS = 60


class Refused(Exception):
    """The API server refused a request that the benchmark relies on."""


@dataclass(frozen=True)
class ApiClient:
    """A session with the API server of one kubeconfig."""

    session: aiohttp.ClientSession

    async def send(
        self,
        method: str,
        path: str,
        body: str | None = None,
        *,
        content: str = JSON,
        query: Mapping[str, str] | None = None,
        fine: tuple[int, ...] = (),
    ) -> bytes:
        """Send one request and return the answer's bytes; raises Refused from code 400 on."""
        async with self.session.request(
            method, path, data=body, params=query, headers={"Content-Type": content}
        ) as response:
            answer = await response.read()
            if response.status >= 400 and response.status not in fine:
                told = answer[:300].decode(errors="replace")
                raise Refused(f"{method} {path}: {response.status} {told}")
            return answer

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """Return an object or a list as data."""
        return json.loads(await self.send("GET", path, query=query))

    async def apply(self, path: str, body: str, manager: str) -> bytes:
        """Apply an object server-side."""
        query = {"fieldManager": manager, "force": "true"}
        return await self.send("PATCH", path, body, content=APPLY, query=query)

    async def watch(
        self, path: str, *, accept: str, query: Mapping[str, str]
    ) -> AsyncIterator[bytes]:
        """Yield the lines of a watch until the server ends it."""
        asked = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": "3600", **query}
        limits = aiohttp.ClientTimeout(total=None, sock_connect=5)
        async with self.session.get(
            path, params=asked, headers={"Accept": accept}, timeout=limits
        ) as response:
            if response.status != 200:
                raise Refused(f"watch {path}: {response.status} {await response.text()}")
            rest = b""
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line


@asynccontextmanager
async def connect(kubeconfig: Path) -> AsyncIterator[ApiClient]:
    """Open a session as the kubeconfig's current user, by client certificate as kind makes it."""
    server, context = _credentials(kubeconfig)
    async with aiohttp.ClientSession(
        server,
        connector=aiohttp.TCPConnector(limit=0, ssl=context),
        timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
    ) as session:
        yield ApiClient(session)


def _credentials(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(base64.b64decode(user["client-certificate-data"]))
        pair.write(base64.b64decode(user["client-key-data"]))
        pair.flush()
        context.load_cert_chain(pair.name)
    return cluster["server"], context
