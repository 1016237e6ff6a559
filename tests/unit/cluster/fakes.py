"""Stands in for the programs that va-cluster runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from va_cluster.shell import Result, Shell

Answer = Callable[[tuple[str, ...]], Result]
OK = Result(0, "", "")
FAILED = Result(1, "", "no")


@dataclass(frozen=True)
class ScriptedShell(Shell):
    """Runs nothing: answers from a function, and remembers the commands."""

    answer: Answer = field(default=lambda argv: OK)
    ran: list[tuple[str, ...]] = field(default_factory=list)
    programs: frozenset[str] = frozenset()

    def find(self, program: str) -> str | None:
        return f"/bin/{program}" if program in self.programs else None

    def result(self, *argv: Any, **_: Any) -> Result:
        words = tuple(str(word) for word in argv)
        self.ran.append(words)
        return self.answer(words)

    def run(self, *argv: Any, **options: Any) -> str:
        return self.result(*argv, **options).output

    def pipe(self, source: tuple[Any, ...], sink: tuple[Any, ...]) -> str:
        return self.result(*source, "|", *sink).output


def shell(
    answer: Answer = lambda argv: OK,
    programs: frozenset[str] = frozenset(),
    environment: dict[str, str] | None = None,
) -> ScriptedShell:
    """A shell that runs nothing."""
    return ScriptedShell(environment or {}, Path("/nowhere"), answer, [], programs)
