"""The API server, and nothing else: the only module that imports `kubernetes`.

Bodies go in and out as plain data. The client library does addresses,
credentials, TLS and proxies; its model classes are not used, for they cost more
than all the rest.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from va_operator.api import API_VERSION, PLURAL, Key, Manifest
from va_operator.errors import ClusterFailure, ResourceExpired
from va_operator.owned import FIELD_MANAGER

PAGE: Final = 500
REQUEST_SECONDS: Final = 30
WATCH_SECONDS: Final = 290
"""How long the server keeps a watch open; it ends it by itself then."""
POD_SECONDS: Final = 5
"""How long a pod may take to answer through the proxy."""
SILENCE_SECONDS: Final = 100
"""A watch sends a bookmark about once a minute: silence means that it is dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind of object, as the API's paths name it."""

    api_version: str
    plural: str
    kind: str

    def path(self, namespace: str | None, name: str | None = None, sub: str | None = None) -> str:
        """Return the path of a collection, an object or a subresource."""
        root = "/api" if "/" not in self.api_version else "/apis"
        parts = [root.removeprefix("/"), self.api_version]
        parts += ["namespaces", quote(namespace, safe="")] if namespace else []
        parts += [self.plural]
        parts += [quote(name, safe=":")] if name else []
        parts += [sub] if sub else []
        return "/" + "/".join(parts)


ASSISTANTS: Final = Resource(api_version=API_VERSION, plural=PLURAL, kind="VirtualAssistant")
CONFIG_MAPS: Final = Resource(api_version="v1", plural="configmaps", kind="ConfigMap")
SERVICES: Final = Resource(api_version="v1", plural="services", kind="Service")
PODS: Final = Resource(api_version="v1", plural="pods", kind="Pod")
EVENTS: Final = Resource(api_version="v1", plural="events", kind="Event")
DEPLOYMENTS: Final = Resource(api_version="apps/v1", plural="deployments", kind="Deployment")

CHILDREN: Final[Mapping[str, Resource]] = {
    resource.kind: resource for resource in (CONFIG_MAPS, SERVICES, DEPLOYMENTS)
}

_METADATA: Final = {
    "list": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    "watch": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
}

Method = Literal["GET", "POST", "PATCH", "DELETE"]


class ApiServer:
    """A connection to the API server."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    @classmethod
    async def connect(cls, *, in_cluster: bool) -> "ApiServer":
        """Connect by the pod's service account, or by the kubeconfig of the user."""
        configuration = Configuration()
        try:
            if in_cluster:
                config.load_incluster_config(client_configuration=configuration)
            else:
                await config.load_kube_config(client_configuration=configuration)
        except config.ConfigException as error:
            raise ClusterFailure(0, f"no way to the API server is configured: {error}") from error
        configuration.connection_pool_maxsize = 0  # unlimited: the queue's workers are the limit
        return cls(ApiClient(configuration))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def get(self, resource: Resource, key: Key) -> Manifest | None:
        """Return an object, None where there is none."""
        try:
            return await self._call("GET", resource.path(key.namespace, key.name))
        except ClusterFailure as failure:
            if failure.status == 404:
                return None
            raise

    async def apply(self, manifest: Manifest, *, force: bool) -> Manifest:
        """Apply an object server-side as our field manager; return it as it is now."""
        metadata = manifest["metadata"]
        path = CHILDREN[manifest["kind"]].path(metadata["namespace"], metadata["name"])
        return await self._apply(path, manifest, force=force)

    async def apply_status(self, key: Key, uid: str, status: Manifest) -> Manifest:
        """Apply the status of an assistant, and only of the one with this UID."""
        body = {
            "apiVersion": ASSISTANTS.api_version,
            "kind": ASSISTANTS.kind,
            "metadata": {"name": key.name, "namespace": key.namespace, "uid": uid},
            "status": status,
        }
        path = ASSISTANTS.path(key.namespace, key.name, "status")
        return await self._apply(path, body, force=True)

    async def delete_config_map(self, key: Key) -> None:
        """Delete a ConfigMap; that it is gone already is fine."""
        try:
            await self._call("DELETE", CONFIG_MAPS.path(key.namespace, key.name))
        except ClusterFailure as failure:
            if failure.status != 404:
                raise

    async def create_event(self, namespace: str, event: Manifest) -> None:
        """Post an event."""
        await self._call("POST", EVENTS.path(namespace), body=event)

    async def ask_pod(self, key: Key, port: int, path: str) -> Manifest:
        """Ask a pod through the API server's proxy; its own 503 is an answer too."""
        name = f"{key.name}:{port}"
        route = PODS.path(key.namespace, name, "proxy") + path
        limits = aiohttp.ClientTimeout(total=POD_SECONDS, sock_connect=5)
        response = await self._request("GET", route, limits=limits)
        async with response:
            body = await _json(response)
            if response.status in {200, 503} and isinstance(body, dict) and "ready" in body:
                return body
            raise _failure(response, body)

    async def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        selector: str = "",
        metadata_only: bool = False,
    ) -> tuple[list[Manifest], str]:
        """Return all objects and the version from which to watch on."""
        items: list[Manifest] = []
        query = {"limit": str(PAGE), "labelSelector": selector}
        while True:
            page = await self._call(
                "GET",
                resource.path(namespace),
                query=query,
                accept=_METADATA["list"] if metadata_only else None,
            )
            items += page["items"]
            more = page["metadata"].get("continue")
            if not more:
                return items, page["metadata"]["resourceVersion"]
            query["continue"] = more

    async def watch(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        version: str,
        selector: str = "",
        metadata_only: bool = False,
    ) -> AsyncIterator[tuple[str, Manifest]]:
        """Yield ``(type, object)`` from a version on, bookmarks too, until the server ends it.

        Raises `ResourceExpired` where the version is too old, and
        `ClusterFailure` where the watch breaks or falls silent.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_SECONDS),
            "labelSelector": selector,
        }
        response = await self._request(
            "GET",
            resource.path(namespace),
            query=query,
            accept=_METADATA["watch"] if metadata_only else None,
            limits=aiohttp.ClientTimeout(sock_connect=5, sock_read=SILENCE_SECONDS),
        )
        try:
            if response.status != 200:
                raise _failure(response, await _json(response))
            async for line in _lines(response):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise _status_failure(event["object"])
                yield event["type"], event["object"]
        except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError) as error:
            raise ClusterFailure(0, f"the watch of {resource.plural} broke: {error!r}") from error
        finally:
            response.close()

    async def _apply(self, path: str, body: Manifest, *, force: bool) -> Manifest:
        return await self._call(
            "PATCH",
            path,
            query={"fieldManager": FIELD_MANAGER, "force": "true" if force else "false"},
            body=body,
            content_type="application/apply-patch+yaml",
        )

    async def _call(
        self,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        content_type: str = "application/json",
        accept: str | None = None,
    ) -> Manifest:
        response = await self._request(
            method, path, query=query, body=body, content_type=content_type, accept=accept
        )
        async with response:
            answer: Manifest = await _json(response)
            if response.status >= 400:
                raise _failure(response, answer)
            return answer

    async def _request(
        self,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        content_type: str = "application/json",
        accept: str | None = None,
        limits: aiohttp.ClientTimeout | None = None,
    ) -> aiohttp.ClientResponse:
        limits = limits or aiohttp.ClientTimeout(total=REQUEST_SECONDS, sock_connect=5)
        try:
            method_, url, headers, sent, _ = await self._client.param_serialize(
                method,
                path,
                query_params=[(name, value) for name, value in (query or {}).items() if value],
                header_params={
                    "Content-Type": content_type,
                    "Accept": accept or "application/json",
                },
                auth_settings=["BearerToken"],
            )
            answer = await self._client.rest_client.request(
                method_, url, headers=headers, body=body or sent, _request_timeout=limits
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterFailure(0, f"{method} {path}: {error!r}") from error
        response: aiohttp.ClientResponse = answer.response
        return response


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Split a stream into lines of any length; aiohttp's own reader gives up on long ones."""
    rest = b""
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield line


async def _json(response: aiohttp.ClientResponse) -> Any:
    try:
        return json.loads(await response.read())
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ClusterFailure(0, f"the answer broke: {error!r}") from error
    except (ValueError, RecursionError):
        return {}


def _failure(response: aiohttp.ClientResponse, body: Any) -> ClusterFailure:
    after = response.headers.get("Retry-After", "")
    failure = _status_failure(body, response.status)
    failure.retry_after = float(after) if after.isdigit() else None
    return failure


def _status_failure(body: Any, status: int = 0) -> ClusterFailure:
    status = (isinstance(body, dict) and body.get("code")) or status
    message = (isinstance(body, dict) and body.get("message")) or "no message"
    if status == 410:
        return ResourceExpired(message)
    reason = (isinstance(body, dict) and body.get("reason")) or ""
    return ClusterFailure(status, message, reason=reason)
