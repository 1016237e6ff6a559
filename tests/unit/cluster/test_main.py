import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from va_cluster import main, shell, status, targets
from va_cluster.status import NodeStatus, Status


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without an engine, without programs, with an empty cache."""
    monkeypatch.setenv("VA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")
    for name in ("CLUSTER", "VA_CLUSTER_NAME", "DOCKER_HOST", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["va-cluster", *words])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("verb", ["up", "down"])
def test_a_foreign_cluster_is_refused_in_two_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    monkeypatch.setenv("CLUSTER", "k3s")
    assert run(monkeypatch, verb) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"va-cluster: `va-cluster {verb}` does not touch k3s")


def test_a_cache_that_cannot_be_written_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/cache")

    monkeypatch.setattr(targets, "refuse_foreign", fail)
    assert run(monkeypatch, "up") == 1
    assert "VA_CACHE_DIR" in capsys.readouterr().err


def test_a_wrong_command_line_has_another_code(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "up", "--nodes", "0") == 2
    assert run(monkeypatch, "--cluster", "minikube", "up") == 2


@pytest.mark.parametrize(
    ("words", "passed"),
    [
        (("get", "pods", "-A"), ("get", "pods", "-A")),
        (("--", "get", "pods"), ("get", "pods")),
        (("exec", "p", "--", "ls", "-l"), ("exec", "p", "--", "ls", "-l")),
        (("--help",), ("--help",)),
        ((), ()),
    ],
)
def test_kubectl_gets_its_words_as_they_are(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], passed: tuple[str, ...]
) -> None:
    became: list[tuple[str, ...]] = []
    monkeypatch.setattr(shell.Shell, "become", lambda _, *argv: became.append(argv))
    monkeypatch.setattr(targets.KindCluster, "kubectl", lambda _: ("kubectl",))
    monkeypatch.setattr(targets, "need_kubeconfig", lambda *_: None)
    result = CliRunner().invoke(main.app, ["kubectl", *words])
    assert result.exit_code == 0, result.output
    assert became == [("kubectl", *passed)]


FOUND = Status(
    up=True,
    cluster="kind",
    name="va",
    engine="existing Docker 28",
    kind="/bin/kind",
    node_image="public",
    nodes=(NodeStatus("va-control-plane", "running"),),
    kubeconfig="/k",
    cache="/c",
)


def test_status_is_read_by_people_and_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "read_status", lambda place: FOUND)
    for_people = CliRunner().invoke(main.app, ["status"])
    assert for_people.exit_code == 0
    assert "cluster     va, up\n" in for_people.output
    assert "va-control-plane (running)" in for_people.output
    for_programs = CliRunner().invoke(main.app, ["status", "-o", "json"])
    assert json.loads(for_programs.output)["nodes"] == [
        {"name": "va-control-plane", "state": "running"}
    ]


def test_kubeconfig_is_in_the_cache(nowhere: Path) -> None:
    printed = CliRunner().invoke(main.app, ["--name", "two", "kubeconfig"]).output
    assert printed == f"{nowhere}/cache/clusters/two/kubeconfig\n"
