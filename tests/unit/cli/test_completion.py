"""What a shell completes: the names of assistants, and never a message."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support.cli_run import FakeCluster, Run, an_assistant, run_va
from va_cli import kubectl_completion
from va_cli.cluster import SECONDS_TO_ANSWER
from va_cli.failures import Failure

TAB = {"_VA_COMPLETE": "complete_bash"}


@pytest.fixture
def three() -> FakeCluster:
    return FakeCluster([an_assistant("ada"), an_assistant("alan"), an_assistant("bob", "hr")])


def completed(line: str, cluster: FakeCluster | None = None, **environment: str) -> Run:
    """Press Tab at the end of the line, in bash."""
    words = line.split(" ")
    asked = {**TAB, "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return run_va(cluster=cluster, environment={**asked, **environment})


@pytest.mark.parametrize("verb", ["ask", "chat", "status"])
def test_the_names_of_the_namespace_are_completed(verb: str, three: FakeCluster) -> None:
    run = completed(f"va {verb} a", three)
    assert (run.code, run.out.split(), run.err) == (0, ["ada", "alan"], "")


def test_the_options_of_the_line_are_obeyed(three: FakeCluster) -> None:
    assert completed("va ask -n hr ", three).out.split() == ["bob"]
    assert completed("va ask --url http://x ", three).out.split() == []
    assert completed("va ask ", three, VA_URL="http://x").out.split() == []


def test_a_question_is_not_completed(three: FakeCluster) -> None:
    assert completed("va ask ada ", three).out.split() == []


def test_a_failure_is_silent(three: FakeCluster) -> None:
    three.failure = Failure("The cluster cannot be reached.", why="x", next_step="y")
    assert completed("va ask a", three) == Run(0, "\n", "")
    nowhere = completed("va ask a", three, KUBECONFIG="/nonexistent")
    assert (nowhere.code, nowhere.out.split(), nowhere.err) == (0, [], "")


def test_a_cluster_that_never_answers_does_not_hold_the_shell_up(tmp_path: Path) -> None:
    """The whole program, and a server that takes the connection and says nothing."""
    kubeconfig = tmp_path / "config"
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        kubeconfig.write_text(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
            f"clusters: [{{name: c, cluster: {{server: '{address}'}}}}]\n"
            "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
            "users: [{name: u, user: {}}]\n"
        )
        script = (
            "import sys, va_cli.completion as c; c.SECONDS = 1.0; sys.argv = ['va']; "
            "from va_cli.main import main; sys.exit(main())"
        )
        run = subprocess.run(
            [sys.executable, "-c", script],
            env={**TAB, "COMP_WORDS": "va ask a", "COMP_CWORD": "2", "KUBECONFIG": str(kubeconfig)},
            capture_output=True,
            text=True,
            # Less than the client itself waits for an answer.
            timeout=SECONDS_TO_ANSWER - 1,
            check=False,
        )
        server.setblocking(False)
        server.accept()[0].close()
    assert (run.returncode, run.stdout.split(), run.stderr) == (0, [], "")


def test_as_a_plugin_it_leaves_kubectls_own_completion_alone() -> None:
    plugin = "/usr/local/bin/kubectl-assistant"
    assert "completion" not in run_va("--help", program=plugin).out
    for option in ("--install-completion", "--show-completion"):
        run = run_va(option, program=plugin)
        assert (run.code, run.out) == (2, "")


def in_kubectl(monkeypatch: pytest.MonkeyPatch, *words: str, three: FakeCluster) -> list[str]:
    """Return what kubectl is told when Tab is pressed behind these words."""
    asked: dict[str, str] = {}

    def va() -> int:
        asked.update({name: os.environ[name] for name in ("COMP_WORDS", "COMP_CWORD", *TAB)})
        return 0

    monkeypatch.setattr("va_cli.main.main", va)
    for name in ("COMP_WORDS", "COMP_CWORD", *TAB):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(sys, "argv", ["/usr/local/bin/kubectl_complete-assistant", *words])
    assert kubectl_completion.main() == 0
    monkeypatch.undo()
    return run_va(cluster=three, environment=asked, program=sys.argv[0]).out.split()


def test_kubectl_gets_the_completions_of_the_plugin(
    monkeypatch: pytest.MonkeyPatch, three: FakeCluster
) -> None:
    assert in_kubectl(monkeypatch, "st", three=three) == ["status"]
    assert in_kubectl(monkeypatch, "ask", "a", three=three) == ["ada", "alan"]
    assert in_kubectl(monkeypatch, "ask", "-n", "hr", "", three=three) == ["bob"]
    assert in_kubectl(monkeypatch, "ask", "ada", "it's", three=three) == []


def test_the_program_that_kubectl_runs_is_installed() -> None:
    program = Path(sys.executable).with_name("kubectl_complete-assistant")
    run = subprocess.run([program, "ver"], capture_output=True, text=True, timeout=10, check=False)
    assert (run.returncode, run.stdout.split(), run.stderr) == (0, ["version"], "")
