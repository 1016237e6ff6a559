"""The verbs together, and how each run of them ends."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from typer.core import TyperGroup
from typer.exceptions import Abort, Exit, TyperException

from va_cli.failures import EXIT_CODES, CannotWrite, ExitCode, Failure, WrongUsage
from va_cli.session import Session
from va_cli.settings import Settings
from va_cli.telling import told
from va_cli.verbs.ask import HELP as ASK_HELP
from va_cli.verbs.ask import ask
from va_cli.verbs.chat import HELP as CHAT_HELP
from va_cli.verbs.chat import chat
from va_cli.verbs.list import list_assistants
from va_cli.verbs.status import status
from va_cli.verbs.version import version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from va_cli.cluster import Cluster, OpenCluster

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What ends a write to a file; whoever else touches files has handled it."""

ENDED_BY_A_CLOSED_PIPE = 141
"""What a shell shows for a program that SIGPIPE ended."""

_HELP = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())
EPILOG = f"\b\nExit codes:\n{_HELP}"


def build_app(program: str) -> typer.Typer:
    """Return the verbs, with texts that name the program as the user calls it."""
    app = typer.Typer(
        help="Ask the assistants of a Kubernetes cluster, and see how they are.",
        epilog=EPILOG,
        context_settings={"help_option_names": ["-h", "--help"]},
        # rich would cost every start a tenth of a second.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        invoke_without_command=True,
        callback=_bare,
        # That of a plugin would take the place of kubectl's own: see kubectl_completion.py.
        add_completion=program == "va",
    )
    app.command("ask", help=ASK_HELP.replace("{va}", program))(ask)
    app.command("chat", help=CHAT_HELP)(chat)
    app.command("list")(list_assistants)
    app.command("status")(status)
    app.command("version")(version)
    app.command("help", hidden=True)(_help)
    return app


def _bare(
    invocation: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version of this program alone.")
    ] = False,
) -> None:
    if show_version:
        from importlib.metadata import version as installed

        typer.echo(f"va {installed('va-cli')}")
        raise Exit
    if invocation.invoked_subcommand is None:
        typer.echo(invocation.get_help())


def _help(
    invocation: typer.Context, verb: Annotated[str | None, typer.Argument(metavar="VERB")] = None
) -> None:
    """Show what `--help` shows, for those who type it as a verb."""
    program = invocation.find_root()
    if verb is None:
        typer.echo(program.get_help())
        return
    assert isinstance(program.command, TyperGroup)  # noqa: S101 - it has verbs
    command = program.command.get_command(program, verb)
    if command is None:
        raise typer.BadParameter(f"there is no verb '{verb}'")
    typer.echo(command.get_help(typer.Context(command, info_name=verb, parent=program)))


def program_name(argv0: str) -> str:
    """Return what the user typed: kubectl runs its plugins as `kubectl-NAME`."""
    name = PurePath(argv0).name.removesuffix(".exe")
    if name.startswith("kubectl-"):
        return name.replace("-", " ", 1).replace("_", "-")
    return "va"


def run(arguments: Sequence[str] | None, *, open_cluster: OpenCluster | None) -> int:
    """Run one command line; tell every foreseen failure in three lines."""
    settings = Settings.from_environment(os.environ)
    program = program_name(sys.argv[0])
    _replace_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that cannot show a character must not end the answer.
            stream.reconfigure(errors="replace")
    session = Session(
        settings=settings, program=program, open_cluster=open_cluster or _open_cluster
    )
    try:
        code = build_app(program)(
            args=None if arguments is None else list(arguments),
            prog_name=program,
            standalone_mode=False,
            obj=session,
        )
        sys.stdout.flush()
    except BrokenPipeError:
        _leave(sys.stdout)
        return ENDED_BY_A_CLOSED_PIPE
    except SystemExit as ended:
        # typer ends the program by itself for a closed pipe and after completion.
        if isinstance(ended.__context__, BrokenPipeError):
            _leave(sys.stdout)
            return ENDED_BY_A_CLOSED_PIPE
        return ended.code if isinstance(ended.code, int) else ExitCode.OK
    except (KeyboardInterrupt, Abort):
        return ExitCode.INTERRUPTED
    except Exit as ended:
        return ended.exit_code
    except Exception as error:  # noqa: BLE001 - the rim: users get no trace
        session.show_trace()
        failure = _failure(error, program)
        if isinstance(failure, CannotWrite):
            _leave(sys.stdout)
        return _tell(failure, session)
    return code if isinstance(code, int) else ExitCode.OK


def _replace_closed_streams() -> None:
    """Go on where who started the program has closed a stream: nothing comes or goes there."""
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BytesIO())
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115


def _open_cluster(kubeconfig: str, context: str | None) -> Cluster:
    from va_cli.cluster import open_cluster

    return open_cluster(kubeconfig, context)


def _tell(failure: Failure, session: Session) -> int:
    try:
        sys.stderr.write(told(failure, program=session.program, colour=session.stderr_colour))
    except OSError:
        _leave(sys.stderr)
    return failure.code


def _failure(error: Exception, program: str) -> Failure:
    """Return what users are told of it."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, TyperException):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else program
        return WrongUsage(
            "The command line is not understood.",
            why=error.format_message().replace("Value error, ", ""),
            next_step=f"{path} --help",
        )
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return CannotWrite(
            "What was asked for cannot be written.",
            why=str(error.strerror),
            next_step="make room there, or write elsewhere",
        )
    return Failure(
        "Something went wrong that should not.",
        why=f"{type(error).__name__}: {error}",
        next_step="run it again with --debug, and report what it says",
    )


def _leave(stream: TextIO) -> None:
    """Keep Python's own flush at exit from complaining about a stream that takes no more."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return
