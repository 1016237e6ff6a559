"""`kubectl_complete-assistant`: what kubectl runs to complete `kubectl assistant …`.

A plugin must not bind the shell's completion itself: to the shell the command is
`kubectl`, which has its own. kubectl runs this program with the words after
`assistant`, of which the last is being typed, and takes one completion a line.
"""

from __future__ import annotations

import os
import shlex
import sys


def main() -> int:
    """Print the completions as `va` does in bash; return the exit code."""
    words = ["va", *sys.argv[1:]]
    os.environ.update(
        _VA_COMPLETE="complete_bash",
        COMP_WORDS=shlex.join(words),
        COMP_CWORD=str(len(words) - 1),
    )
    from va_cli.main import main as va

    return va()
