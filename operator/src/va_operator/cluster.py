"""The API server, and nothing else: the only module that imports `kubernetes`.

Bodies go in and out as plain data. The client library does addresses,
credentials, TLS and proxies; its model classes are not used, for they cost more
than all the rest.
"""

import json
import math
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol
from urllib.parse import quote

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from va_operator.api import API_VERSION, PLURAL, Key, Manifest, key_of
from va_operator.errors import ClusterFailure, ResourceExpired
from va_operator.fence import Fence
from va_operator.owned import FIELD_MANAGER, left_out

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
DISRUPTION_BUDGETS: Final = Resource(
    api_version="policy/v1", plural="poddisruptionbudgets", kind="PodDisruptionBudget"
)
NETWORK_POLICIES: Final = Resource(
    api_version="networking.k8s.io/v1", plural="networkpolicies", kind="NetworkPolicy"
)
LEASES: Final = Resource(api_version="coordination.k8s.io/v1", plural="leases", kind="Lease")

CHILDREN: Final[Mapping[str, Resource]] = {
    resource.kind: resource
    for resource in (CONFIG_MAPS, SERVICES, DEPLOYMENTS, DISRUPTION_BUDGETS, NETWORK_POLICIES)
}

NOBODYS_VERSION: Final = "1"
"""A resource version that no object has: etcd counts from 1, and its first write makes 2."""

AUTHORIZATION: Final = "authorization.k8s.io/v1"
REVIEWS: Final = "selfsubjectrulesreviews"
NO_NAMESPACE: Final = "-"
"""No namespace can be called so: what is allowed in it is allowed everywhere."""

_ESCAPED_IN_YAML: Final = re.compile("[\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

_METADATA: Final = {
    "list": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    "watch": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
}

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Traffic(Protocol):
    """Told of what goes on between us and the API server."""

    def requested(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Take in a request: verb and resource as RBAC names them, and when its answer began.

        ``code`` is the HTTP status, 0 where there was no answer.
        """

    def watch_ended(self, resource: str, cause: str) -> None:
        """Take in the end of a watch: `ended` by the server in order, `expired` or `failed`."""


class ApiServer:
    """A connection to the API server."""

    def __init__(
        self, client: ApiClient, *, fence: Fence | None = None, traffic: Traffic | None = None
    ) -> None:
        self._client = client
        self._fence = fence
        self._traffic = traffic

    @classmethod
    async def connect(
        cls, *, in_cluster: bool, fence: Fence | None = None, traffic: Traffic | None = None
    ) -> "ApiServer":
        """Connect by the pod's service account, or by the kubeconfig of the user.

        With a ``fence`` no write but the Lease's is sent unless it is open.
        """
        configuration = Configuration()
        try:
            if in_cluster:
                config.load_incluster_config(client_configuration=configuration)
            else:
                await config.load_kube_config(client_configuration=configuration)
        except config.ConfigException as error:
            raise ClusterFailure(0, f"no way to the API server is configured: {error}") from error
        configuration.connection_pool_maxsize = 0  # unlimited: the queue's workers are the limit
        if fence is not None:
            configuration.trace_configs = [_watch_over(fence)]
        return cls(ApiClient(configuration), fence=fence, traffic=traffic)

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

    async def create(self, manifest: Manifest) -> Manifest:
        """Apply an object server-side, but only where there is none of its name.

        Raises ClusterFailure with status 409 where there is one, whoever it belongs to. The
        version in the request cannot be that of an object that exists
        (`docs/decisions/first-write.md`).
        """
        metadata = {**manifest["metadata"], "resourceVersion": NOBODYS_VERSION}
        return await self.apply({**manifest, "metadata": metadata})

    async def apply(self, manifest: Manifest, *, over: str | None = None) -> Manifest:
        """Apply an object server-side as our field manager; return it as it is now.

        ``over`` is the UID of an object upon which it is forced, and upon no other: where
        that is gone or has a new namesake, ClusterFailure says `Replaced`. Without it nothing
        is forced.
        """
        metadata = {**manifest["metadata"], **({"uid": over} if over else {})}
        path = CHILDREN[manifest["kind"]].path(metadata["namespace"], metadata["name"])
        try:
            return await self._apply(path, {**manifest, "metadata": metadata}, force=bool(over))
        except ClusterFailure as failure:
            if "uid mismatch" in failure.message or "metadata.uid: " in failure.message:
                raise ClusterFailure(409, failure.message, reason="Replaced") from failure
            raise

    async def apply_status(self, key: Key, uid: str, status: Manifest) -> Manifest:
        """Apply the status of an assistant, and only of the one with this UID.

        Fields that others have set and that it leaves out, because they are not so, are taken out.
        """
        body = {
            "apiVersion": ASSISTANTS.api_version,
            "kind": ASSISTANTS.kind,
            "metadata": {"name": key.name, "namespace": key.namespace, "uid": uid},
            "status": status,
        }
        path = ASSISTANTS.path(key.namespace, key.name, "status")
        written = await self._apply(path, body, force=True)
        untrue = left_out(status, written.get("status") or {})
        if not untrue:
            return written
        patch = {"metadata": {"uid": uid}, "status": untrue}
        return await self._call(
            "PATCH", path, body=patch, content_type="application/merge-patch+json"
        )

    async def delete(self, resource: Resource, key: Key, uid: str) -> None:
        """Delete the object with this UID; that it is gone, or has a new namesake, is fine."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
        }
        try:
            await self._call("DELETE", resource.path(key.namespace, key.name), body=options)
        except ClusterFailure as failure:
            if failure.status not in {404, 409}:
                raise

    async def create_event(self, namespace: str, event: Manifest) -> Manifest:
        """Post an event; return it with the name that it got."""
        return await self._call("POST", EVENTS.path(namespace), body=event)

    async def patch_event(self, key: Key, patch: Manifest) -> None:
        """Change an event by a merge patch."""
        path = EVENTS.path(key.namespace, key.name)
        await self._call("PATCH", path, body=patch, content_type="application/merge-patch+json")

    async def read_lease(self, key: Key, *, within: float) -> Manifest | None:
        """Return a Lease, None where there is none, within so many seconds."""
        path = LEASES.path(key.namespace, key.name)
        try:
            return await self._call("GET", path, limits=_exactly(within))
        except ClusterFailure as failure:
            if failure.status == 404:
                return None
            raise

    async def write_lease(self, lease: Manifest, *, within: float) -> Manifest:
        """Create a Lease, or replace the version that it names, within so many seconds.

        A Lease passes the fence: it is what opens it.
        """
        key = key_of(lease)
        there = "resourceVersion" in lease["metadata"]
        return await self._call(
            "PUT" if there else "POST",
            LEASES.path(key.namespace, key.name if there else None),
            query={"fieldManager": FIELD_MANAGER},
            body=lease,
            limits=_exactly(within),
        )

    async def review_rules(self, namespace: str | None) -> Manifest:
        """Return what we may do in a namespace, or in the whole cluster: a status of
        SelfSubjectRulesReview. Everybody may ask that, and nothing is stored.
        """
        body = {
            "apiVersion": AUTHORIZATION,
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace or NO_NAMESPACE},
        }
        answer = await self._call("POST", f"/apis/{AUTHORIZATION}/{REVIEWS}", body=body)
        status: Manifest = answer.get("status") or {}
        return status

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
            items += page["items"] or []  # null for metadata of nothing at all
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
        cause = "failed"
        try:
            if response.status != 200:
                raise _failure(response, await _json(response))
            async for line in _lines(response):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise _status_failure(event["object"])
                yield event["type"], event["object"]
            cause = "ended"
        except ResourceExpired:
            cause = "expired"
            raise
        except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError) as error:
            raise ClusterFailure(0, f"the watch of {resource.plural} broke: {error!r}") from error
        finally:
            response.close()
            if self._traffic is not None:
                self._traffic.watch_ended(resource.plural, cause)

    async def _apply(self, path: str, body: Manifest, *, force: bool) -> Manifest:
        return await self._call(
            "PATCH",
            path,
            query={"fieldManager": FIELD_MANAGER, "force": "true" if force else "false"},
            body=_yaml(body),
            # With its charset the client library sends the text as it is.
            content_type="application/apply-patch+yaml; charset=utf-8",
        )

    async def _call(
        self,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | str | None = None,
        content_type: str = "application/json",
        accept: str | None = None,
        limits: aiohttp.ClientTimeout | None = None,
    ) -> Manifest:
        response = await self._request(
            method,
            path,
            query=query,
            body=body,
            content_type=content_type,
            accept=accept,
            limits=limits,
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
        body: Manifest | str | None = None,
        content_type: str = "application/json",
        accept: str | None = None,
        limits: aiohttp.ClientTimeout | None = None,
    ) -> aiohttp.ClientResponse:
        limits = limits or aiohttp.ClientTimeout(total=REQUEST_SECONDS, sock_connect=5)
        if self._fence is not None and is_fenced(method, path):
            # What hangs is cut off with the Lease.
            limits = _exactly(min(self._fence.remaining(), REQUEST_SECONDS))
        code, begun = 0, time.monotonic()
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
            code = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterFailure(0, f"{method} {path}: {error!r}") from error
        finally:
            if self._traffic is not None:
                verb, target = described(method, path, watch="watch" in (query or {}))
                self._traffic.requested(verb, target, code, time.monotonic() - begun)
        response: aiohttp.ClientResponse = answer.response
        return response


def _exactly(seconds: float) -> aiohttp.ClientTimeout:
    """Return a limit that aiohttp does not round up to the next whole second."""
    return aiohttp.ClientTimeout(total=seconds, sock_connect=5, ceil_threshold=math.inf)


def is_fenced(method: str, path: str) -> bool:
    """Tell whether a request writes: a Lease passes, and a question about our permissions."""
    free = (f"/apis/{LEASES.api_version}/", f"/apis/{AUTHORIZATION}/")
    return method not in {"GET", "HEAD"} and not path.startswith(free)


def _watch_over(fence: Fence) -> aiohttp.TraceConfig:
    """Return what stops a write in the step in which its bytes would go out.

    aiohttp calls it after it has waited for a connection, when it next writes to the socket: before
    the head, and before each piece of the body, which follows in a later step.
    """

    async def before_bytes(
        _: aiohttp.ClientSession,
        __: object,
        sent: aiohttp.TraceRequestHeadersSentParams | aiohttp.TraceRequestChunkSentParams,
    ) -> None:
        if is_fenced(sent.method, sent.url.path):
            fence.remaining()

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(before_bytes)
    trace.on_request_chunk_sent.append(before_bytes)
    return trace


_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def described(method: str, path: str, *, watch: bool) -> tuple[str, str]:
    """Return the verb and the resource of a request, with its subresource, as RBAC names them."""
    parts = path.removeprefix("/").split("/")
    parts = parts[2 if parts[0] == "api" else 3 :]  # without api/v1 or apis/GROUP/VERSION
    if parts[0] == "namespaces":
        parts = parts[2:]
    plural, name, sub = parts[0], parts[1:2], parts[2:3]
    reading = "watch" if watch else "get" if name else "list"
    return _VERBS.get(method, reading), "/".join([plural, *sub])


def _yaml(body: Manifest) -> str:
    """Return a body as JSON that is YAML too: server-side apply reads it as YAML.

    YAML knows no pairs of surrogates, as JSON's escape of an emoji is one, and takes some
    other characters only escaped.
    """
    text = json.dumps(body, ensure_ascii=False)
    return _ESCAPED_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


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
