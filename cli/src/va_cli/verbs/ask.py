"""`va ask`: one question, one answer; or those of a file."""

import sys
from contextlib import closing
from typing import Annotated

import typer

from va_cli.choosing import Place, finder_by_name, finder_by_word
from va_cli.completion import assistant_names
from va_cli.durations import Deadline
from va_cli.failures import ExitCode, WrongUsage
from va_cli.options import (
    AnswerFormat,
    Context,
    Continue,
    Debug,
    Kubeconfig,
    Namespace,
    Seconds,
    Sources,
    Timeout,
    TokenFile,
    Url,
    Verbose,
    Wait,
)
from va_cli.questions import join_question, read_questions, read_text
from va_cli.session import session_of

HELP = """Ask one question and print the answer while it is written.

Of two arguments the first is the assistant's name and the second the question.
A single argument is the name if an assistant of the namespace is called exactly
so, and else the question; with --url it is always the question. Without a name
VA_ASSISTANT is asked, or the only assistant there is.

Text from a pipe is the question where the arguments give none, and else a part
of it: the assistant answers from its own text, never from what is piped in.
-f asks each line of a file.

\b
  {va} ask ada "Where does Ada work?"
  {va} ask "Where does Ada work?"             where there is only one assistant
  {va} ask -c "And since when?"               goes on with the conversation
  echo "Who is Ada?" | {va} ask ada
  {va} ask ada -f questions.txt --json        one object a line
"""


def ask(
    invocation: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            autocompletion=assistant_names,
            help="Whom to ask.",
        ),
    ] = None,
    question: Annotated[
        str | None, typer.Argument(metavar="QUESTION", show_default=False, help="What to ask.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file", "-f", metavar="FILE", help="Ask each line of FILE, or '-' for stdin."
        ),
    ] = None,
    resume: Continue = False,
    output: Annotated[
        AnswerFormat, typer.Option("--output", "-o", help="json waits and prints one object.")
    ] = AnswerFormat.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as -o json.")] = False,
    sources: Sources = None,
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
) -> int:
    """Read the command line and what is piped in, ask, and print."""
    session = session_of(invocation, debug=debug)
    token = session.token(token_file)
    place = Place(url=url, namespace=namespace, context=context, kubeconfig=kubeconfig)
    if as_json:
        output = _only_json(output)
    if file is not None:
        _refuse_beside_a_file(question=question, resume=resume, output=output)
        questions = read_questions(file, stdin=sys.stdin.buffer)
        with session.notes(verbose=verbose) as notes:
            finder = finder_by_name(name, session, place, notes)

            from va_cli.asking import Asker
            from va_cli.batch import Batch

            with closing(Asker(finder, notes, token=token)) as asker:
                return Batch(
                    asker=asker,
                    out=sys.stdout,
                    notes=notes,
                    look=session.look(sources=sources),
                    tell=session.tell,
                    as_json=output is AnswerFormat.JSON,
                    stream=stream and output is AnswerFormat.TEXT,
                    timeout=timeout,
                    patience=wait or timeout,
                ).ask(questions)
    text = read_text(sys.stdin.buffer)
    if name is None or question is not None:
        # Wrong input ends here, before anything is looked up or sent.
        join_question(question, text)
    with session.notes(verbose=verbose) as notes:
        if question is None:
            finder, words = finder_by_word(name, session, place, notes)
        else:
            finder, words = finder_by_name(name, session, place, notes), question
        asked = join_question(words, text)
        if words and words.strip() and text and text.strip():
            notes.say("the text from the pipe is asked as a part of the question")

        from va_cli.asking import Asker, listening, retrying
        from va_cli.printing import print_answer
        from va_cli.transcript import Transcript

        with closing(Asker(finder, notes, token=token)) as asker:
            transcript = Transcript(target=asker.target, memory=session.memory(), notes=notes)
            if resume:
                transcript.resume()
            said = transcript.turns
            in_pieces = stream and output is not AnswerFormat.JSON
            answer = retrying(
                lambda: asker.ask(
                    asked, stream=in_pieces, deadline=Deadline.after(timeout), history=said
                ),
                limit=Deadline.after(wait or 0.0),
                notes=notes,
            )
            print_answer(
                listening(answer, lambda whole, _: transcript.add(asked, whole, after=said)),
                output=output,
                target=asker.target,
                look=session.look(sources=sources),
                out=sys.stdout,
                notes=notes,
            )
    return ExitCode.OK


def _only_json(output: AnswerFormat) -> AnswerFormat:
    if output is AnswerFormat.JSONL:
        raise _does_not_go_together("--json and -o jsonl are two formats", "leave one of them out")
    return AnswerFormat.JSON


def _refuse_beside_a_file(*, question: str | None, resume: bool, output: AnswerFormat) -> None:
    if question is not None:
        raise _does_not_go_together(
            "with --file the questions are the file's lines",
            "leave the question out, or --file",
        )
    if resume:
        raise _does_not_go_together(
            "each line of a file stands for itself and continues nothing",
            "{va} chat -c < FILE asks its lines as one conversation",
        )
    if output is AnswerFormat.JSONL:
        raise _does_not_go_together(
            "-o jsonl is the stream of one answer", "--json prints one object for each question"
        )


def _does_not_go_together(why: str, next_step: str) -> WrongUsage:
    return WrongUsage(
        "These options do not go together.", why=f"{why}; nothing was sent", next_step=next_step
    )
