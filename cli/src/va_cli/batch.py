"""Many questions from one file, each standing for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from va_cli.asking import Patience, retrying
from va_cli.durations import Deadline
from va_cli.failures import ExitCode, Failure
from va_cli.machine_formats import json_text
from va_cli.printing import print_text, whole_answer
from va_cli.terminal import one_line, paint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from va_cli.answers import Event
    from va_cli.asking import Asker
    from va_cli.footnotes import Look
    from va_cli.terminal import Notes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Asks one question after the other, and goes on after a failure."""

    asker: Asker
    out: TextIO
    notes: Notes
    look: Look
    tell: Callable[[Failure], None]
    as_json: bool
    stream: bool
    timeout: float
    patience: float
    """Seconds that a question waits for an assistant that cannot be asked yet."""

    def ask(self, questions: Sequence[str]) -> int:
        """Ask them all; return the worst exit code, which is the highest."""
        worst: int = ExitCode.OK
        patience = Patience(self.patience)
        for number, question in enumerate(questions, start=1):
            try:
                with patience.limit() as limit:
                    self._one(number, question, limit)
            except Failure as failure:
                worst = max(worst, failure.code)
                self._failed(number, question, failure)
        return worst

    def _one(self, number: int, question: str, limit: Deadline) -> None:
        answer = retrying(lambda: self._attempt(question), limit=limit, notes=self.notes)
        if self.as_json:
            whole = whole_answer(answer, target=self.asker.target)
            self._write_object({"number": number, "question": question, **whole})
        else:
            blank = "\n" if number > 1 else ""
            head = paint(f"{number}. {one_line(question)}", "bold", on=self.look.colour)
            self.notes.quiet()
            self.out.write(f"{blank}{head}\n")
            self.out.flush()
            print_text(answer, look=self.look, out=self.out, notes=self.notes)

    def _attempt(self, question: str) -> Iterator[Event]:
        return self.asker.ask(question, stream=self.stream, deadline=Deadline.after(self.timeout))

    def _failed(self, number: int, question: str, failure: Failure) -> None:
        if self.as_json:
            error = {"reason": failure.reason, "message": failure.message}
            self._write_object({"number": number, "question": question, "error": error})
        self.notes.say(f"question {number} has no answer:")
        self.tell(failure)

    def _write_object(self, fields: dict[str, Any]) -> None:
        self.notes.quiet()
        self.out.write(json_text(fields, indent=None) + "\n")
        self.out.flush()
