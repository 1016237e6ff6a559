"""The kinds of objects that the operator deals with, as the API's paths name them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from va_operator.api import API_VERSION, PLURAL


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
