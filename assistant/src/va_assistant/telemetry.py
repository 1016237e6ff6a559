"""Tells traces with OpenTelemetry; nothing else here knows those packages.

A span has names, sizes, times and reasons, never a word of a question, of a text or of an answer,
and no message of somebody else's. Names follow the semantic conventions for generative AI
(https://opentelemetry.io/docs/specs/semconv/gen-ai/) where they have one. They are written out,
because the package holds them in a module that it calls unstable.
"""

import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from va_assistant.completions import Answer, Piece, Usage
from va_assistant.errors import AskerLeft, Failure, Reason
from va_assistant.replies import Reply
from va_assistant.revision import ModelSettings, Provider
from va_assistant.traces import Call, Trace, Tracing

LAST_SECONDS = 2.0
"""How long the end of the process waits for a collector to take what is left."""

# Without `tracestate` and baggage: what strangers write there is no business of the provider's.
_W3C = TraceContextTextMapPropagator()


class OpenTelemetry(Tracing):
    """Traces that go where the OTEL_* variables say; the SDK reads them by itself."""

    def __init__(
        self, processor: SpanProcessor, *, name: str = "", revision: str = "", host: str = ""
    ) -> None:
        """`name` is the assistant's, empty where it has none; `host` tells its pods apart."""
        given = {
            "service.name": name or "virtual-assistant",
            "service.version": version("va-assistant"),
            "service.instance.id": host,
        }
        said = OTELResourceDetector().detect().attributes
        self._provider = TracerProvider(
            resource=Resource.create({**given, **said}), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("va_assistant", given["service.version"])
        self._span_name = f"invoke_agent {name}".rstrip()
        agent = {"gen_ai.agent.name": name, "gen_ai.agent.version": revision}
        self._attributes = {
            "gen_ai.operation.name": "invoke_agent",
            **{key: value for key, value in agent.items() if value},
        }

    @classmethod
    def of(cls, *, name: str, revision: str, host: str) -> Self:
        """Return traces that are sent in batches, by OTLP over HTTP."""
        processor = BatchSpanProcessor(OTLPSpanExporter())
        return cls(processor, name=name, revision=revision, host=host)

    def question(self, traceparent: str) -> Trace:
        """Begin the trace of a question, or go on with the asker's."""
        parent = _W3C.extract({"traceparent": traceparent}, Context()) if traceparent else Context()
        span = self._tracer.start_span(
            self._span_name, context=parent, kind=SpanKind.SERVER, attributes=self._attributes
        )
        return _QuestionTrace(self._tracer, span)

    def close(self) -> None:
        """Send what was not sent yet; a collector that is away is not waited for."""
        last = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        last.start()
        last.join(LAST_SECONDS)


class _QuestionTrace(Trace):
    """The trace of one question: its span, and those of its steps below it."""

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer = tracer
        self._span = span
        self._below = set_span_in_context(span, Context())
        self.ids = {"trace_id": f"{span.get_span_context().trace_id:032x}"}

    @contextmanager
    def studying(self) -> Iterator[None]:
        """Look for what the texts have."""
        with _ended(self._tracer.start_span("study", context=self._below)):
            yield

    def asking(self, model: ModelSettings, *, stream: bool = False) -> Call:
        """Ask a model."""
        span = self._tracer.start_span(
            f"chat {model.name}",
            context=self._below,
            kind=SpanKind.CLIENT,
            attributes=_asked(model, stream=stream),
        )
        return _ModelCall(span)

    @contextmanager
    def checking(self) -> Iterator[None]:
        """Check an answer; that of a stream while it is written."""
        with _ended(self._tracer.start_span("check", context=self._below)):
            yield

    def answered(self, reply: Reply) -> None:
        """End it with an answer."""
        said: dict[str, Any] = {
            "va.made": reply.made.value,
            "va.fallback": reply.author.fallback,
            "va.sources": len(reply.sources),
            "va.nearest": len(reply.nearest),
            "gen_ai.response.model": reply.author.model,
            "va.refusal": reply.refusal and reply.refusal.value,
            "va.instead_of": reply.instead_of and reply.instead_of.reason.value,
        }
        self._span.set_attributes(_known(said))
        self._span.end()

    def failed(self, reason: Reason) -> None:
        """End it without an answer, or without the end of one."""
        _fail(self._span, reason.value)
        self._span.end()

    def left(self) -> None:
        """End it because the asker did not wait."""
        self._span.set_attribute("va.left", value=True)
        self._span.end()


class _ModelCall(Call):
    """The span of one try of a model."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._begun = time.monotonic()
        header: dict[str, str] = {}
        _W3C.inject(header, set_span_in_context(span, Context()))
        self.traceparent = header.get("traceparent")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, by what went wrong where something did."""
        _end(self._span, error)

    def told(self, answer: Answer) -> Answer:
        """Take note of a whole answer, and return it."""
        self._finished(answer.finish_reason, answer.usage)
        return answer

    def telling(self, pieces: Generator[Piece]) -> Generator[Piece]:
        """Take note of a stream as it is written, and end with it."""
        with self, closing(pieces):
            first = True
            for piece in pieces:
                if first:
                    waited = time.monotonic() - self._begun
                    self._span.set_attribute("gen_ai.response.time_to_first_chunk", waited)
                    first = False
                if piece.finish_reason:
                    self._finished(piece.finish_reason, piece.usage)
                yield piece

    def _finished(self, finish_reason: str, usage: Usage | None) -> None:
        self._span.set_attribute("gen_ai.response.finish_reasons", (finish_reason,))
        if usage:
            self._span.set_attributes(
                {
                    "gen_ai.usage.input_tokens": usage.prompt,
                    "gen_ai.usage.cache_read.input_tokens": usage.cached,
                    "gen_ai.usage.output_tokens": usage.completion,
                }
            )


def _asked(model: ModelSettings, *, stream: bool) -> Mapping[str, Any]:
    """Return what is known of a call before it is made."""
    return _known(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": (
                "llama.cpp" if model.provider is Provider.EMBEDDED else "openai"
            ),
            "gen_ai.request.model": model.name,
            "gen_ai.request.max_tokens": model.max_tokens,
            "gen_ai.request.temperature": model.temperature,
            "gen_ai.request.stream": stream or None,
            "server.address": _host(model.base_url),
        }
    )


def _host(base_url: str) -> str | None:
    """Return the host of a URL; None where it is none, which its question is told."""
    try:
        return urlsplit(base_url).hostname
    except ValueError:
        return None


def _known(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


@contextmanager
def _ended(span: Span) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        _end(span, error)
        raise
    _end(span, None)


def _end(span: Span, error: BaseException | None) -> None:
    """End a span; that somebody left is no error of anybody's."""
    if isinstance(error, Failure):
        _fail(span, error.reason.value)
    elif isinstance(error, AskerLeft | GeneratorExit):
        span.set_attribute("va.left", value=True)
    elif error is not None:
        _fail(span, type(error).__name__)
    span.end()


def _fail(span: Span, why: str) -> None:
    """Mark a span as failed, without the message: providers quote what they were sent."""
    span.set_attribute("error.type", why)
    span.set_status(StatusCode.ERROR)
