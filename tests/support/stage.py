"""An operator that comes to harm: what people do meanwhile, and what must come of it."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.api_objects import Objects
from support.api_proxy import ApiProxy, Cut
from support.builders import OPENAI, a_manifest
from support.cluster import Cluster, until
from support.end_state import Watcher, about, difference
from support.operator_process import OperatorProcess

Act = Callable[[Objects, str], None]

REST_SECONDS = 1.0
"""An operator that writes nothing for so long is done."""
LIMIT_SECONDS = 30
MORE_TEXT = {"files": [{"name": "ada.md", "inline": "Ada lives in Oslo."}]}


@dataclass(frozen=True)
class Workload:
    """What people do: to an assistant that is there, or not yet."""

    act: Act
    first: Act | None

    def __str__(self) -> str:
        return self.act.__name__


def patch(name: str, spec: dict[str, Any], objects: Objects) -> None:
    objects.cluster.patch("va", name, objects.namespace, {"spec": spec})


def create(objects: Objects, name: str) -> None:
    objects.kubectl("create", "-f", "-", body=a_manifest(name, replicas=2))


def context_change(objects: Objects, name: str) -> None:
    patch(name, {"context": MORE_TEXT}, objects)


def model_change(objects: Objects, name: str) -> None:
    patch(name, {"model": OPENAI}, objects)


def scale(objects: Objects, name: str) -> None:
    objects.kubectl("scale", f"va/{name}", "--replicas=3")


def suspend(objects: Objects, name: str) -> None:
    patch(name, {"suspend": True}, objects)


def resume(objects: Objects, name: str) -> None:
    patch(name, {"suspend": False}, objects)


def create_suspended(objects: Objects, name: str) -> None:
    manifest = a_manifest(name, replicas=2, suspend=True)
    objects.kubectl("create", "-f", "-", body=manifest)


def delete_and_create(objects: Objects, name: str) -> None:
    objects.kubectl("delete", "va", name, "--wait=true")
    objects.kubectl("create", "-f", "-", body=a_manifest(name, text="Another one.", replicas=2))


WORKLOADS = [
    Workload(create, first=None),
    Workload(context_change, first=create),
    Workload(model_change, first=create),
    Workload(scale, first=create),
    Workload(suspend, first=create),
    Workload(resume, first=create_suspended),
    Workload(delete_and_create, first=create),
]


@dataclass(frozen=True)
class Run:
    """What came of an act."""

    state: dict[str, Any]
    updates: Counter[str]
    events: Counter[str]
    writes: list[str]


@dataclass
class Stage:
    """An operator behind a proxy, and a namespace in which pods are refused.

    So nothing depends on how quickly images fail to be pulled.
    """

    objects: Objects
    proxy: ApiProxy
    operator: OperatorProcess
    watcher: Watcher

    def prepare(self, workload: Workload, count: int) -> list[str]:
        """Make assistants to act on, all at once."""
        names = [f"ada{uuid.uuid4().hex[:8]}" for _ in range(count)]
        if workload.first is not None:
            for name in names:
                workload.first(self.objects, name)
            self.rested(*names)
        self.proxy.forget()
        return names

    def rested(self, *names: str, seconds: float = REST_SECONDS) -> None:
        """Wait until assistants have a status that speaks of now, and nothing more is written."""

        def done() -> bool:
            bodies = [self.watcher.assistant(name) for name in names]
            writes = [call for name in names for call in self.watcher.writes(name)]
            last = max((call.received for call in writes), default=began)
            return all(map(_speaks_of_now, bodies)) and time.monotonic() - last > seconds

        began = time.monotonic()
        until(done, within=2 * LIMIT_SECONDS, show=self.operator.log)

    def undisturbed(self, workload: Workload) -> Run:
        """Do it once without harm."""
        [name] = self.prepare(workload, 1)
        workload.act(self.objects, name)
        self.rested(name, seconds=5 * REST_SECONDS)  # Kubernetes says late why there are no pods.
        return self.result(name)

    def reached(self, name: str, state: dict[str, Any]) -> None:
        """Wait until an assistant is in a state."""
        until(
            lambda: self.watcher.end_state(name) == state,
            within=LIMIT_SECONDS,
            show=lambda: "\n".join(difference(state, self.watcher.end_state(name))),
        )

    def result(self, name: str) -> Run:
        return Run(
            state=self.watcher.end_state(name),
            updates=self.watcher.updates(name),
            events=self.watcher.events(name),
            writes=[str(call).replace(name, "NAME") for call in self.watcher.writes(name)],
        )

    def killed(self, workload: Workload, name: str, n: int, *, applied: bool) -> bool:
        """Kill the operator at the n-th write that an act brings; tell whether it came so far."""
        dead = threading.Event()

        def kill() -> None:
            self.operator.kill()
            dead.set()

        concerns = about(name)
        rule = self.proxy.when(
            lambda call: call.is_write and concerns(call), Cut(applied, then=kill), skip=n
        )
        workload.act(self.objects, name)

        def over() -> bool:
            if rule.met:
                return dead.is_set()
            writes = self.watcher.writes(name)
            rests = bool(writes) and time.monotonic() - writes[-1].received > 3 * REST_SECONDS
            return rests and _speaks_of_now(self.watcher.assistant(name))

        until(over, within=LIMIT_SECONDS, show=self.operator.log)
        self.proxy.clear()
        return dead.is_set()


def _speaks_of_now(assistant: dict[str, Any]) -> bool:
    generation = assistant.get("metadata", {}).get("generation", 0)
    found: bool = assistant.get("status", {}).get("observedGeneration") == generation
    return found


@contextmanager
def on_stage(cluster: Cluster, folder: Path, **settings: str) -> Iterator[Stage]:
    """Set a stage; ``settings`` are the operator's. It must run at the end, and without a trace."""
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", namespace)
    cluster.kubectl("-n", namespace, "create", "quota", "no-pods", "--hard=pods=0")
    more = {f"VA_OPERATOR_{name.upper()}": value for name, value in settings.items()}
    with ApiProxy(cluster.kubeconfig, folder / f"{namespace}.yaml") as proxy:
        operator = OperatorProcess(
            Cluster(proxy.kubeconfig), namespace, folder / f"{namespace}.log", more
        )
        watcher = Watcher(proxy, namespace)
        yield Stage(Objects(cluster, namespace), proxy, operator.start(), watcher)
        proxy.clear()
        operator.stop()
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")
