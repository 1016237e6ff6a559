"""A failure in three lines: what failed, why, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from va_cli.terminal import paint, plain

if TYPE_CHECKING:
    from va_cli.failures import Failure


def told(failure: Failure, *, program: str, colour: bool) -> str:
    """Return the three lines."""
    lines = (
        (paint("Error:", "red", on=colour), failure.what),
        (paint("Why:  ", "bold", on=colour), failure.why),
        (paint("Next: ", "bold", on=colour), failure.next_step.replace("{va}", program)),
    )
    return "".join(f"{label} {' '.join(plain(text).split())}\n" for label, text in lines)
