"""`va chat`: questions, one after the other."""

import sys
from typing import TYPE_CHECKING

import typer

from va_cli.choosing import Place, finder_by_name
from va_cli.options import (
    Context,
    Continue,
    Debug,
    Kubeconfig,
    Name,
    Namespace,
    Seconds,
    Sources,
    Timeout,
    TokenFile,
    Url,
    Verbose,
)
from va_cli.session import session_of

if TYPE_CHECKING:
    from va_cli.failures import Failure

HELP = """Ask questions, one after the other.

A question is understood from the ones before. While the assistant cannot answer,
it is kept and sent when it can. Ctrl-C stops an answer, Ctrl-D or /exit leaves,
/help lists the commands.

Where the input is no terminal, each line of it is a question.
"""


def chat(
    invocation: typer.Context,
    name: Name = None,
    resume: Continue = False,
    sources: Sources = None,
    timeout: Timeout = Seconds(120),  # noqa: B008 - a plain value
    url: Url = None,
    token_file: TokenFile = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    verbose: Verbose = False,
    debug: Debug = False,
) -> int:
    """Set the conversation up and lead it."""
    from va_cli.asking import Asker
    from va_cli.conversation import COMMAND_NAMES, Conversation, Lines, PipedLines
    from va_cli.transcript import Transcript
    from va_cli.turns import ASKER

    session = session_of(invocation, debug=debug)
    place = Place(url=url, namespace=namespace, context=context, kubeconfig=kubeconfig)
    token = session.token(token_file)
    interactive = sys.stdin.isatty() and sys.stdout.isatty()

    def asker_for(assistant: str | None) -> Asker:
        finder = finder_by_name(assistant, session, place, notes)
        return Asker(finder, notes, token=token)

    def tell(failure: "Failure") -> None:
        notes.quiet()
        session.tell(failure)

    with session.notes(verbose=verbose) as notes:
        asker = asker_for(name)
        notes.quiet()
        if interactive:
            notes.say(f"asking {asker.target.label}; /help lists the commands")
        transcript = Transcript(target=asker.target, memory=session.memory(), notes=notes)
        if resume:
            transcript.resume()
        lines: Lines = PipedLines(sys.stdin.buffer)
        if interactive:
            from va_cli.prompt import PromptedLines

            asked_before = [turn.text for turn in transcript.turns if turn.role == ASKER]
            lines = PromptedLines(asked_before=asked_before, commands=COMMAND_NAMES)
        return Conversation(
            asker=asker,
            transcript=transcript,
            look=session.look(sources=sources),
            lines=lines,
            out=sys.stdout,
            notes=notes,
            tell=tell,
            switch=asker_for,
            timeout=timeout,
            interactive=interactive,
        ).run()
