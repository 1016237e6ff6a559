"""A real cluster as tests use it: kubectl, and waiting for conditions with a deadline."""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

ROOT = Path(__file__).resolve().parents[2]
OWN_CONTEXTS = ("kind-virtual-assistant", "kind-va-faults")
"""Tests act only on clusters that were made for them."""

Manifest = dict[str, Any]
T = TypeVar("T")


class NotOurCluster(Exception):
    """The kubeconfig leads to a cluster that was not made for tests."""


@dataclass(frozen=True)
class Cluster:
    kubeconfig: Path

    def kubectl(self, *args: str, stdin: str | None = None, check: bool = True) -> str:
        done = subprocess.run(
            ["kubectl", *args],
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout

    def refused(self, *args: str, stdin: str | None = None) -> str:
        """Return the words with which a kubectl command is refused."""
        done = subprocess.run(
            ["kubectl", *args],
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode != 0, f"not refused: {done.stdout}"
        return done.stderr

    def apply(self, manifest: Manifest | str, namespace: str) -> None:
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        self.kubectl("-n", namespace, "apply", "-f", "-", stdin=text)

    def get(self, kind: str, name: str, namespace: str) -> Manifest | None:
        found = self.kubectl(
            "-n", namespace, "get", kind, name, "--ignore-not-found", "--show-managed-fields",
            "-o", "json",
        )  # fmt: skip
        body: Manifest | None = json.loads(found) if found.strip() else None
        return body

    def list(self, kind: str, namespace: str, selector: str = "") -> list[Manifest]:
        found = self.kubectl("-n", namespace, "get", kind, "-l", selector, "-o", "json")
        items: list[Manifest] = json.loads(found)["items"]
        return items

    def patch(self, kind: str, name: str, namespace: str, patch: Manifest) -> None:
        self.kubectl(
            "-n", namespace, "patch", kind, name, "--type", "merge", "-p", json.dumps(patch)
        )

    def condition(self, name: str, type_: str, namespace: str) -> Manifest:
        """Return a condition of an assistant, {} while there is none for this generation."""
        assistant = self.get("va", name, namespace) or {}
        generation = assistant.get("metadata", {}).get("generation")
        for condition in assistant.get("status", {}).get("conditions", ()):
            if condition["type"] == type_ and condition["observedGeneration"] == generation:
                found: Manifest = condition
                return found
        return {}

    def wait_for(
        self,
        name: str,
        namespace: str,
        type_: str = "Ready",
        *,
        status: str = "True",
        reason: str | None = None,
        within: float = 120,
    ) -> Manifest:
        """Wait until a condition of an assistant is so; return it."""

        def met() -> Manifest | None:
            found = self.condition(name, type_, namespace)
            so = found.get("status") == status and reason in {None, found.get("reason")}
            return found if so else None

        return self.until(met, namespace, within=within)

    def until(self, met: Callable[[], T | None], namespace: str, *, within: float = 60) -> T:
        """Wait until something is truthy; tell all about the namespace when it never is."""
        return until(met, within=within, show=lambda: self.story(namespace))

    def story(self, namespace: str) -> str:
        """Return what a person would look at first."""
        return "\n".join(
            self.kubectl("-n", namespace, *command, check=False)
            for command in (
                ("get", "va,deploy,svc,cm,pods", "-o", "wide"),
                ("get", "va", "-o", "jsonpath={range .items[*]}{.status}{'\\n'}{end}"),
                ("get", "events", "--sort-by=.lastTimestamp"),
            )
        )


def until(met: Callable[[], T | None], *, within: float, show: Callable[[], str] = str) -> T:
    """Wait until ``met`` returns something truthy, at most ``within`` seconds."""
    deadline = time.monotonic() + within
    while True:
        found = met()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not so within {within} s; there is:\n{show()}")
        time.sleep(0.2)


def connect() -> Cluster:
    """Return the test cluster; raises NotOurCluster where it is somebody else's.

    Sets the environment as `eval "$(va-cluster env)"` does, so that kubectl, docker
    and `va` of all tests act on it.
    """
    exports = subprocess.run(["va-cluster", "env"], capture_output=True, text=True, check=True)
    for line in exports.stdout.splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        os.environ[name] = " ".join(shlex.split(value))
    path = os.environ["KUBECONFIG"] = os.environ.get("VA_TEST_KUBECONFIG", os.environ["KUBECONFIG"])
    context = yaml.safe_load(Path(path).read_text())["current-context"]
    if not context.startswith(OWN_CONTEXTS):
        raise NotOurCluster(f"'{context}' of {path} is not a cluster made for tests")
    return Cluster(Path(path))


def sample(name: str) -> Manifest:
    """Return an object of `samples/`."""
    body: Manifest = yaml.safe_load((ROOT / "samples" / name).read_text())
    return body
