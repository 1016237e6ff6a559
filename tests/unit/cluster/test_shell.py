import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from va_cluster.errors import CommandFailed
from va_cluster.shell import NOT_FOUND, TIMED_OUT, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(os.environ, tmp_path / "logs")


def test_output_and_input(shell: Shell) -> None:
    assert shell.run("cat", stdin="text") == "text"
    assert shell.where(COLOUR="blue").run("sh", "-c", "printf %s $COLOUR") == "blue"


def test_a_failure_shows_the_command_and_its_last_words(shell: Shell) -> None:
    with pytest.raises(CommandFailed, match=r"exit code 3\):\n  no room") as failed:
        shell.run("sh", "-c", "echo no room >&2; exit 3")
    assert failed.value.advice == ""


def test_a_missing_program_is_a_failure_like_others(shell: Shell) -> None:
    assert shell.result("no-such-program").code == NOT_FOUND
    for call in (shell.run, shell.run_shown):
        with pytest.raises(CommandFailed, match="no-such-program was not found"):
            call("no-such-program")
    with pytest.raises(CommandFailed, match="was not found"):
        shell.run_logged("log", "no-such-program")
    with pytest.raises(CommandFailed, match="was not found"):
        shell.pipe(("true",), ("no-such-program",))


def test_a_program_that_hangs_is_given_up(shell: Shell) -> None:
    assert shell.result("sleep", "60", timeout=0.1).code == TIMED_OUT


def test_long_output_goes_to_a_log_that_a_failure_names(shell: Shell) -> None:
    shell.run_logged("build", "echo", "fine")
    assert (shell.logs / "build.log").read_text() == "fine\n"
    with pytest.raises(CommandFailed, match="line 40") as failed:
        shell.run_logged("build", "sh", "-c", "seq -f 'line %.0f' 40; exit 1")
    assert "line 20" not in failed.value.message
    assert "build.log" in failed.value.advice
    assert "line 40" in shell.log_tail("build")


def test_both_ends_of_a_pipe_must_succeed(shell: Shell) -> None:
    assert shell.pipe(("echo", "through"), ("cat",)) == "through\n"
    with pytest.raises(CommandFailed, match="no source"):
        shell.pipe(("sh", "-c", "echo no source >&2; exit 1"), ("cat",))
    with pytest.raises(CommandFailed, match="no sink"):
        shell.pipe(("yes",), ("sh", "-c", "echo no sink >&2; exit 1"))


RUN_SLEEP = """
import os, sys
from pathlib import Path
from va_cluster.shell import Shell
Shell(os.environ, Path(sys.argv[1])).run_logged("x", "sh", "-c", "echo $$; exec sleep 60")
"""


def test_what_a_killed_run_had_started_dies_with_it(tmp_path: Path) -> None:
    run = subprocess.Popen([sys.executable, "-c", RUN_SLEEP, str(tmp_path)])
    log = tmp_path / "x.log"
    while not (log.exists() and log.read_text().endswith("\n")):
        time.sleep(0.01)
    child = Path("/proc", log.read_text().strip(), "stat")
    assert child.exists()
    run.kill()
    run.wait()
    deadline = time.monotonic() + 5
    while child.exists() and ") Z" not in child.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not child.exists() or ") Z" in child.read_text()
