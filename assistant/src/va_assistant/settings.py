"""What the assistant reads from its environment, once, at start."""

import ipaddress
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pydantic import Field, Json, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from va_assistant.gate import DEFAULT_RATES
from va_assistant.proxies import Proxy, parse_proxy
from va_assistant.questions import MAX_QUESTION_BYTES


class AssistantSettings(BaseSettings):
    """Frozen after start; a bad environment lists all its faults at once."""

    model_config = SettingsConfigDict(env_prefix="VA_ASSISTANT_", frozen=True)

    revision: str = Field("", pattern="^[0-9a-f]*$")
    """Which text is served; answers carry it."""

    revision_dir: Path = Path("/etc/virtual-assistant/revision")
    """Folder with `settings.json` and the context files."""

    api_key_file: Path | None = None
    """The API key; unset where the model needs none."""

    fallback_api_key_files: tuple[Path | None, ...] = ()
    """The API keys of the fallbacks, as a JSON list; null where one needs none."""

    ca_file: Path | None = None
    """Certificates of a private CA in PEM; unset where the system's store will do."""

    fallback_ca_files: tuple[Path | None, ...] = ()
    """The same for the fallbacks, as a JSON list; unset where none of them has one."""

    drain_seconds: PositiveFloat = 30
    """How long open answers may go on after SIGTERM."""

    max_questions: PositiveInt = 128
    """Questions at work at once, streams too; of more a few wait a moment, then they are
    answered `TooBusy`. A thread each: this is what one core carries."""

    question_bytes: PositiveInt = Field(MAX_QUESTION_BYTES, le=MAX_QUESTION_BYTES)
    """Longest question. Not more than the default: so many of them, as JSON, are held at once
    that the pod's memory bounds it."""

    requests_per_minute_per_client: NonNegativeInt = DEFAULT_RATES.per_client
    """Questions of one address that this pod takes; 0 for no limit."""

    requests_per_minute: NonNegativeInt = DEFAULT_RATES.in_all
    """Questions that this pod takes in all; 0 for no limit."""

    tokens_per_day: PositiveInt | None = None
    """Tokens that models with a key may cost this pod in a day of UTC; unset for no limit."""

    trusted_proxies: NonNegativeInt = 0
    """Proxies in front that append to `X-Forwarded-For`; with 0 the header is ignored."""

    allowed_origins: Json[frozenset[str]] = Field("[]")  # type: ignore[arg-type]  # read as JSON, too
    """Origins of web pages that may ask, as a list in JSON."""

    token_file: Path | None = None
    """Tokens of whom may ask, one a line; unset where everybody may."""


class ModelServerSettings(BaseSettings):
    """What `va-model` reads."""

    model_config = SettingsConfigDict(env_prefix="VA_MODEL_", frozen=True)

    context_window: PositiveInt = 8192
    """Tokens of one prompt and its answer."""

    threads: PositiveInt = 1
    """Threads that compute."""


def host_name() -> str:
    """Return the name of this host, which in a pod is the pod's."""
    return socket.gethostname()


def openai_api_key() -> str | None:
    """Return the key that people have set for every tool, used outside of Kubernetes."""
    return os.environ.get("OPENAI_API_KEY")


def wants_traces() -> bool:
    """Tell whether the variables of OpenTelemetry's specification ask for traces.

    Its SDK reads these and the rest by itself; this is asked before it is loaded.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if exporters := os.environ.get("OTEL_TRACES_EXPORTER", "").strip():
        return "otlp" in {one.strip() for one in exporters.split(",")}
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return any(os.environ.get(name) for name in endpoints)


def proxy_for(base_url: str) -> Proxy | None:
    """Return the proxy through which a URL is asked; None where it is asked directly.

    `HTTPS_PROXY` or `HTTP_PROXY`, by the URL's scheme, and `NO_PROXY`, in upper or
    lower case and with the meaning that they have for `urllib.request`. Raises
    `InvalidProxyError` where a variable names no proxy.
    """
    url = urlsplit(base_url)
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    given = getproxies().get(url.scheme)
    if not given or _is_loopback(host) or proxy_bypass(f"{host}:{port}"):
        return None
    return parse_proxy(given, variable=f"{url.scheme.upper()}_PROXY")


def _is_loopback(host: str) -> bool:
    """Tell whether a host is this one: seen from the proxy, it would be another."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
