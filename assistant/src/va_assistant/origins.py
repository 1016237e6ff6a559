"""Which web pages may ask; pure.

A page of any site can make its visitor's browser send a POST with a text, without asking first
(`text/plain` needs no preflight): behind a firewall the visitor's network would be open to it.
A browser says from where a request comes, in headers that no page can set; who sends neither is
no browser, and is nobody else's tool.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from va_assistant.errors import Failure, Reason

_ASKED_BEFORE_SECONDS = 600
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def check_origin(origin: str, *, site: str, host: str, allowed: Collection[str]) -> None:
    """Raise `CrossSite` for a request that a page of another origin makes.

    The headers `Origin`, `Sec-Fetch-Site` and `Host` are empty where they are missing.
    `Sec-Fetch-Site` decides where a browser sends it, which it does over https and to localhost
    only; else the host of `Origin` must be the one that was asked. Its scheme need not: TLS may
    end at a proxy in front.
    """
    if is_allowed(origin, allowed) or site in {"same-origin", "none"}:
        return
    if site == "cross-site" or (origin and not _is_host(origin, host)):
        raise Failure(
            Reason.CROSS_SITE,
            "pages of other origins may not ask here, unless `limits.allowedOrigins` names them",
        )


def is_allowed(origin: str, allowed: Collection[str]) -> bool:
    """Tell whether the owner lets pages of an origin ask."""
    return bool(origin) and origin.lower() in allowed


def cors_headers(origin: str, allowed: Collection[str], *, preflight: bool) -> dict[str, str]:
    """Return what tells a browser that a page may ask and read the answer; empty where it may not.

    Credentials are never allowed, so that no cookie of a proxy in front lends its rights to a
    page: a page sends its token itself.
    """
    if not allowed:
        return {}
    headers = {"Vary": "Origin"}
    if not is_allowed(origin, allowed):
        return headers
    headers["Access-Control-Allow-Origin"] = origin
    if not preflight:
        return {**headers, "Access-Control-Expose-Headers": "*"}
    return {
        **headers,
        "Access-Control-Allow-Methods": "GET, POST",
        # OpenAI's client for browsers sends headers of its own; `*` does not stand for the first.
        "Access-Control-Allow-Headers": "Authorization, Content-Type, X-VA-Token, X-Request-Id, *",
        "Access-Control-Max-Age": str(_ASKED_BEFORE_SECONDS),
    }


def _is_host(origin: str, host: str) -> bool:
    """Tell whether an origin is the host that was asked; `null` is nobody's."""
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    default = _DEFAULT_PORTS.get(parts.scheme, "")
    asked = host.lower()
    return bool(parts.netloc) and parts.netloc in {asked, asked.removesuffix(default)}
