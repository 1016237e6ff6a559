"""The gate: every request passes it before anything is done for it.

What it lets through without a token is what tells nothing of the text and costs nothing: the
pages below, and a browser's question whether it may ask.
"""

import threading
import time
from dataclasses import dataclass, field

from va_assistant.auth import Tokens
from va_assistant.clients import client_of
from va_assistant.errors import Failure, Reason
from va_assistant.limits import Limits, Rates
from va_assistant.origins import check_origin, cors_headers

_OPEN_PATHS = frozenset({"/", "/health", "/openapi.json"})
_PAGE_FILES = "/page/"
"""What the chat page loads: a browser sends no token for it."""

_READING = frozenset({"GET", "HEAD"})

DEFAULT_RATES = Rates(per_client=60, in_all=300)
"""Enough for people; a bound of what an hour can cost, and no budget."""


def _is_open(path: str) -> bool:
    return path in _OPEN_PATHS or path.startswith(_PAGE_FILES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What the gate looks at: headers by their names, empty where they are missing."""

    method: str
    path: str
    remote: str
    """The address at the other end of the connection."""

    host: str = ""
    origin: str = ""
    sec_fetch_site: str = ""
    authorization: str = ""
    va_token: str = ""
    forwarded_for: str = ""


@dataclass(slots=True, kw_only=True)
class Gate:
    """Decides who comes in; any thread may use it."""

    tokens: Tokens | None = None
    """None where everybody may ask."""

    rates: Rates = DEFAULT_RATES
    allowed_origins: frozenset[str] = frozenset()
    """Of web pages, in lower case, such as `https://shop.example`."""

    proxies: int = 0
    """Proxies in front whose word about the client is taken."""

    _limits: Limits = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._limits = Limits(self.rates)

    def check(self, arrival: Arrival) -> None:
        """Return where a request may come in; raises the `Failure` that says why not.

        Only who may ask counts for the limits: without a token nobody can use them up.
        """
        reading = arrival.method in _READING
        if arrival.method == "OPTIONS" or (reading and _is_open(arrival.path)):
            return
        if not reading:
            check_origin(
                arrival.origin,
                site=arrival.sec_fetch_site,
                host=arrival.host,
                allowed=self.allowed_origins,
            )
        if self.tokens:
            self.tokens.check(authorization=arrival.authorization, token=arrival.va_token)
        if arrival.method == "POST":
            self._count(client_of(arrival.remote, arrival.forwarded_for, proxies=self.proxies))

    def closed(self) -> Failure | None:
        """Return why it lets nobody in now, whatever they bring; None where somebody may come."""
        return self.tokens.fault() if self.tokens else None

    def cors(self, method: str, origin: str) -> dict[str, str]:
        """Return the headers of a response that let an allowed page read it."""
        return cors_headers(origin, self.allowed_origins, preflight=method == "OPTIONS")

    def _count(self, client: str) -> None:
        with self._lock:
            wait = self._limits.take(client, time.monotonic())
        if wait:
            raise Failure(Reason.TOO_MANY_REQUESTS, "too many questions", retry_after=wait)
