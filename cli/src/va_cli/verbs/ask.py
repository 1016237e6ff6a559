"""`va ask`: one question, one answer."""

import sys
from typing import Annotated

import typer

from va_cli.choosing import Place, finder_by_name, finder_by_word
from va_cli.durations import Deadline
from va_cli.options import (
    AnswerFormat,
    Context,
    Debug,
    Kubeconfig,
    Namespace,
    Seconds,
    Timeout,
    TokenFile,
    Url,
    Verbose,
    Wait,
)
from va_cli.questions import join_question, read_text
from va_cli.session import session_of

HELP = """Ask one question and print the answer while it is written.

Of two arguments the first is the assistant's name and the second the question.
A single argument is the name if an assistant of the namespace is called exactly
so, and else the question; with --url it is always the question. Without a name
VA_ASSISTANT is asked, or the only assistant there is.

Text from a pipe or a file (-f) follows the question after a blank line, or is
the question where the arguments give none.

\b
  {va} ask ada "Where does Ada work?"
  {va} ask "Where does Ada work?"             where there is only one assistant
  echo "Who is Ada?" | {va} ask ada
  {va} ask ada "What went wrong?" -f log.txt  the question, a blank line, the log
"""


def ask(
    invocation: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", show_default=False, help="Whom to ask.")
    ] = None,
    question: Annotated[
        str | None, typer.Argument(metavar="QUESTION", show_default=False, help="What to ask.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="FILE", help="Read text from FILE, or '-' for stdin."),
    ] = None,
    output: Annotated[
        AnswerFormat, typer.Option("--output", "-o", help="json waits and prints one object.")
    ] = AnswerFormat.TEXT,
    stream: Annotated[
        bool, typer.Option("--stream/--no-stream", help="Print the answer as it comes, or whole.")
    ] = True,
    wait: Wait = None,
    timeout: Timeout = Seconds(120),  # noqa: B008 - a plain value
    url: Url = None,
    token_file: TokenFile = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Read the command line and what is piped in, ask, and print."""
    session = session_of(invocation, debug=debug)
    token = session.token(token_file)
    text = read_text(file, stdin=sys.stdin.buffer)
    if name is None or question is not None:
        # Wrong input ends here, before anything is looked up or sent.
        join_question(question, text)
    with session.notes(verbose=verbose) as notes:
        place = Place(url=url, namespace=namespace, context=context, kubeconfig=kubeconfig)
        if question is None:
            finder, words = finder_by_word(name, session, place, notes)
        else:
            finder, words = finder_by_name(name, session, place, notes), question
        asked = join_question(words, text)

        from va_cli.asking import Asker, retrying
        from va_cli.printing import print_answer

        asker = Asker(finder, notes, token=token)
        in_pieces = stream and output is not AnswerFormat.JSON
        answer = retrying(
            lambda: asker.ask(asked, stream=in_pieces, deadline=Deadline.after(timeout)),
            limit=Deadline.after(wait or 0.0),
            notes=notes,
        )
        try:
            print_answer(answer, output=output, target=asker.target, out=sys.stdout, notes=notes)
        finally:
            asker.close()
