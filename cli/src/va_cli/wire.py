"""The HTTP edge: the one module that speaks with assistants."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpx2

from va_cli.answers import (
    Done,
    Event,
    Text,
    parse_answer,
    parse_api_server_answer,
    parse_event,
    parse_refusal,
)
from va_cli.durations import Deadline, duration_text
from va_cli.failures import (
    Failure,
    ModelFailed,
    NotAllowed,
    NotReady,
    Refusal,
    TimedOut,
    failure_for,
)
from va_cli.tokens import token_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from va_cli.endpoints import Endpoint, Target
    from va_cli.turns import Turn

CONNECT_SECONDS = 1.5
"""A candidate that does not take the connection by then is passed over."""

PROBE_SECONDS = 3.0
"""How long `/health` may take; a proxy in between answers slower than the assistant."""


class NotAnAssistant(Failure):
    """Somebody answers there, and it is no assistant."""

    usual_reason = "NotAnAssistant"


class Unreachable(NotReady):
    """No request reached an assistant, so that another way may be tried."""

    usual_reason = "Unreachable"


class Wire:
    """A connection to one endpoint."""

    def __init__(self, endpoint: Endpoint, target: Target) -> None:
        self.endpoint = endpoint
        self._target = target
        self._client = httpx2.Client(
            verify=_trust(endpoint),
            proxy=endpoint.proxy,
            # An answer that is compressed on its way would not come in pieces.
            headers={
                **endpoint.headers,
                "User-Agent": "va",
                "Accept-Encoding": "identity",
            },
        )

    def close(self) -> None:
        """Let go of the connection; an answer that is under way ends."""
        self._client.close()

    def probe(self, deadline: Deadline) -> None:
        """Return if an assistant answers here; raise the failure that says why not."""
        deadline = Deadline.after(min(PROBE_SECONDS, deadline.remaining))
        with (
            self._failures(deadline),
            self._client.stream(
                "GET",
                f"{self.endpoint.url}/health",
                timeout=_timeouts(deadline),
                extensions=self._extensions(),
            ) as response,
            _cut_at(deadline, response),
        ):
            response.read()
        content_type = response.headers.get("Content-Type", "")
        if response.status_code == 200 and response.text.strip() == "ok":
            return
        if response.status_code != 200 and parse_refusal(
            response.status_code, content_type, response.text
        ):
            return
        raise self._foreign(response)

    def ask(
        self,
        question: str,
        *,
        stream: bool,
        deadline: Deadline,
        token: str | None = None,
        history: Sequence[Turn] = (),
    ) -> Iterator[Event]:
        """Send the question after what was said before, and yield the answer, in pieces or as one.

        The token goes with the question alone: a probe may meet somebody else.
        """
        begun = False
        with (
            self._failures(deadline, has_begun=lambda: begun),
            self._client.stream(
                "POST",
                f"{self.endpoint.url}/",
                content=_body(question, stream, history),
                headers={
                    "Content-Type": "application/json",
                    "Accept": "text/event-stream" if stream else "application/json",
                    **token_headers(
                        token, authorization_is_taken=self.endpoint.authorization_is_taken
                    ),
                },
                timeout=_timeouts(deadline),
                extensions=self._extensions(),
            ) as response,
            _cut_at(deadline, response),
        ):
            if response.status_code != 200:
                response.read()
                raise self._refused(response)
            begun = True
            if response.headers.get("Content-Type", "").startswith("text/event-stream"):
                yield from self._events(response)
                return
            response.read()
            whole = parse_answer(response.text)
            if whole is None:
                raise self._foreign(response)
            yield from whole

    def _events(self, response: httpx2.Response) -> Iterator[Event]:
        for sent in httpx2.EventSource(response):
            event = parse_event(sent.event, sent.data)
            if isinstance(event, Refusal):
                raise failure_for(event, self._target)
            if isinstance(event, Text):
                yield event
            elif isinstance(event, Done):
                yield event
                return
        raise self._cut("the stream ended before the answer was whole")

    def _extensions(self) -> dict[str, str]:
        name = self.endpoint.server_name
        return {"sni_hostname": name} if name else {}

    def _refused(self, response: httpx2.Response) -> Failure:
        """Tell what an answer other than 200 means."""
        content_type = response.headers.get("Content-Type", "")
        refusal = parse_refusal(
            response.status_code,
            content_type,
            response.text,
            response.headers.get("Retry-After"),
        )
        return failure_for(refusal, self._target) if refusal else self._foreign(response)

    def _foreign(self, response: httpx2.Response) -> Failure:
        """Tell what an answer means that no assistant gives."""
        content_type = response.headers.get("Content-Type", "")
        what = f"{self._target.label} gave no answer."
        said = parse_api_server_answer(content_type, response.text)
        if said and said.status in {401, 403}:
            return NotAllowed(
                what, why=said.message, next_step="kubectl auth can-i create services/proxy"
            )
        if said and said.status in {404, 500, 502, 503, 504}:
            return Unreachable(what, why=said.message, next_step=self._target.check)
        if response.is_redirect:
            return NotAnAssistant(
                what,
                why=f"{self.endpoint.url} sends on to {response.headers.get('Location')}",
                next_step=f"{{va}} ask --url {response.headers.get('Location')} …",
            )
        why = f"{self.endpoint.url} is not an assistant: it answered {response.status_code}"
        if content_type:
            why += f" with {content_type.partition(';')[0]}"
        if "HTTPS server" in response.text:
            why = f"{self.endpoint.url} speaks TLS: the URL must begin with https://"
        return NotAnAssistant(what, why=why, next_step=f"curl -i {self.endpoint.url}/health")

    def _cut(self, why: str) -> ModelFailed:
        return ModelFailed(
            f"{self._target.label} did not finish its answer.",
            why=f"AnswerCut: {why}",
            next_step=self._target.check,
            reason="AnswerCut",
        )

    @contextmanager
    def _failures(
        self, deadline: Deadline, *, has_begun: Callable[[], bool] = lambda: False
    ) -> Generator[None, None, None]:
        """Turn what the HTTP library raises into what users are told."""
        try:
            yield
        except (httpx2.TransportError, httpx2.SSEError) as error:
            if isinstance(error, httpx2.ReadTimeout) or deadline.is_over:
                raise self._timed_out(deadline) from error
            if has_begun():
                raise self._cut(_cause(error)) from error
            raise self._unreachable(error) from error

    def _timed_out(self, deadline: Deadline) -> TimedOut:
        return TimedOut(
            f"{self._target.label} gave no whole answer.",
            why=f"Timeout: {duration_text(deadline.seconds)} are over",
            next_step="ask again with a longer --timeout",
        )

    def _unreachable(self, error: httpx2.TransportError | httpx2.SSEError) -> Failure:
        what = f"{self._target.label} cannot be reached."
        why = _cause(error)
        if not self._target.url:
            why = f"{self.endpoint.url}: {why}"
        if _found(error, ssl.SSLError):
            return NotTrusted(what, why=why, next_step=f"curl -v {self.endpoint.url}/health")
        return Unreachable(what, why=why, next_step=self._target.check)


class NotTrusted(Failure):
    """Both sides do not agree on TLS, or the certificate is not trusted.

    `TLSFailed` is what an assistant says of the way to its model.
    """

    usual_reason = "NotTrusted"


def _body(question: str, stream: bool, history: Sequence[Turn]) -> bytes:
    """Return the request's body; letters as they are, for the assistant limits its bytes."""
    body: dict[str, Any] = {"question": question, "stream": stream}
    if history:
        body["history"] = [{"role": turn.role, "text": turn.text} for turn in history]
    return json.dumps(body, ensure_ascii=False).encode()


def _trust(endpoint: Endpoint) -> ssl.SSLContext | bool:
    """Return what proves the server's name.

    Where no TLS is spoken nothing does, and loading the system's certificates
    would cost a tenth of a second for each way that is tried.
    """
    return endpoint.tls or endpoint.url.startswith("https://")


def _timeouts(deadline: Deadline) -> httpx2.Timeout:
    return httpx2.Timeout(
        deadline.remaining or 0.001, connect=min(CONNECT_SECONDS, deadline.remaining or 0.001)
    )


@contextmanager
def _cut_at(deadline: Deadline, response: httpx2.Response) -> Generator[None, None, None]:
    """End the connection at the deadline, also while pieces go on trickling in.

    A read timeout starts anew with each piece, so it cannot do this.
    """
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None

    def cut() -> None:
        if connection is not None:
            with suppress(OSError):
                # Under TLS too: what waits for the peer's bytes must wake up.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(deadline.remaining, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _found(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """Return the first error of that kind among the causes."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, kind):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _cause(error: BaseException) -> str:
    """Say shortly what went wrong on the way."""
    refused = _found(error, ConnectionRefusedError)
    tls = _found(error, ssl.SSLError)
    if refused:
        return "connection refused"
    if isinstance(error, httpx2.ConnectTimeout):
        return f"no connection within {duration_text(CONNECT_SECONDS)}"
    if _found(error, socket.gaierror):
        return "no such host"
    if isinstance(tls, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {tls.verify_message}"
    if tls and "WRONG_VERSION_NUMBER" in str(tls):
        return "no TLS is spoken there: the URL must begin with http://"
    if tls:
        return f"TLS failed: {getattr(tls, 'reason', None) or tls}"
    if isinstance(error, httpx2.RemoteProtocolError | httpx2.ReadError):
        return "the connection was closed before the answer"
    return str(error) or type(error).__name__
