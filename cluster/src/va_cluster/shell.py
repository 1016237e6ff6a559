"""Runs other programs. No other module starts a process."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from va_cluster.errors import CommandFailed

Word = str | Path
TAIL_LINES = 15
TIMED_OUT = 124
NOT_FOUND = 127


@dataclass(frozen=True)
class Result:
    """How a program ended and what it said."""

    code: int
    output: str
    error: str

    @property
    def ok(self) -> bool:
        """Whether the program succeeded."""
        return self.code == 0


def tail(text: str) -> str:
    """The end of a program's output, which is where the reason stands."""
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-TAIL_LINES:])


def failure(argv: tuple[Word, ...], code: int, said: str, log: Path | None = None) -> CommandFailed:
    """The error for a program that ended with `code`."""
    command = " ".join(str(word) for word in argv)
    if len(command) > 160:
        command = command[:157] + "..."
    message = f"`{command}` failed (exit code {code})"
    if said.strip():
        message += f":\n{tail(said)}"
    return CommandFailed(message, f"Everything it said is in {log}." if log else "")


@dataclass(frozen=True)
class Shell:
    """The environment in which programs run, and where their long output goes."""

    environment: Mapping[str, str]
    logs: Path

    def where(self, **changes: str) -> "Shell":
        """The same with other environment variables."""
        return replace(self, environment={**self.environment, **changes})

    def find(self, program: str) -> str | None:
        """The path of a program, or None where there is none."""
        return shutil.which(program, path=self.environment.get("PATH"))

    def result(
        self,
        *argv: Word,
        stdin: str | None = None,
        cwd: Path | None = None,
        timeout: float | None = None,
    ) -> Result:
        """Run a program whose failure is an answer too."""
        if not self.find(str(argv[0])):
            return Result(NOT_FOUND, "", f"{argv[0]} was not found")
        try:
            done = subprocess.run(
                self._bound(argv),
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                cwd=cwd,
                env=self.environment,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Result(TIMED_OUT, "", f"{argv[0]} gave no answer within {timeout:.0f} s")
        return Result(done.returncode, done.stdout, done.stderr)

    def run(
        self,
        *argv: Word,
        stdin: str | None = None,
        cwd: Path | None = None,
        timeout: float | None = None,
    ) -> str:
        """Run a program that must succeed and give back its output."""
        result = self.result(*argv, stdin=stdin, cwd=cwd, timeout=timeout)
        if not result.ok:
            raise failure(argv, result.code, result.error or result.output)
        return result.output

    def run_logged(self, log: str, *argv: Word, cwd: Path | None = None) -> None:
        """Run a long program that must succeed; its output goes to a file."""
        self._need(argv)
        path = self._log(log)
        with path.open("w") as file:
            done = subprocess.run(
                self._bound(argv),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=self.environment,
                check=False,
            )
        if done.returncode:
            raise failure(argv, done.returncode, path.read_text(errors="replace"), path)

    def run_shown(self, *argv: Word, cwd: Path | None = None) -> None:
        """Run a program that must succeed and whose output the user wants to see."""
        self._need(argv)
        done = subprocess.run(self._bound(argv), cwd=cwd, env=self.environment, check=False)
        if done.returncode:
            raise failure(argv, done.returncode, "")

    def pipe(self, source: tuple[Word, ...], sink: tuple[Word, ...]) -> str:
        """`source | sink`, of which both must succeed."""
        self._need(source)
        self._need(sink)
        with subprocess.Popen(
            self._bound(source),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        ) as first:
            done = subprocess.run(
                self._bound(sink),
                stdin=first.stdout,
                capture_output=True,
                env=self.environment,
                check=False,
            )
            if first.stdout:
                first.stdout.close()
            said = first.stderr.read().decode(errors="replace") if first.stderr else ""
            code = first.wait()
        # Where the sink fails, the source dies of the broken pipe: the sink's word counts.
        if done.returncode:
            raise failure(sink, done.returncode, done.stderr.decode(errors="replace"))
        if code:
            raise failure(source, code, said)
        return done.stdout.decode(errors="replace")

    def spawn(self, log: str, *argv: Word) -> int:
        """Start a program that outlives us, in a session of its own, and give back its id."""
        with self._log(log).open("w") as file:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=self.environment,
                start_new_session=True,
            )
        return process.pid

    def become(self, *argv: str) -> NoReturn:
        """Go on as another program, so that its terminal, signals and exit code are ours."""
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvpe(argv[0], argv, dict(self.environment))  # noqa: S606

    def log_tail(self, log: str) -> str:
        """The end of a log of this program."""
        path = self._log(log)
        return tail(path.read_text(errors="replace")) if path.exists() else ""

    def _need(self, argv: tuple[Word, ...]) -> None:
        if not self.find(str(argv[0])):
            raise failure(argv, NOT_FOUND, f"{argv[0]} was not found")

    def _bound(self, argv: tuple[Word, ...]) -> tuple[Word, ...]:
        """The command, made to die with us: an orphan would write where the next run does."""
        setpriv = self.find("setpriv")
        return (setpriv, "--pdeathsig", "KILL", *argv) if setpriv else argv

    def _log(self, name: str) -> Path:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self.logs / f"{name}.log"
