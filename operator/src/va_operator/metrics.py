"""What `/metrics` tells, in the text format of Prometheus.

Counts and times are kept up where things happen; the state of things (the queue, the assistants,
who leads) is looked up when somebody asks. No label names an assistant or a
namespace, so a thousand assistants make as many series as one.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from va_operator import reasons
from va_operator.api import VirtualAssistant
from va_operator.errors import ChildRefused, ClusterFailure

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
PREFIX: Final = "va_operator"

OTHER: Final = "Other"
"""Stands for reasons that are not ours: pods could invent any number of them."""
_REASONS: Final = frozenset(v for name, v in vars(reasons).items() if name.isupper())

RECONCILE_BUCKETS: Final = (0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
WAIT_BUCKETS: Final = (0.001, 0.01, 0.1, 0.5, 1, 5, 15, 60, 300)
REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Upper bounds in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """How to look up the present state."""

    waiting: Callable[[], int]
    in_work: Callable[[], int]
    leading: Callable[[], bool]
    lag: Callable[[], float]
    """By how many seconds the event loop was late at worst in the last minute."""
    unusable: Callable[[], int]
    """In how many namespaces it cannot act."""
    upgrades: Callable[[], Mapping[str, int]]
    """How many assistants there are in each state of an upgrade."""
    assistants: Callable[[], Iterable[VirtualAssistant]]


class Metrics:
    """The operator's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._reconciles = Counter(
            f"{PREFIX}_reconciles",
            "Reconciles. result: succeeded, refused (a child cannot be written: see the status),"
            " failed (the API server) or broken (a fault of the operator); reason: that of the"
            " condition, the HTTP code with 0 for no answer, or the fault's class.",
            ("result", "reason"),
            registry=registry,
        )
        self._reconcile_seconds = Histogram(
            f"{PREFIX}_reconcile_duration_seconds",
            "How long a reconcile took, whatever its result.",
            buckets=RECONCILE_BUCKETS,
            registry=registry,
        )
        self._last_success = Gauge(
            f"{PREFIX}_last_success_timestamp_seconds",
            "When a reconcile last came to its end (Unix time), 0 for never: with success or with a"
            " refusal that the status tells.",
            registry=registry,
        )
        self._wait_seconds = Histogram(
            f"{PREFIX}_queue_wait_seconds",
            "How long an assistant waited for a worker; pauses after failures are not in it.",
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self._requests = Counter(
            f"{PREFIX}_api_requests",
            "Requests to the API server but for kopf's watch; code 0: no answer.",
            ("verb", "resource", "code"),
            registry=registry,
        )
        self._request_seconds = Histogram(
            f"{PREFIX}_api_request_duration_seconds",
            "How long the API server took until it began to answer.",
            ("verb",),
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self._watch_ends = Counter(
            f"{PREFIX}_watch_restarts",
            "Watches that ended and began again. cause: ended (in order, every five minutes),"
            " expired (its place was lost: a new list) or failed.",
            ("resource", "cause"),
            registry=registry,
        )
        self._questions = Counter(
            f"{PREFIX}_pod_questions",
            "Questions to pods how they are. result: answered or silent.",
            ("result",),
            registry=registry,
        )

    def reconciled(self, seconds: float, fault: Exception | None, *, now: float) -> None:
        """Take in the end of a reconcile, at ``now`` in Unix time."""
        self._reconcile_seconds.observe(seconds)
        match fault:
            case None:
                self._last_success.set(now)
                result, reason = "succeeded", ""
            case ChildRefused():  # The owner's to cure; the operator has done its part.
                self._last_success.set(now)
                result, reason = "refused", fault.reason
            case ClusterFailure():
                result, reason = "failed", str(fault.status)
            case _:
                result, reason = "broken", type(fault).__name__
        self._reconciles.labels(result, reason).inc()

    def waited(self, seconds: float) -> None:
        """Take in for how long a key has waited in the queue."""
        self._wait_seconds.observe(seconds)

    def requested(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Take in a request to the API server."""
        self._requests.labels(verb, resource, str(code)).inc()
        self._request_seconds.labels(verb).observe(seconds)

    def watch_ended(self, resource: str, cause: str) -> None:
        """Take in the end of a watch."""
        self._watch_ends.labels(resource, cause).inc()

    def asked(self, *, answered: bool) -> None:
        """Take in a question to a pod."""
        self._questions.labels("answered" if answered else "silent").inc()

    def show(self, present: Present) -> None:
        """Tell of the present state too, from now on."""
        self.registry.register(_PresentCollector(present))

    def text(self) -> bytes:
        """Return all of it, in CONTENT_TYPE."""
        return generate_latest(self.registry)


class _PresentCollector(Collector):
    def __init__(self, present: Present) -> None:
        self._present = present

    def collect(self) -> Iterator[Metric]:
        present = self._present
        yield GaugeMetricFamily(
            f"{PREFIX}_queue_depth", "Assistants that wait for a worker.", present.waiting()
        )
        yield GaugeMetricFamily(
            f"{PREFIX}_queue_in_work", "Assistants that are worked on.", present.in_work()
        )
        yield GaugeMetricFamily(
            f"{PREFIX}_leading", "1 where this process acts, 0 where it stands by.",
            int(present.leading()),
        )  # fmt: skip
        yield GaugeMetricFamily(
            f"{PREFIX}_event_loop_lag_seconds",
            "By how much the process was late for its own beat of each second, at worst in the"
            " last minute.",
            present.lag(),
        )
        yield GaugeMetricFamily(
            f"{PREFIX}_namespaces_unusable",
            "Namespaces that are watched in which it cannot act: /readyz says why.",
            present.unusable(),
        )
        upgrades = GaugeMetricFamily(
            f"{PREFIX}_upgrades",
            "Assistants that get other images of the operator's. state: under_way or waiting.",
            labels=("state",),
        )
        for state, count in present.upgrades().items():
            upgrades.add_metric((state,), count)
        yield upgrades
        yield self._assistants()

    def _assistants(self) -> Metric:
        tally = Tally[tuple[str, str, str]]()
        for assistant in self._present.assistants():
            conditions = assistant.status.get("conditions") or ()
            tally.update((c["type"], c["status"], _bounded(c["reason"])) for c in conditions)
            if not conditions:
                tally["Ready", "Unknown", ""] += 1
        family = GaugeMetricFamily(
            f"{PREFIX}_assistants",
            "Assistants by condition, its status and reason; one without any counts as Ready"
            f" Unknown, so those of Ready are all. Reason {OTHER}: a pod gave it.",
            labels=("condition", "status", "reason"),
        )
        for labels, count in sorted(tally.items()):
            family.add_metric(labels, count)
        return family


def _bounded(reason: str) -> str:
    return reason if reason in _REASONS else OTHER
