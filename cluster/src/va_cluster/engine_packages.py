"""The private engine's programs: packages of a newer Debian, unpacked and not installed."""

from pathlib import Path

from va_cluster import debian
from va_cluster.cache import Cache, Entry, recipe_key
from va_cluster.progress import Progress
from va_cluster.shell import Shell

# Debian 12's docker.io asks for every capability and fails where one is missing.
SUITE = "trixie"
PACKAGES = ("docker.io", "docker-cli", "containerd")
ENTRY = Entry("engine", "packages", recipe_key(SUITE, *PACKAGES))


def source_line(uri: str) -> str:
    """The only package source that apt may use for them."""
    return f"deb [signed-by={debian.KEYRING}] {uri} {SUITE} main\n"


def apt_options(folder: Path) -> tuple[str, ...]:
    """The options that keep apt's state in `folder` and the host's sources and lists out of it."""
    return (
        "-o",
        f"Dir::Etc::sourcelist={folder}/sources.list",
        "-o",
        "Dir::Etc::sourceparts=/dev/null",
        "-o",
        f"Dir::State::lists={folder}/lists",
        "-o",
        f"Dir::Cache={folder}/cache",
        "-o",
        "APT::Sandbox::User=root",
        # Without it apt takes a mirror that it cannot reach for one with nothing new.
        "-o",
        "APT::Update::Error-Mode=any",
    )


def ensure(shell: Shell, cache: Cache, progress: Progress) -> Path:
    """The folder with the engine's programs, fetched now if they are missing."""

    def build(folder: Path) -> None:
        with (
            progress.step(f"Fetching Docker from Debian {SUITE}"),
            cache.scratch("engine-packages") as scratch,
        ):
            for part in ("lists/partial", "cache/archives/partial"):
                (scratch / part).mkdir(parents=True)
            uri = debian.mirror(debian.read_sources())
            (scratch / "sources.list").write_text(source_line(uri))
            options = apt_options(scratch)
            shell.run_logged("engine-update", "apt-get", *options, "update", "-q")
            shell.run_logged(
                "engine-download", "apt-get", *options, "download", "-q", *PACKAGES, cwd=scratch
            )
            for package in sorted(scratch.glob("*.deb")):
                shell.run("dpkg", "-x", package, folder)

    return cache.ensure(ENTRY, build)
