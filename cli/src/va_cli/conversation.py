"""Questions one after the other, through whatever happens to the server."""

from __future__ import annotations

import re
import time
from contextlib import closing
from dataclasses import dataclass, field
from math import ceil, inf
from typing import TYPE_CHECKING, BinaryIO, Protocol, TextIO

from va_cli.asking import Asker, retrying
from va_cli.durations import Deadline
from va_cli.failures import ExitCode, Failure, WrongUsage
from va_cli.printing import print_text
from va_cli.questions import join_question

if TYPE_CHECKING:
    from collections.abc import Callable

    from va_cli.terminal import Notes

COMMANDS = """\
/retry         ask the last question again
/switch NAME   go on with another assistant of the namespace
/help          show this
/exit          leave; Ctrl-D does too
Ctrl-C stops an answer or the waiting for it. Alt-Enter begins a new line."""

_COMMAND = re.compile(r"/([a-z]+)(?:\s+(\S+))?")


class Leave(Exception):
    """The user wants to leave."""


class Lines(Protocol):
    """Where questions come from."""

    def read(self, label: str) -> str:
        """Return the next question; raise EOFError after the last."""


@dataclass(frozen=True, slots=True)
class PipedLines:
    """Each line of a pipe or a file is a question."""

    stream: BinaryIO

    def read(self, label: str) -> str:  # noqa: ARG002 - nobody is there to be prompted
        """Return the next line."""
        line = self.stream.readline()
        if not line:
            raise EOFError
        # What is not UTF-8 is refused as a question, and the next line is read.
        return line.decode(errors="surrogateescape")


@dataclass(slots=True, kw_only=True)
class Conversation:
    """Asks until there are no more questions. Each stands for itself: nothing is remembered."""

    asker: Asker
    lines: Lines
    out: TextIO
    notes: Notes
    tell: Callable[[Failure], None]
    switch: Callable[[str], Asker]
    timeout: float
    interactive: bool
    """True where a person sits: commands are obeyed, and waiting ends with Ctrl-C alone."""

    last_question: str | None = field(default=None, init=False)
    exit_code: int = field(default=ExitCode.OK, init=False)
    """Of the first question that failed, for scripts."""

    def run(self) -> int:
        """Go on until the end of the questions; return the exit code."""
        try:
            while True:
                self._turn(self.lines.read(self.asker.target.short_label).strip())
        except (EOFError, Leave):
            return ExitCode.OK if self.interactive else self.exit_code
        finally:
            self.asker.close()

    def _turn(self, line: str) -> None:
        if not line:
            return
        try:
            command = _COMMAND.fullmatch(line) if self.interactive else None
            if command:
                self._obey(command[1], command[2])
            else:
                self._ask(line)
        except Failure as failure:
            self.exit_code = self.exit_code or failure.code
            self.tell(failure)
        except KeyboardInterrupt:
            if not self.interactive:
                raise
            self.notes.say("stopped; /retry asks again")

    def _obey(self, command: str, argument: str | None) -> None:
        match command, argument:
            case "exit", None:
                raise Leave
            case "help", None:
                self.out.write(COMMANDS + "\n")
            case "retry", None if self.last_question:
                self._ask(self.last_question)
            case "retry", None:
                self.notes.say("nothing was asked yet")
            case "switch", str(name):
                asker = self.switch(name)
                self.asker.close()
                self.asker = asker
            case _:
                raise WrongUsage(
                    "There is no such command.",
                    why=f"'/{command}' with {'an' if argument else 'no'} argument is unknown",
                    next_step="/help",
                )

    def _ask(self, line: str) -> None:
        question = self.last_question = join_question(line, None)
        answer = retrying(
            lambda: self.asker.ask(question, stream=True, deadline=Deadline.after(self.timeout)),
            limit=Deadline.after(inf if self.interactive else self.timeout),
            notes=self.notes,
            sleep=self._count_down,
        )
        with closing(answer):
            print_text(answer, out=self.out, notes=self.notes)

    def _count_down(self, seconds: float) -> None:
        """Wait, and show for how long."""
        end = Deadline.after(seconds)
        while not end.is_over:
            self.notes.stage(f"trying again in {ceil(end.remaining)} s, Ctrl-C gives up")
            time.sleep(min(end.remaining, 1.0))
