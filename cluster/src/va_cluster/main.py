"""The command line of `va-cluster`."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from va_cluster.errors import ClusterError
from va_cluster.progress import Progress
from va_cluster.settings import DEFAULT_NAME, Choice, read_settings
from va_cluster.workplace import Workplace, make_workplace

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A Kubernetes cluster for trying and testing, also where nothing can be pulled.",
)


class Form(StrEnum):
    """How `status` is written."""

    TEXT = "text"
    JSON = "json"


class Verbatim(TyperCommand):
    """A command that takes its words as they are: a `--` among them is kubectl's own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take all words; one `--` before them is ours."""
        ctx.args = args[1:] if args[:1] == ["--"] else list(args)
        return []


@app.callback()
def choose(
    context: typer.Context,
    cluster: Annotated[
        Choice,
        typer.Option(
            envvar="CLUSTER",
            help="kind: one of our own; k3s: this machine's; current: your kubectl context.",
        ),
    ] = Choice.KIND,
    name: Annotated[
        str, typer.Option(envvar="VA_CLUSTER_NAME", help="The kind cluster's name.")
    ] = DEFAULT_NAME,
) -> None:
    """Read which cluster is meant."""
    context.obj = make_workplace(read_settings(cluster, name), Progress())


@app.command()
def up(
    context: typer.Context,
    nodes: Annotated[
        int | None,
        typer.Option(min=1, max=9, help="How many nodes, the control plane among them.  [1]"),
    ] = None,
) -> None:
    """Start the cluster; what is missing for it is made first."""
    from va_cluster import targets, up

    place = _place(context)
    targets.refuse_foreign(place.settings.choice, "up")
    up.up(place, nodes)


@app.command()
def down(
    context: typer.Context,
    every: Annotated[
        bool, typer.Option("--all", help="Delete all clusters that were made here.")
    ] = False,
) -> None:
    """Delete the cluster, and stop our engine with the last one. The cache stays."""
    from va_cluster import down, targets

    place = _place(context)
    targets.refuse_foreign(place.settings.choice, "down")
    down.down(place, every=every)


@app.command()
def status(
    context: typer.Context,
    output: Annotated[
        Form, typer.Option("--output", "-o", help="For people or for programs.")
    ] = Form.TEXT,
) -> None:
    """Show what there is; the exit code is 0 if the cluster is up, else 1."""
    from va_cluster import status

    found = status.read_status(_place(context))
    typer.echo(status.status_json(found) if output is Form.JSON else status.status_text(found))
    raise typer.Exit(0 if found.up else 1)


@app.command()
def load(
    context: typer.Context,
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Images of the engine.")],
) -> None:
    """Bring images into the cluster's nodes."""
    from va_cluster import targets

    targets.target(_place(context)).load(tuple(images))


@app.command()
def build(
    context: typer.Context,
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="The image's name.")],
    file: Annotated[Path, typer.Option(help="The Dockerfile.")],
    target: Annotated[str | None, typer.Option(help="The stage to build.")] = None,
    folder: Annotated[Path, typer.Option("--context", help="What COPY copies from.")] = Path(),
    build_arg: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="An argument of the Dockerfile.")
    ] = None,
) -> None:
    """Build an image with the engine in use, from a base image that can be had."""
    from va_cluster import build

    request = build.Request(image, file, target, folder, tuple(build_arg or ()))
    build.build(_place(context), request)


@app.command()
def kubeconfig(context: typer.Context) -> None:
    """Print the path of the cluster's kubeconfig."""
    from va_cluster import targets

    typer.echo(targets.target(_place(context)).kubeconfig)


@app.command()
def env(context: typer.Context) -> None:
    """Print what a shell needs: eval "$(va-cluster env)"."""
    from va_cluster import exports

    typer.echo(exports.export_lines(exports.exports(_place(context))), nl=False)


@app.command(cls=Verbatim, add_help_option=False)
def kubectl(context: typer.Context) -> None:
    """Run kubectl in the cluster."""
    from va_cluster import targets
    from va_cluster.settings import Choice

    place = _place(context)
    chosen = targets.target(place)
    shell = place.shell
    if place.settings.choice is not Choice.CURRENT:
        targets.need_kubeconfig(chosen, place)
        shell = shell.where(KUBECONFIG=chosen.kubeconfig)
    shell.become(*chosen.kubectl(), *context.args)


def _place(context: typer.Context) -> Workplace:
    place = context.obj
    if not isinstance(place, Workplace):
        raise TypeError
    return place


def main() -> None:
    """Run the command line; a foreseen failure is a message and exit code 1."""
    try:
        app()
    except ClusterError as e:
        sys.stderr.write(f"va-cluster: {e.message}\n")
        if e.advice:
            sys.stderr.write(f"{e.advice}\n")
        sys.exit(1)
    except OSError as e:
        sys.stderr.write(f"va-cluster: {e}\n")
        sys.stderr.write("VA_CACHE_DIR names another folder for what is built and recorded.\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("va-cluster: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
