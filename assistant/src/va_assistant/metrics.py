"""What is counted; names and labels are part of the interface."""

from collections.abc import Callable
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from va_assistant.replies import Reply

disable_created_metrics()  # type: ignore[no-untyped-call]
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        questions = Counter(
            "va_assistant_questions",
            "Questions by what became of them; reason is empty for answers.",
            ["result", "reason"],
            registry=self.registry,
        )
        made = Counter(
            "va_assistant_answers",
            "Answers by how they were made, the model that answered (empty where none did) and "
            "whether it or lines of the texts stood in for the preferred one.",
            ["made", "model", "fallback"],
            registry=self.registry,
        )
        refusals = Counter(
            "va_assistant_refusals",
            "Questions to which the texts have no answer, by kind.",
            ["kind"],
            registry=self.registry,
        )
        seconds = Histogram(
            "va_assistant_answer_seconds",
            "Seconds from a question's arrival to its end, by what became of it and the model "
            "that answered (empty where none did).",
            ["result", "model"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        first_text = Histogram(
            "va_assistant_first_text_seconds",
            "Seconds from a question's arrival to the first text of its stream, which is checked "
            "by then; labels as of the answer's seconds.",
            ["result", "model"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "va_assistant_questions_in_flight",
            "Questions at work.",
            registry=self.registry,
        )
        calls = Counter(
            "va_assistant_model_calls",
            "Calls of a model for a question, by rung (0 is the preferred model) and what came "
            "of them: answered, left, or the reason of the failure.",
            ["rung", "model", "result"],
            registry=self.registry,
        )
        first_token = Histogram(
            "va_assistant_model_first_token_seconds",
            "Seconds from a call of a model for a stream to the first piece of its answer.",
            ["rung", "model"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        fallbacks = Counter(
            "va_assistant_fallbacks",
            "Questions that a model passed on to the next one, by the reason of its failure.",
            ["rung", "model", "reason"],
            registry=self.registry,
        )
        turned_away = Counter(
            "va_assistant_turned_away",
            "Connections that were refused or cut off before a request was served, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self._circuits = Gauge(
            "va_assistant_circuit_state",
            "Whether a model is asked: 0 closed (it is), 1 half-open (by one probe), 2 open.",
            ["rung", "model"],
            registry=self.registry,
        )
        tokens = Counter(
            "va_assistant_tokens",
            "Tokens as the models report them, by kind: prompt, those of it that were cached, "
            "completion.",
            ["kind", "model"],
            registry=self.registry,
        )

        # The library makes strings of labels, and looks the counter up below a lock, each time.
        self._questions, self._made = cache(questions.labels), cache(made.labels)
        self._refusals, self._tokens = cache(refusals.labels), cache(tokens.labels)
        self._seconds, self._first_text = cache(seconds.labels), cache(first_text.labels)
        self._calls, self._fallbacks = cache(calls.labels), cache(fallbacks.labels)
        self._first_token = cache(first_token.labels)
        self._turned_away = cache(turned_away.labels)

    def watch_reranker(self) -> Callable[[], None]:
        """Count how often the reranker fails, where there is one; returns what counts."""
        failures = Counter(
            "va_assistant_reranker_failures",
            "Questions for which the reranker gave no scores, so that the rules chose alone.",
            registry=self.registry,
        )
        return failures.inc

    def watch_budget(self, per_day: int, spent: Callable[[], float]) -> None:
        """Tell the budget of a day, and ask for what of it is spent whenever they are read."""
        budget = Gauge(
            "va_assistant_budget_tokens",
            "Tokens that a day of UTC may cost, and those that today has cost: limit and spent.",
            ["kind"],
            registry=self.registry,
        )
        budget.labels("limit").set(per_day)
        budget.labels("spent").set_function(spent)

    def answered(self, reply: Reply, seconds: float, *, first: float | None = None) -> None:
        """Count an answer, also one that says that there is none.

        `first` is the moment of a stream's first text, in seconds like its end.
        """
        self._questions("answered", "").inc()
        author = reply.author
        model = author.model or ""
        self._made(reply.made, model, str(author.fallback).lower()).inc()
        if reply.refusal:
            self._refusals(reply.refusal).inc()
        self._took("answered", seconds, first, model)
        if usage := reply.usage:
            self._tokens("prompt", model).inc(usage.prompt)
            self._tokens("cached", model).inc(usage.cached)
            self._tokens("completion", model).inc(usage.completion)

    def began(self, rung: int, model: str, seconds: float) -> None:
        """Count the first piece of a model's stream."""
        self._first_token(str(rung), model).observe(seconds)

    def called(self, rung: int, model: str, result: str) -> None:
        """Count a call of a model: `answered`, `left`, or the reason of its failure."""
        self._calls(str(rung), model, result).inc()

    def passed_on(self, rung: int, model: str, reason: str) -> None:
        """Count a question that goes on to the next model, by the one that did not answer."""
        self._fallbacks(str(rung), model, reason).inc()

    def watch_circuit(self, rung: int, model: str, state: Callable[[], float]) -> None:
        """Ask for the state of a model's circuit whenever the metrics are read."""
        self._circuits.labels(str(rung), model).set_function(state)

    def turned_away(self, reason: str) -> None:
        """Count a connection that was refused or cut off before a request was served."""
        self._turned_away(reason).inc()

    def refused(self, reason: str) -> None:
        """Count a question that was not even asked, by reason."""
        self._questions("failed", reason).inc()

    def failed(self, reason: str, seconds: float, *, first: float | None = None) -> None:
        """Count a question without an answer, or without the end of one, by reason."""
        self._questions("failed", reason).inc()
        self._took("failed", seconds, first)

    def left(self, seconds: float, *, first: float | None = None) -> None:
        """Count a question whose asker did not wait."""
        self._questions("left", "").inc()
        self._took("left", seconds, first)

    def _took(self, result: str, seconds: float, first: float | None, model: str = "") -> None:
        self._seconds(result, model).observe(seconds)
        if first is not None:
            self._first_text(result, model).observe(first)

    def text(self) -> bytes:
        """Return them in Prometheus' text format."""
        return generate_latest(self.registry)
