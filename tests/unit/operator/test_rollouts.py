"""A rollout that goes well, told step by step as the watches and the pods tell it."""

from dataclasses import replace
from itertools import count, groupby
from typing import Any

import pytest

from support.builders import NAMESPACE, OPENAI, a_pod, a_report
from support.memory_operator import ADA, MemoryOperator
from va_operator.observed import Pod
from va_operator.reports import Report


class Course:
    """An operator, and every status that it writes."""

    def __init__(self, replicas: int) -> None:
        self.operator = MemoryOperator()
        self.versions = count(10)
        self.statuses: list[dict[str, Any]] = []
        self.replicas = replicas
        self.ask("Ada works.")
        self.old = self.desired

    @property
    def desired(self) -> str:
        revision: str = self.operator.assistant()["status"]["revision"]["desired"]
        return revision

    def ask(self, text: str) -> None:
        self.operator.ask_for(text=text, replicas=self.replicas, model=OPENAI)
        self.step(*self.operator.pods)

    def pod(self, revision: str, name: str, *, ready: bool = True, deleting: bool = False) -> Pod:
        version = next(self.versions)
        return a_pod(revision, name=name, ready=ready, deleting=deleting, version=version)

    def step(self, *pods: Pod, **says: str | None) -> None:
        """Look once more: at these pods, of which some say how their model is."""
        self.operator.pods = pods
        for pod in pods:
            if pod.key.name in says:
                self.operator.reports[pod.uid] = self._report(pod, says[pod.key.name])
        updated = sum(pod.revision == self.desired for pod in pods) if pods else 0
        if self.operator.cluster.find("Deployment", ADA):
            self._deployment(len(pods), updated, sum(pod.ready for pod in pods))
        self.operator.reconcile()
        self.statuses.append(self.operator.assistant()["status"])

    def course(self, type_: str) -> list[str]:
        said = [
            f"{condition['status']}/{condition['reason']}"
            for status in self.statuses
            for condition in status["conditions"]
            if condition["type"] == type_
        ]
        return [words for words, _ in groupby(said)]

    def _report(self, pod: Pod, state: str | None) -> Report | None:
        return replace(a_report(state), revision=pod.revision) if state else None

    def _deployment(self, replicas: int, updated: int, ready: int) -> None:
        generation = self.operator.child("Deployment")["metadata"]["generation"]
        status = {
            "observedGeneration": generation,
            "replicas": replicas,
            "updatedReplicas": updated,
            "readyReplicas": ready,
        }
        body = {
            "kind": "Deployment",
            "metadata": {"name": "ada", "namespace": NAMESPACE},
            "status": status,
        }
        self.operator.cluster.put(body)


@pytest.mark.parametrize("first_word", ["Unknown", None], ids=["it says so", "it is silent"])
@pytest.mark.parametrize("late", [False, True], ids=["in time", "after the old pod went"])
def test_one_pod_takes_the_place_of_another(first_word: str | None, late: bool) -> None:
    told = Course(1)
    told.step(told.pod(told.old, "a"), a="Ready")
    told.statuses.clear()

    told.ask("Ada rests.")
    old, new = told.old, told.desired
    told.step(told.pod(old, "a"), told.pod(new, "b", ready=False))
    told.step(told.pod(old, "a"), told.pod(new, "b", ready=False), b=first_word)
    told.operator.reports.pop("uid-of-b", None) if first_word is None else None
    told.step(told.pod(old, "a"), told.pod(new, "b"))
    if late:
        told.step(told.pod(old, "a", deleting=True), told.pod(new, "b"))
    told.step(told.pod(old, "a", deleting=True), told.pod(new, "b"), b="Ready")
    told.step(told.pod(new, "b"))

    assert told.course("Ready") == ["False/RollingOut", "True/Answering"]
    assert told.course("Available") == ["True/PodsReady"]
    assert told.course("Degraded") == ["False/AsAsked"]
    assert told.course("Stalled") == ["False/NotStalled"]
    assert told.course("ContextResolved") == ["True/Resolved"]


def test_two_pods_take_the_place_of_two() -> None:
    told = Course(2)
    told.step(told.pod(told.old, "a"), told.pod(told.old, "b"), a="Ready", b="Ready")
    told.statuses.clear()

    told.ask("Ada rests.")
    old, new = told.old, told.desired
    first = told.pod(new, "c", ready=False)
    told.step(told.pod(old, "a"), told.pod(old, "b"), first, c="Unknown")
    told.step(told.pod(old, "a"), told.pod(old, "b"), told.pod(new, "c"), c="Ready")
    told.step(told.pod(old, "a", deleting=True), told.pod(old, "b"), told.pod(new, "c"))
    waiting = told.pod(new, "d", ready=False)
    told.step(told.pod(old, "b"), told.pod(new, "c"), waiting, d="Unknown")
    told.step(told.pod(old, "b"), told.pod(new, "c"), told.pod(new, "d"), d="Ready")
    told.step(told.pod(old, "b", deleting=True), told.pod(new, "c"), told.pod(new, "d"))
    told.step(told.pod(new, "c"), told.pod(new, "d"))

    assert told.course("Ready") == ["False/RollingOut", "True/Answering"]
    assert told.course("Available") == ["True/PodsReady"]
    assert told.course("Degraded") == ["False/AsAsked"]
    assert told.course("Progressing") == ["True/RollingOut", "False/UpToDate"]
    events = [event["reason"] for event in told.operator.cluster.events]
    assert events == ["ExposedWithoutAuth", "Answering", "RollingOut", "Answering"][: len(events)]
    assert [entry["revision"] for entry in told.statuses[-1]["history"]] == [new, old]


def test_a_first_start_shows_starting_and_then_the_answer() -> None:
    told = Course(2)
    told.step(told.pod(told.old, "a", ready=False), told.pod(told.old, "b", ready=False))
    told.step(
        told.pod(told.old, "a", ready=False),
        told.pod(told.old, "b", ready=False),
        a="Unknown",
        b="Unknown",
    )
    told.step(told.pod(told.old, "a"), told.pod(told.old, "b", ready=False), a="Ready")
    told.step(told.pod(told.old, "a"), told.pod(told.old, "b"), b="Ready")

    assert told.course("Ready") == ["False/Starting", "True/Answering"]
    assert told.course("Available") == ["False/NoPodReady", "True/PodsReady"]
    assert told.course("Degraded") == ["True/FewerPodsReady", "False/AsAsked"]
    assert told.course("Stalled") == ["False/NotStalled"]
    assert [event["reason"] for event in told.operator.cluster.events] == [
        "ExposedWithoutAuth",
        "Answering",
    ]
