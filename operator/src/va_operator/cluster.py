"""The API server, and nothing else: what is asked of it, with bodies as plain data.

`connection` brings the requests there.
"""

import json
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, Literal, Protocol, TypeVar

import aiohttp

from va_operator.api import Key, Manifest, key_of
from va_operator.connection import AUTHORIZATION, Connection, is_fenced
from va_operator.errors import ClusterFailure, ResourceExpired
from va_operator.fence import Fence
from va_operator.kinds import ASSISTANTS, CHILDREN, EVENTS, LEASES, PODS, Resource
from va_operator.owned import FIELD_MANAGER, left_out
from va_operator.wire import as_yaml, described, failure_in, failure_of, read_json, read_lines

PAGE: Final = 100
METADATA_PAGE: Final = 500
"""Objects in an answer; without their contents they are small, and may be strangers' by the
thousand."""
REQUEST_SECONDS: Final = 30
WATCH_SECONDS: Final = 290
"""How long the server keeps a watch open; it ends it by itself then."""
POD_SECONDS: Final = 5
"""How long a pod may take to answer through the proxy."""
SILENCE_SECONDS: Final = 100
"""A watch sends a bookmark about once a minute: silence means that it is dead."""


NOBODYS_VERSION: Final = "1"
"""A resource version that no object has: etcd counts from 1, and its first write makes 2."""

REVIEWS: Final = "selfsubjectrulesreviews"
NO_NAMESPACE: Final = "-"
"""No namespace can be called so: what is allowed in it is allowed everywhere."""


_METADATA: Final = {
    "list": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    "watch": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
}

APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"

T = TypeVar("T")

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
        self,
        connection: Connection,
        *,
        fence: Fence | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._connection = connection
        self._fence = fence
        self._traffic = traffic

    @classmethod
    async def connect(
        cls, *, in_cluster: bool, fence: Fence | None = None, traffic: Traffic | None = None
    ) -> "ApiServer":
        """Connect by the pod's service account, or by the kubeconfig of the user.

        With a ``fence`` no write but the Lease's is sent unless it is open.
        """
        connection = await Connection.open(in_cluster=in_cluster, fence=fence)
        return cls(connection, fence=fence, traffic=traffic)

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def serves(self, resource: Resource) -> bool:
        """Tell whether discovery names a kind: its group, and it among the group's.

        It does so a moment after objects of the kind can be listed, or some seconds.
        """
        group = resource.api_version.partition("/")[0]
        groups = await self._call("GET", "/apis")
        if group not in {found["name"] for found in groups.get("groups", ())}:
            return False
        try:
            kinds = await self._call("GET", f"/apis/{resource.api_version}")
        except ClusterFailure as failure:
            if failure.status == 404:
                return False
            raise
        return resource.plural in {found["name"] for found in kinds.get("resources", ())}

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

    async def merge(self, resource: Resource, key: Key, uid: str, patch: Manifest) -> None:
        """Change the object with this UID, and no namesake, by a merge patch."""
        body = {**patch, "metadata": {**patch.get("metadata", {}), "uid": uid}}
        path = resource.path(key.namespace, key.name)
        query = {"fieldManager": FIELD_MANAGER}
        await self._call("PATCH", path, query=query, body=body, content_type=MERGE)

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
        return await self._call("PATCH", path, body=patch, content_type=MERGE)

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
        await self._call("PATCH", path, body=patch, content_type=MERGE)

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
            body = await read_json(response)
            if response.status in {200, 503} and isinstance(body, dict) and "ready" in body:
                return body
            raise failure_of(response, body)

    async def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        read: Callable[[Manifest], T],
        selector: str = "",
        metadata_only: bool = False,
    ) -> tuple[list[T], str]:
        """Return all objects as they are read, and the version from which to watch on.

        They are read page by page: a thousand whole bodies at once would take more memory than
        all that is kept of them.
        """
        items: list[T] = []
        page_size = METADATA_PAGE if metadata_only else PAGE
        query = {"limit": str(page_size), "labelSelector": selector}
        while True:
            page = await self._call(
                "GET",
                resource.path(namespace),
                query=query,
                accept=_METADATA["list"] if metadata_only else None,
            )
            items += map(read, page["items"] or ())  # null for metadata of nothing at all
            metadata = page["metadata"]
            del page  # Else each kind that is listed keeps one while it waits for the next.
            if not (more := metadata.get("continue")):
                return items, metadata["resourceVersion"]
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
        response: aiohttp.ClientResponse | None = None
        cause = "failed"
        try:
            response = await self._request(
                "GET",
                resource.path(namespace),
                query=query,
                accept=_METADATA["watch"] if metadata_only else None,
                limits=aiohttp.ClientTimeout(sock_connect=5, sock_read=SILENCE_SECONDS),
            )
            if response.status != 200:
                raise failure_of(response, await read_json(response))
            async for line in read_lines(response):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise failure_in(event["object"])
                yield event["type"], event["object"]
            cause = "ended"
        except ResourceExpired:
            cause = "expired"
            raise
        except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError) as error:
            raise ClusterFailure(0, f"the watch of {resource.plural} broke: {error!r}") from error
        finally:
            if response is not None:
                response.close()
            if self._traffic is not None:
                self._traffic.watch_ended(resource.plural, cause)

    async def _apply(self, path: str, body: Manifest, *, force: bool) -> Manifest:
        return await self._call(
            "PATCH",
            path,
            query={"fieldManager": FIELD_MANAGER, "force": "true" if force else "false"},
            body=body,
            content_type=APPLY,
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
            answer: Manifest = await read_json(response)
            if response.status >= 400:
                raise failure_of(response, answer)
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
        if self._fence is not None and is_fenced(method, path):
            # What hangs is cut off with the Lease.
            limits = _exactly(min(self._fence.remaining(), REQUEST_SECONDS))
        code, begun = 0, time.monotonic()
        try:
            response = await self._connection.send(
                method,
                path,
                query={name: value for name, value in (query or {}).items() if value},
                headers={"Content-Type": content_type, "Accept": accept or "application/json"},
                body=_encoded(body, content_type),
                limits=limits,
            )
            code = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterFailure(0, f"{method} {path}: {error!r}") from error
        finally:
            if self._traffic is not None:
                verb, target = described(method, path, watch="watch" in (query or {}))
                self._traffic.requested(verb, target, code, time.monotonic() - begun)
        return response


def _encoded(body: Manifest | None, content_type: str) -> bytes | None:
    if body is None:
        return None
    return (as_yaml(body) if content_type == APPLY else json.dumps(body)).encode()


def _exactly(seconds: float) -> aiohttp.ClientTimeout:
    """Return a limit that aiohttp does not round up to the next whole second."""
    return aiohttp.ClientTimeout(total=seconds, sock_connect=5, ceil_threshold=math.inf)
