"""Asks a model through the `openai` package; nothing else here knows that package.

The package writes the head of the requests, once for each key, and reads the responses that are
errors: its authentication, its URLs and its errors are what other clients of the same servers have.
Between the two nothing goes through it. It makes each request anew, for more than all that this
program does with an answer, and a question differs from the next in its body only.
"""

import json
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx2
import openai

from va_assistant.budget import Budget, Charge
from va_assistant.completions import Answer, Piece, parse_answer, read_stream
from va_assistant.confidential import QUOTED, quotes_the_prompt
from va_assistant.deadlines import Deadline
from va_assistant.errors import AskerLeft, Failure, Reason, one_line
from va_assistant.keys import KeySource
from va_assistant.prompt import MINIMAL, Prompt, Query
from va_assistant.proxies import InvalidProxyError, Proxy
from va_assistant.redaction import redacted, redacted_stream
from va_assistant.refusals import failure_of, is_cut_to_nothing, nameless
from va_assistant.revision import ModelSettings, Provider
from va_assistant.transport import ASKER, DEADLINE, Response, Transport, url_fault
from va_assistant.trust import Trust

READ_OUT_SECONDS = 0.2
"""For what a server sends after an answer's end: without it the connection is closed."""

_NO_URL = "http://unusable.invalid"

_PLAIN = frozenset({"", "identity"})
"""How an answer may be encoded: as it was asked for."""

Result = TypeVar("Result")


class Model:
    """One model; any number of threads may ask it."""

    def __init__(
        self,
        settings: ModelSettings,
        prompt: Prompt,
        key: KeySource,
        proxy_for: Callable[[str], Proxy | None] = lambda _url: None,
        trust: Trust | None = None,
        budget: Budget | None = None,
    ) -> None:
        """`proxy_for` is asked once, with the model's URL; it may raise `InvalidProxyError`.

        `trust` verifies the server where TLS is spoken; None is the system's. `budget` is what
        the answers may cost, None where they cost nothing.
        """
        self.settings = settings
        self._prompt = prompt
        self._key = key
        self._budget = budget
        # A pod with such a URL lives and says what is wrong with it; nothing is sent.
        self._url_fault = url_fault(settings.base_url)
        base_url, proxy = _NO_URL, None
        if not self._url_fault:
            base_url = settings.base_url
            try:
                proxy = proxy_for(base_url)
            except InvalidProxyError as error:
                self._url_fault = str(error)
        self._proxy_token = proxy.token if proxy else None
        self._base_url = base_url
        self._transport = Transport(base_url, proxy, trust)
        self._head: tuple[str | None, bytes] | None = None
        self._whole = self._parameters()
        self._streamed = self._parameters(stream=True)

    def answer(
        self, query: Query, deadline: Deadline, asker: socket.socket | None = None
    ) -> Answer:
        """Return the whole answer; raises a `Failure` where there is none."""

        def ask(key: str | None) -> Answer:
            body = self._prompt.request(self._whole, query)
            answer = self._whole_answer(body, key, deadline, asker)
            text = redacted(answer.text, (key, self._proxy_token))
            return answer if text == answer.text else replace(answer, text=text)

        answer = self._with_key(ask)
        if not answer.text:
            raise _cut_to_nothing()
        return answer

    def stream(
        self, query: Query, deadline: Deadline, asker: socket.socket | None = None
    ) -> Generator[Piece]:
        """Return the answer as it is written; the last piece says why it ended.

        Nothing is asked before the first piece is taken. Closing the iterator
        closes the connection, so the provider stops writing.
        """

        def begin(key: str | None) -> "_Begun":
            body = self._prompt.request(self._streamed, query)
            with self._charged(body) as charge:
                response = self._post(body, key, deadline, asker)
                return _Begun(response, key, self._proxy_token, charge, deadline)

        begun = self._with_key(begin)
        try:
            deadline.begin()
            if begun.first.finish_reason:
                raise _cut_to_nothing()
            yield begun.first
            with self._hiding(begun.key):
                yield from begun.others()
        finally:
            begun.close()

    def try_out(self, deadline: Deadline) -> int | None:
        """Ask for one token with the whole prompt; return its tokens, None where unknown.

        An answer that is cut to nothing is one: the model was reached.
        """

        def ask(key: str | None) -> Answer:
            body = self._prompt.request(self._parameters(limit=1), MINIMAL)
            return self._whole_answer(body, key, deadline, None)

        try:
            answer = self._with_key(ask)
        except Failure as failure:
            if is_cut_to_nothing(failure):
                return None
            raise
        return answer.usage.prompt if answer.usage else None

    def access_now(self) -> tuple[object, object]:
        """Return the key and the trust that a question would find, to tell them from later ones."""
        return _found(self._key.read), _found(self._transport.trust_now)

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    def _with_key(self, ask: Callable[[str | None], Result]) -> Result:
        """Ask with the key of the moment; at once again if it was changed meanwhile."""
        key = self._key.read()
        try:
            with self._hiding(key):
                return ask(key)
        except Failure as failure:
            if failure.reason is not Reason.KEY_REFUSED:
                raise
            newer = self._key.read()
            if newer == key:
                raise
        with self._hiding(newer):
            return ask(newer)

    def _whole_answer(
        self, body: bytes, key: str | None, deadline: Deadline, asker: socket.socket | None
    ) -> Answer:
        with self._charged(body) as charge:
            answer = parse_answer(self._post(body, key, deadline, asker).read())
            if charge:
                charge.wrote(answer.text, answer.usage)
                charge.settle()
            return answer

    @contextmanager
    def _charged(self, body: bytes) -> Iterator[Charge | None]:
        """Take a call out of the budget, for as much as it costs where it fails."""
        charge = self._budget.hold(body) if self._budget else None
        try:
            yield charge
        except BaseException as error:
            if charge:
                charge.failed(error)
            raise

    def _post(
        self,
        body: bytes,
        key: str | None,
        deadline: Deadline,
        asker: socket.socket | None,
    ) -> Response:
        if self._url_fault:
            raise Failure(Reason.HOST_NOT_FOUND, self._url_fault)
        DEADLINE.set(deadline)
        ASKER.set(asker)
        try:
            response = self._transport.send(self._head_for(key), body)
            if not 200 <= response.status < 300:
                raise self._refusal(response)
            return _as_it_came(response)
        except (openai.OpenAIError, OSError) as error:
            raise _unreadable(error) from error

    def _head_for(self, key: str | None) -> bytes:
        """Return the head of requests with a key; that of the last one is kept."""
        kept = self._head  # read once: another thread may put that of another key in its place
        if kept is None or kept[0] != key:
            request = _packaged(self._base_url, key, httpx2.Response(200)).request
            kept = self._head = key, self._transport.head_of(request)
        return kept[1]

    def _refusal(self, response: Response) -> Failure:
        """Return the failure that a response stands for whose status is no success."""
        # Without its headers: the package needs none, and cannot read all that a server may send.
        said = httpx2.Response(response.status, content=_plain_body(response))
        try:
            _packaged(self._base_url, None, said)
        except openai.APIStatusError as error:
            return failure_of(
                response.status,
                error.body,
                response.headers,
                now=datetime.now(UTC),
                who=self._transport.answerer,
            )
        raise AssertionError("the package takes this status for a success")

    def _parameters(self, *, stream: bool = False, limit: int | None = None) -> bytes:
        """Return the request's parameters as JSON; only what is set is sent."""
        settings = self.settings
        parameters: dict[str, Any] = {"model": settings.name}
        limit = limit or settings.max_tokens
        if limit is not None:
            parameters["max_completion_tokens" if settings.is_openai else "max_tokens"] = limit
        if settings.temperature is not None:
            parameters["temperature"] = settings.temperature
        if stream:
            parameters["stream"] = True
            # Not every compatible server knows this one.
            if settings.is_openai or settings.provider is Provider.EMBEDDED:
                parameters["stream_options"] = {"include_usage": True}
        return json.dumps(parameters, ensure_ascii=False).encode()

    @contextmanager
    def _hiding(self, key: str | None) -> Iterator[None]:
        """Make sure that no failure quotes a secret, and that none is longer than a line."""
        try:
            yield
        except Failure as failure:
            message = nameless(failure.message)
            for secret in filter(None, (key, self._proxy_token)):
                message = message.replace(secret, "…")
            failure.message = QUOTED if quotes_the_prompt(message) else one_line(message)
            raise


class _Begun:
    """A streamed answer whose first piece has come: up to there somebody else may be asked."""

    def __init__(
        self,
        response: Response,
        key: str | None,
        proxy_token: str | None,
        charge: Charge | None,
        deadline: Deadline,
    ) -> None:
        self._response = response
        self.key = key
        self._charge = charge
        self._deadline = deadline
        self._is_whole = False
        self._raw = iter(response)
        self._read = read_stream(self._raw)
        self._rest = redacted_stream(self._read, (key, proxy_token))
        try:
            self.first = self._noted(next(self._rest))
        except BaseException:
            self._end()
            raise

    def others(self) -> Iterator[Piece]:
        """Yield what comes after the first piece."""
        return map(self._noted, self._rest)

    def close(self) -> None:
        if self._is_whole:
            self._read_out()
        self._end()
        if self._charge:
            self._charge.settle()

    def _read_out(self) -> None:
        """Read the end of a response, so that its connection can be used again."""
        self._deadline.ends = min(self._deadline.ends, self._deadline.clock() + READ_OUT_SECONDS)
        with suppress(Failure, AskerLeft):
            for _ in self._raw:
                pass

    def _noted(self, piece: Piece) -> Piece:
        self._is_whole = piece.finish_reason is not None
        if self._charge:
            self._charge.wrote(piece.text, piece.usage)
        return piece

    def _end(self) -> None:
        self._rest.close()
        self._read.close()
        self._response.close()


def _packaged(base_url: str, key: str | None, response: httpx2.Response) -> httpx2.Response:
    """Return a response with its request as the `openai` package has them; raises its errors.

    The package finds the response at hand, so nothing is sent.
    """
    at_hand = httpx2.MockTransport(lambda _: response)
    with openai.OpenAI(
        api_key="unused",  # the key of the moment is a header
        base_url=base_url,
        max_retries=0,
        http_client=httpx2.Client(transport=at_hand, trust_env=False),
    ) as client:
        return client.post(
            "/chat/completions",
            content=b"",
            cast_to=httpx2.Response,
            options={
                "headers": {
                    "Accept-Encoding": "identity",
                    "Authorization": f"Bearer {key}" if key else openai.Omit(),
                    # Of each question another; the head is that of many.
                    "x-stainless-read-timeout": openai.Omit(),
                }
            },
        )


def _is_plain(response: Response) -> bool:
    """Tell whether a body can be read as it came; unpacked, little may become too much."""
    return response.headers.get("content-encoding", "").lower() in _PLAIN


def _as_it_came(response: Response) -> Response:
    """Return an answer that can be read; raises `Failure` for another."""
    if _is_plain(response):
        return response
    response.close()
    raise Failure(
        Reason.UPSTREAM_ERROR,
        "the server's answer came in a Content-Encoding that was not asked for",
    )


def _plain_body(response: Response) -> bytes:
    """Return what the response of a failure says; nothing where that cannot be read."""
    if _is_plain(response):
        return response.read()
    response.close()
    return b""


def _unreadable(error: Exception) -> Failure:
    return Failure(
        Reason.UPSTREAM_ERROR, f"the server's answer cannot be read: {type(error).__name__}"
    )


def _found(read: Callable[[], object]) -> object:
    try:
        return read()
    except Failure as failure:
        return failure.reason, failure.message


def _cut_to_nothing() -> Failure:
    return Failure(
        Reason.UPSTREAM_ERROR,
        "the model's answer is none: maxTokens cut it before its first word",
        about_question=True,
    )
