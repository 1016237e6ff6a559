"""The way to the API server: the only module that imports `kubernetes`.

The client library does addresses, credentials, TLS and proxies. Its handling of requests and its
model classes are not used, for they cost more than all the rest.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from yarl import URL

from va_operator.errors import ClusterFailure
from va_operator.fence import Fence
from va_operator.kinds import LEASES

AUTHORIZATION: Final = "authorization.k8s.io/v1"


class Connection(RESTClientObject):
    """The client library's way to the server, without its handling of each request.

    That would look for proxies in the environment anew each time, and write bodies itself.
    """

    def __init__(self, configuration: Configuration) -> None:
        host = urlsplit(configuration.host)
        if not configuration.proxy and not proxy_bypass(host.hostname or ""):
            configuration.proxy = getproxies().get(host.scheme)
        configuration.client_session_kwargs = {"trust_env": False}
        super().__init__(configuration)

    @classmethod
    async def open(cls, *, in_cluster: bool, fence: Fence | None) -> "Connection":
        """Find the way by the pod's service account, or by the kubeconfig of the user.

        With a ``fence`` no write but the Lease's leaves it unless the fence is open.
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
        return cls(configuration)

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        headers: dict[str, str],
        body: bytes | None,
        limits: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        """Send a request with the credentials of the moment."""
        if self.pool_manager is None:
            self.pool_manager = self._create_pool_manager()
        for setting in (await self.configuration.auth_settings()).values():
            headers[setting["key"]] = setting["value"]
        url = self.configuration.host + path + ("?" + urlencode(query) if query else "")
        response: aiohttp.ClientResponse = await self.pool_manager.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=body,
            timeout=limits,
            proxy=self.proxy,
            proxy_headers=self.proxy_headers,
            server_hostname=self.configuration.tls_server_name,
            allow_redirects=False,
        )
        return response


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
