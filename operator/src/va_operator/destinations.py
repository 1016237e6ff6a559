"""Destinations: where an assistant may send its text and its key, where that is bounded. Pure.

Who writes an assistant chooses the address of its model. An operator that is told which hosts
there are writes no pods that would ask another one, nor pods with another proxy.
"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from va_operator.api import VirtualAssistant

OPENAI_HOST: Final = "api.openai.com"
"""Asked where `baseURL` is left out."""

_PROXIES: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})


def refused_destination(assistant: VirtualAssistant, allowed: tuple[str, ...]) -> str | None:
    """Say which host of an assistant is none of those allowed; None where all are.

    `allowed` are names or addresses, or `*.` and a domain for all below it; none allows all.
    """
    if not allowed:
        return None
    for field, url in _destinations(assistant):
        host = _host(url)
        if not any(_is_allowed(host, one.lower()) for one in allowed):
            return (
                f"{field} must have a host that this operator allows: '{host}' is none of "
                "VA_OPERATOR_MODEL_HOSTS"
            )
    return None


def _destinations(assistant: VirtualAssistant) -> Iterator[tuple[str, str]]:
    for place, model in enumerate(assistant.models):
        field = f"spec.fallbacks[{place - 1}]" if place else "spec.model"
        if not model.embedded:
            yield f"`{field}.baseURL`", model.base_url or f"https://{OPENAI_HOST}/v1"
    for name, value in assistant.pods.env:
        if name.upper() in _PROXIES and value:
            yield f"`{name}` of `spec.env`", value if "://" in value else f"http://{value}"


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower().removesuffix(".")
    except ValueError:
        return ""


def _is_allowed(host: str, allowed: str) -> bool:
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed
