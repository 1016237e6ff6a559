"""The Kubernetes edge: the one module that speaks with the API server."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from va_cli.endpoints import Endpoint
from va_cli.failures import Failure, NotAllowed, NotFound, WrongUsage

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from va_cli.assistants import Manifest

    OpenCluster: TypeAlias = Callable[[str, str | None], "Cluster"]
    """From a kubeconfig's path and the name of a context."""

GROUP_VERSION = "virtualassistant.dev/v1alpha1"
SECONDS_TO_CONNECT, SECONDS_TO_ANSWER = 2.0, 10.0


class Cluster(Protocol):
    """What the command line needs of a cluster, and no more.

    Every method may raise NotAllowed and ClusterUnreachable.
    """

    @property
    def default_namespace(self) -> str:
        """The context's namespace."""

    def assistant(self, namespace: str, name: str) -> Manifest:
        """Return one VirtualAssistant, or raise NotFound."""

    def assistants(
        self, namespace: str | None, *, selector: str | None = None
    ) -> Sequence[Manifest]:
        """Return the VirtualAssistants of a namespace, or of all."""

    def pods(self, namespace: str, selector: str) -> Sequence[Manifest]:
        """Return the pods that a label selector matches."""

    def warnings(self, namespace: str) -> Sequence[Manifest]:
        """Return the events of a namespace that warn."""

    def nodes(self) -> Sequence[Manifest]:
        """Return the nodes."""

    def deployments(self, selector: str) -> Sequence[Manifest]:
        """Return the Deployments of all namespaces that a label selector matches."""

    def version(self) -> str:
        """Return the API server's version."""

    def service_proxy(self, namespace: str, name: str) -> Endpoint:
        """Return the way to a Service's port `http` through the API server."""


class ClusterUnreachable(Failure):
    """Nobody answers at the API server's address."""

    usual_reason = "ClusterUnreachable"


@dataclass(frozen=True, slots=True)
class KubernetesCluster:
    """A real cluster, read with a kubeconfig's rights."""

    client: Any
    default_namespace: str

    def assistant(self, namespace: str, name: str) -> Manifest:
        """Return one VirtualAssistant, or raise NotFound."""
        return self._get(f"/apis/{GROUP_VERSION}/namespaces/{namespace}/virtualassistants/{name}")

    def assistants(
        self, namespace: str | None, *, selector: str | None = None
    ) -> Sequence[Manifest]:
        """Return the VirtualAssistants of a namespace, or of all."""
        place = f"/namespaces/{namespace}" if namespace else ""
        return self._list(f"/apis/{GROUP_VERSION}{place}/virtualassistants", selector=selector)

    def pods(self, namespace: str, selector: str) -> Sequence[Manifest]:
        """Return the pods that a label selector matches."""
        return self._list(f"/api/v1/namespaces/{namespace}/pods", selector=selector)

    def warnings(self, namespace: str) -> Sequence[Manifest]:
        """Return the events of a namespace that warn."""
        return self._list(f"/api/v1/namespaces/{namespace}/events", fields="type=Warning")

    def nodes(self) -> Sequence[Manifest]:
        """Return the nodes."""
        return self._list("/api/v1/nodes")

    def deployments(self, selector: str) -> Sequence[Manifest]:
        """Return the Deployments of all namespaces that a label selector matches."""
        return self._list("/apis/apps/v1/deployments", selector=selector)

    def version(self) -> str:
        """Return the API server's version."""
        return str(self._get("/version")["gitVersion"])

    def service_proxy(self, namespace: str, name: str) -> Endpoint:
        """Return the way to a Service's port `http` through the API server."""
        configuration = self.client.configuration
        token = configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        host = configuration.host.rstrip("/")
        return Endpoint(
            via="the API server's service proxy",
            url=f"{host}/api/v1/namespaces/{namespace}/services/{name}:http/proxy",
            headers={"Authorization": token} if token else {},
            authorization_is_taken=True,
            tls=_tls(configuration) if host.startswith("https") else None,
            server_name=configuration.tls_server_name,
            proxy=configuration.proxy,
        )

    def _list(
        self, path: str, *, selector: str | None = None, fields: str | None = None
    ) -> Sequence[Manifest]:
        asked = {"labelSelector": selector, "fieldSelector": fields}
        found = self._get(path, {key: value for key, value in asked.items() if value})
        items: Sequence[Manifest] = found.get("items") or ()
        return items

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Manifest:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            request = self.client.param_serialize(
                "GET",
                path,
                query_params=list((query or {}).items()),
                header_params={"Accept": "application/json"},
                auth_settings=["BearerToken"],
            )
            answer = self.client.call_api(
                *request, _request_timeout=(SECONDS_TO_CONNECT, SECONDS_TO_ANSWER)
            )
            data = answer.read()
        except ApiException as error:
            raise _refused(path, error.status or 0, error.body) from error
        except HTTPError as error:
            raise self._unreachable(error) from error
        if not 200 <= answer.status < 300:
            raise _refused(path, answer.status, data)
        try:
            found: Manifest = json.loads(data)
        except ValueError as error:
            raise self._unreachable(error) from error
        return found

    def _unreachable(self, error: Exception) -> ClusterUnreachable:
        host = self.client.configuration.host
        # urllib3 puts its own objects before what happened.
        why = re.sub(r"^.*?HTTPS?Connection(Pool)?\(.*?\)(: |>: )", "", str(error))
        return ClusterUnreachable(
            "The cluster cannot be reached.",
            why=f"{host}: {why[:256]}",
            next_step="kubectl cluster-info",
            retry_after=2.0,
        )


def open_cluster(kubeconfig: str, context: str | None) -> Cluster:
    """Read the kubeconfig; no request is sent yet."""
    # A fifth of a second and more, which commands without a cluster do not pay.
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException
    from urllib3 import disable_warnings
    from yaml import YAMLError

    # `insecure-skip-tls-verify` is what the user wrote; kubectl does not warn either.
    disable_warnings()
    configuration = client.Configuration()
    # Its own retries would print warnings, and keep a dead server's user waiting.
    configuration.retries = False
    try:
        contexts, active = config.list_kube_config_contexts(kubeconfig)  # type: ignore[no-untyped-call]
        chosen = next((c for c in contexts if c["name"] == context), None) if context else active
        if chosen is None:
            raise WrongUsage(
                "There is no such context.",
                why=f"--context must be one of {', '.join(repr(c['name']) for c in contexts)}; "
                f"got '{context}'",
                next_step="kubectl config get-contexts",
            )
        config.load_kube_config(  # type: ignore[no-untyped-call]
            kubeconfig,
            context=context,
            client_configuration=configuration,
            persist_config=False,
        )
    except PermissionError as error:
        raise NotAllowed(
            "The kubeconfig cannot be read.",
            why=f"'{error.filename}' may only be read by another user",
            next_step="copy it to ~/.kube/config, or run with sudo",
        ) from error
    except (ConfigException, YAMLError, OSError, TypeError) as error:
        raise Failure(
            "The kubeconfig cannot be used.",
            why=f"{kubeconfig}: {error}",
            next_step="kubectl config view",
        ) from error
    return KubernetesCluster(
        client.ApiClient(configuration),
        chosen.get("context", {}).get("namespace") or "default",
    )


def _tls(configuration: Any) -> ssl.SSLContext:
    """Return the same trust and the same certificate that the client itself uses."""
    import ssl

    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context


def _refused(path: str, status: int, body: bytes | str | None) -> Failure:
    """Tell what an error answer of the API server means."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        said = json.loads(text)
    except ValueError:
        said = {}
    message = said.get("message") if isinstance(said, dict) else None
    why = str(message or text or f"the API server answered {status}")[:512].strip()
    if status == 401:
        return NotAllowed(
            "The cluster does not know you.", why=why, next_step="kubectl auth whoami"
        )
    if status == 403:
        return NotAllowed("You may not do this.", why=why, next_step="kubectl auth can-i --list")
    if status == 404 and isinstance(said, dict) and (said.get("details") or {}).get("name"):
        return NotFound("There is no such assistant.", why=why, next_step="{va} list -A")
    if status == 404 and path.startswith(f"/apis/{GROUP_VERSION}"):
        return NotFound(
            "VirtualAssistant is not installed.",
            why="this cluster does not know the API " + GROUP_VERSION,
            next_step="kubectl apply --server-side -f crds/",
        )
    if status == 400:
        return WrongUsage("The request is not valid.", why=why, next_step="{va} --help")
    return Failure(
        "The cluster did not answer as expected.", why=why, next_step="kubectl cluster-info"
    )
