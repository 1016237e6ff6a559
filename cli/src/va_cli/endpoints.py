"""Where an assistant may be reached, in the order in which it is tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping, Sequence

    from va_cli.assistants import Assistant, Manifest

NODE_ADDRESSES_TRIED = 4
"""Enough to survive lost nodes, few enough to stay quick in a large cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Who is asked: an assistant of the cluster, or whoever answers at a URL."""

    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    """The object's own, which no namesake in another cluster or after a deletion has."""

    url: str | None = None

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"'{self.name}'" if self.name else str(self.url)

    @property
    def short_label(self) -> str:
        """How a prompt calls it."""
        return self.name or urlsplit(self.url or "").netloc

    @property
    def check(self) -> str:
        """The command that says more about it."""
        if self.name:
            return f"{{va}} status {self.name} -n {self.namespace}"
        return f"curl -i {self.url}/health"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One way to an assistant, with what a client needs to take it."""

    via: str
    """How the address was found, for people."""

    url: str
    """Without a slash at the end."""

    headers: Mapping[str, str] = field(default_factory=dict)
    authorization_is_taken: bool = False
    """True where something on the way takes `Authorization` for itself: the API server."""

    tls: ssl.SSLContext | None = None
    """None for the system's own trust."""

    server_name: str | None = None
    """The name in the certificate, where it is not the URL's host."""

    proxy: str | None = None


def normal_url(text: str) -> str:
    """Return an HTTP URL without a slash at the end; `host:port` alone is enough.

    Raises ValueError, with the rule that is broken.
    """
    url = text.strip()
    if "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"must have a host that can be; got '{text}'") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"must be an http or https URL, such as 'http://node:30080'; got '{text}'")
    if parts.query or parts.fragment:
        raise ValueError(f"must be a URL without '?' and '#'; got '{text}'")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError(f"must have a number as its port; got '{text}'") from None
    return url.rstrip("/")


def published_endpoint(assistant: Assistant) -> Endpoint | None:
    """Return what the status says: the address that people bookmark."""
    if not assistant.url:
        return None
    return Endpoint(via="status.url", url=assistant.url.rstrip("/"))


def node_endpoints(assistant: Assistant, nodes: Iterable[Manifest]) -> Sequence[Endpoint]:
    """Return node addresses with the node port that `status.url` does not name already."""
    if assistant.node_port is None:
        return ()
    published = urlsplit(assistant.url).netloc if assistant.url else None
    found: dict[str, Endpoint] = {}
    for address in _addresses(nodes):
        host = f"[{address}]" if ":" in address else address
        place = f"{host}:{assistant.node_port}"
        if place != published:
            found[place] = Endpoint(via="node address", url=f"http://{place}")
    return tuple(found.values())[:NODE_ADDRESSES_TRIED]


def _addresses(nodes: Iterable[Manifest]) -> Iterable[str]:
    """Ready nodes first; on each, the address that reaches farthest first."""
    ranked = sorted(nodes, key=lambda node: not _is_ready(node))
    for kind in ("ExternalIP", "InternalIP"):
        for node in ranked:
            for address in node.get("status", {}).get("addresses") or ():
                if address.get("type") == kind:
                    yield str(address["address"])


def _is_ready(node: Manifest) -> bool:
    conditions = node.get("status", {}).get("conditions") or ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
