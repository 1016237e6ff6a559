"""What is counted; names and labels are part of the interface."""

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
        self._questions = Counter(
            "va_assistant_questions",
            "Questions by what became of them; reason is empty for answers.",
            ["result", "reason"],
            registry=self.registry,
        )
        self._made = Counter(
            "va_assistant_answers",
            "Answers by how they were made.",
            ["made"],
            registry=self.registry,
        )
        self._refusals = Counter(
            "va_assistant_refusals",
            "Questions to which the texts have no answer, by kind.",
            ["kind"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "va_assistant_answer_seconds",
            "Seconds from a question's arrival to the end of its answer.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "va_assistant_questions_in_flight",
            "Questions at work.",
            registry=self.registry,
        )
        self._tokens = Counter(
            "va_assistant_tokens",
            "Tokens as the model reports them.",
            ["kind"],
            registry=self.registry,
        )

    def answered(self, seconds: float, reply: Reply) -> None:
        """Count an answer, also one that says that there is none."""
        self._questions.labels("answered", "").inc()
        self._made.labels(reply.made).inc()
        if reply.refusal:
            self._refusals.labels(reply.refusal).inc()
        self._seconds.observe(seconds)
        if usage := reply.usage:
            self._tokens.labels("prompt").inc(usage.prompt)
            self._tokens.labels("cached").inc(usage.cached)
            self._tokens.labels("completion").inc(usage.completion)

    def failed(self, reason: str) -> None:
        """Count a question without an answer, by reason."""
        self._questions.labels("failed", reason).inc()

    def left(self) -> None:
        """Count a question whose asker did not wait."""
        self._questions.labels("left", "").inc()

    def text(self) -> bytes:
        """Return them in Prometheus' text format."""
        return generate_latest(self.registry)
