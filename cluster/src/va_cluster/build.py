"""`va-cluster build`: one of the project's images, from the base image that can be had."""

from dataclasses import dataclass
from pathlib import Path

from va_cluster import base_image
from va_cluster.errors import WrongRequest
from va_cluster.workplace import Workplace

BASE_ARGUMENT = "BASE_IMAGE"


@dataclass(frozen=True)
class Request:
    """What is to be built."""

    image: str
    file: Path
    target: str | None
    context: Path
    arguments: tuple[str, ...]


def names_base(request: Request) -> bool:
    """Whether the user chose the base image."""
    return any(one.split("=")[0] == BASE_ARGUMENT for one in request.arguments)


def build_command(request: Request, base: str | None) -> tuple[str, ...]:
    """The command that builds the image."""
    arguments = (*request.arguments, *((f"{BASE_ARGUMENT}={base}",) if base else ()))
    words = ["docker", "build", "--network", "host"]
    words += ["--file", str(request.file), "--tag", request.image]
    if request.target:
        words += ["--target", request.target]
    for argument in arguments:
        words += ["--build-arg", argument]
    return (*words, str(request.context))


def build(place: Workplace, request: Request) -> None:
    """Build the image, and show how."""
    if not request.file.is_file():
        raise WrongRequest(f"There is no {request.file}.", "Name the Dockerfile with --file.")
    found = place.ensure_engine()
    base = None
    if not names_base(request):
        base = base_image.ensure(found, place.cache, place.progress)
    found.shell.run_shown(*build_command(request, base))
