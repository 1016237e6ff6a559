"""Every status that an assistant ever had, as a watch saw them go by."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from tempfile import TemporaryFile

from support.cluster import Cluster, Manifest, until


@dataclass
class Sightings:
    """What was seen of one assistant, in order."""

    bodies: list[Manifest] = field(default_factory=list)

    def course(self, type_: str) -> list[str]:
        """Return the `status/reason` of a condition, each as often as it began to be so."""
        said = [
            f"{condition['status']}/{condition['reason']}"
            for body in self.bodies
            for condition in body.get("status", {}).get("conditions", ())
            if condition["type"] == type_
        ]
        return [words for words, _ in groupby(said)]

    @property
    def statuses(self) -> int:
        """How many different statuses in a row the operator wrote."""
        told = [json.dumps(body["status"], sort_keys=True) for body in self.bodies]
        return len([words for words, _ in groupby(told) if words != _UNWRITTEN])


_UNWRITTEN = json.dumps({"observedGeneration": -1})


@contextmanager
def watching(cluster: Cluster, name: str, namespace: str) -> Iterator[Sightings]:
    """Yield what is seen of an assistant, complete after the block.

    It is there already, or it is the first of that name to come.
    """
    seen = Sightings()
    with TemporaryFile("w+") as told:
        process = subprocess.Popen(
            [
                "kubectl", "-n", namespace, "get", "va", "--watch", "-o", "json",
                f"--field-selector=metadata.name={name}",
            ],
            stdout=told,
        )  # fmt: skip
        try:
            if cluster.get("va", name, namespace):
                until(lambda: os.fstat(told.fileno()).st_size, within=10)
            yield seen
        finally:
            process.terminate()
            process.wait(timeout=10)
            told.seek(0)
            seen.bodies.extend(_objects(told.read()))


def _objects(text: str) -> Iterator[Manifest]:
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        body, at = decoder.raw_decode(text, at)
        yield body
