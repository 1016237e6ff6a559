"""Questions one after the other, through whatever happens to the server."""

from __future__ import annotations

import re
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from math import ceil, inf
from typing import TYPE_CHECKING, BinaryIO, Protocol, TextIO

from va_cli.asking import Asker, Patience, listening, retrying
from va_cli.durations import Deadline
from va_cli.failures import ExitCode, Failure, WrongUsage
from va_cli.printing import print_sources, print_text
from va_cli.questions import join_question

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from va_cli.answers import Done
    from va_cli.footnotes import Look
    from va_cli.terminal import Notes
    from va_cli.transcript import Transcript
    from va_cli.turns import Turn

COMMANDS = """\
/retry         ask the last question again
/sources       show the lines below the last answer in full
/new           forget what was said and begin anew
/switch NAME   go on with another assistant of the namespace
/help          show this
/exit          leave; Ctrl-D does too
Ctrl-C stops an answer or the waiting for it. Alt-Enter begins a new line."""

COMMAND_NAMES = re.findall(r"^/\w+", COMMANDS, re.MULTILINE)

_COMMAND = re.compile(r"/([A-Za-z]+)(?:\s+(.+))?", re.DOTALL)
"""A path, such as `/etc/passwd`, is none."""


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
    """Asks until there are no more questions; each is understood from those before."""

    asker: Asker
    transcript: Transcript
    lines: Lines
    look: Look
    out: TextIO
    notes: Notes
    tell: Callable[[Failure], None]
    switch: Callable[[str], Asker]
    timeout: float
    interactive: bool
    """True where a person sits: commands are obeyed, and waiting ends with Ctrl-C alone."""

    last_question: str | None = field(default=None, init=False)
    last_answer: Done | None = field(default=None, init=False)
    """What was said of the last whole answer."""

    patience: Patience = field(init=False)
    exit_code: int = field(default=ExitCode.OK, init=False)
    """Of the first question that failed, for scripts."""

    def __post_init__(self) -> None:
        """Let a person wait for as long as they like, and a script until the timeout."""
        self.patience = Patience(inf if self.interactive else self.timeout)

    def run(self) -> int:
        """Go on until the end of the questions; return the exit code."""
        try:
            while True:
                self._turn(self.lines.read(self.asker.target.short_label).rstrip())
        except (EOFError, Leave):
            return ExitCode.OK if self.interactive else self.exit_code
        finally:
            self.asker.close()

    def _turn(self, line: str) -> None:
        if not line.strip():
            return
        try:
            command = _COMMAND.fullmatch(line) if self.interactive else None
            if command:
                self._obey(command[1], command[2])
            else:
                self._ask(line, said=self.transcript.turns)
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
                self._ask(self.last_question, said=self.transcript.before(self.last_question))
            case "retry", None:
                self.notes.say("nothing was asked yet")
            case "sources", None if (last := self.last_answer) and (last.sources or last.nearest):
                print_sources(last, look=replace(self.look, width=None), out=self.out)
            case "sources", None:
                self.notes.say("there is no answer yet that names its lines")
            case "new", None:
                self.transcript.forget()
                self.last_answer = None
                self.notes.say("a new conversation begins")
            case "switch", str(name) if not name.split()[1:]:
                asker = self.switch(name)
                self.asker.close()
                self.asker, self.last_answer = asker, None
                self.transcript = self.transcript.fresh(asker.target)
            case _:
                raise WrongUsage(
                    "There is no such command.",
                    why=f"'/{command}' with {'an' if argument else 'no'} argument is unknown; "
                    "with a space before it, it would be a question",
                    next_step="/help",
                )

    def _ask(self, line: str, *, said: Sequence[Turn]) -> None:
        question = self.last_question = join_question(line, None)

        def remember(text: str, done: Done) -> None:
            self.transcript.add(question, text, after=said)
            self.last_answer = done

        with self.patience.limit() as limit:
            answer = retrying(
                lambda: self.asker.ask(
                    question, stream=True, deadline=Deadline.after(self.timeout), history=said
                ),
                limit=limit,
                notes=self.notes,
                sleep=self._count_down,
            )
            with closing(answer):
                heard = listening(answer, remember)
                print_text(heard, look=self.look, out=self.out, notes=self.notes)

    def _count_down(self, seconds: float) -> None:
        """Wait, and show for how long."""
        end = Deadline.after(seconds)
        while not end.is_over:
            self.notes.stage(f"trying again in {ceil(end.remaining)} s, Ctrl-C gives up")
            time.sleep(min(end.remaining, 1.0))
