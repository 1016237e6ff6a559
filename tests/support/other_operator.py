"""Operators of other versions than this tree's: of an earlier commit, or with other pods."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.cluster import ROOT
from support.two_nodes import NAME

PARTS = ("operator", "Dockerfile.operator")
LOOKED_AT = 50
"""How many commits are looked through for another operator."""


@dataclass(frozen=True)
class OtherOperator:
    """A tree whose operator was built and brought into the cluster of faults."""

    tree: Path
    image: str

    def install(self, images: dict[str, str]) -> None:
        """Install it with its own API and roles, and with the given images of assistants."""
        environment = {**os.environ, **images, "OPERATOR_IMAGE": self.image, "RUN": ""}
        _run("deploy/install", cwd=self.tree, VA_CLUSTER_NAME=NAME, **environment)


def of_an_earlier_commit(folder: Path) -> OtherOperator:
    """Build the operator of the newest commit that has another one than this tree."""
    commits = _run("git", "rev-list", "--first-parent", f"--max-count={LOOKED_AT}", "HEAD").split()
    for commit in commits:
        same = subprocess.run(
            ["git", "diff", "--quiet", commit, "--", *PARTS], cwd=ROOT, check=False
        )
        if same.returncode:
            archive = _git_archive(commit)
            subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
            return _built(folder, commit[:8])
    raise AssertionError(f"no earlier operator among {len(commits)} commits")


def with_other_pods(folder: Path, change: Callable[[str], str]) -> OtherOperator:
    """Build this tree's operator with another pod template, as a later version may have it."""
    names = _run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():  # not deleted since the last commit
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    template = folder / "operator" / "src" / "va_operator" / "resources" / "pod_template.py"
    before = template.read_text()
    template.write_text(change(before))
    assert template.read_text() != before, "the change has changed nothing"
    return _built(folder, "other-pods")


def _git_archive(commit: str) -> bytes:
    done = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    return done.stdout


def _built(folder: Path, tag: str) -> OtherOperator:
    image = f"virtual-assistant/operator:test-{tag}"
    cluster = ("va-cluster", "--name", NAME)
    _run(
        *cluster, "build", image, "--file", str(folder / "Dockerfile.operator"),
        "--context", str(folder),
    )  # fmt: skip
    _run(*cluster, "load", image)
    return OtherOperator(folder, image)


def _run(*command: str, cwd: Path = ROOT, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stdout}\n{done.stderr}"
    return done.stdout
