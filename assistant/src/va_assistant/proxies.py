"""The proxy through which a model is asked; pure."""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes, urlsplit

DEFAULT_PORT = 80

_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+(%\w+)?")


class InvalidProxyError(Exception):
    """A variable that should hold a proxy's URL holds none; the message quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that speaks HTTP/1.1, without TLS of its own."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)
    """Value of `Proxy-Authorization`; None where the proxy asks for no user."""

    def __str__(self) -> str:
        return f"the proxy {authority(self.host, self.port)}"

    @property
    def token(self) -> str | None:
        """User and password as they are sent: what a server might quote, and no message may."""
        return self.authorization.removeprefix("Basic ") if self.authorization else None


def parse_proxy(url: str, *, variable: str) -> Proxy:
    """Return the proxy that a URL names; raises `InvalidProxyError` naming the variable.

    A password with an unescaped `#`, `/` or `?` makes another URL of it, with a
    part of the password as host or port, so what is not wholly understood is
    refused.
    """
    # The error of a bad URL quotes it.
    invalid = InvalidProxyError(
        f"{variable} is no URL of a proxy: it must be http://HOST:PORT or "
        "http://USER:PASSWORD@HOST:PORT, with special characters of the user and the "
        "password as %XX"
    )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise invalid from None
    more = parts.path.removeprefix("/") or "?" in url or "#" in url
    if parts.scheme != "http" or more or port == 0 or not host or not _HOST.fullmatch(host):
        raise invalid
    authorization = None
    if parts.username or parts.password:
        pair = b":".join(unquote_to_bytes(part or "") for part in (parts.username, parts.password))
        authorization = f"Basic {base64.b64encode(pair).decode()}"
    return Proxy(host, port or DEFAULT_PORT, authorization)


def authority(host: str, port: int) -> str:
    """Return host and port as a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
