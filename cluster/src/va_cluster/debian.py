"""What we take from Debian: its mirrors as the host names them, root file systems, packages."""

from dataclasses import dataclass
from pathlib import Path

from va_cluster.cache import remove_tree
from va_cluster.errors import Unsupported
from va_cluster.shell import Shell

DEFAULT_MIRROR = "http://deb.debian.org/debian"
# The release of the node image, of the own base image and of the engine's runc.
SUITE = "bookworm"
# By codename only: others' repositories have a suite `stable` with a `main` too.
CODENAMES = frozenset({"bullseye", "bookworm", "trixie", "forky", "sid"})
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
APT = Path("/etc/apt")
# Runs a command in namespaces of its own: what it mounts and starts is gone with it,
# however it ends.
APART = (
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
)


@dataclass(frozen=True)
class Source:
    """One of the host's package sources."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]


def parse_stanzas(text: str) -> tuple[Source, ...]:
    """The sources of a file in the deb822 format (`*.sources`)."""
    sources = []
    for stanza in text.replace("\r", "").split("\n\n"):
        fields: dict[str, str] = {}
        last = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace() and last:
                fields[last] += f" {line.strip()}"
            elif ":" in line:
                last, value = line.split(":", 1)
                last = last.strip().lower()
                fields[last] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled") == "no":
            continue
        sources += [
            Source(
                uri.rstrip("/"),
                tuple(fields.get("suites", "").split()),
                tuple(fields.get("components", "").split()),
            )
            for uri in fields.get("uris", "").split()
        ]
    return tuple(sources)


def parse_lines(text: str) -> tuple[Source, ...]:
    """The sources of a file in the one-line format (`*.list`)."""
    sources = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words or words[0] != "deb":
            continue
        if words[1:2] and words[1].startswith("["):
            while words[1:2] and not words[1].endswith("]"):
                del words[1]
            del words[1:2]
        if len(words) >= 3:
            sources.append(Source(words[1].rstrip("/"), (words[2],), tuple(words[3:])))
    return tuple(sources)


def of_suite(sources: tuple[Source, ...], suite: str) -> tuple[Source, ...]:
    """Debian's own sources of a release: `suite` itself, its updates, its security fixes."""
    names = {suite, f"{suite}-updates", f"{suite}-security"}
    kept = []
    for source in sources:
        suites = tuple(name for name in source.suites if name in names)
        if suites and "main" in source.components:
            kept.append(Source(source.uri, suites, source.components))
    return tuple(kept)


def mirror(sources: tuple[Source, ...]) -> str:
    """The mirror that the host uses, whatever its release; Debian's own where it names none."""
    for source in sources:
        if CODENAMES.intersection(source.suites) and "main" in source.components:
            return source.uri
    return DEFAULT_MIRROR


def sources_text(sources: tuple[Source, ...]) -> str:
    """The sources as a file of the deb822 format."""
    return "\n".join(
        f"Types: deb\nURIs: {source.uri}\nSuites: {' '.join(source.suites)}\n"
        f"Components: {' '.join(source.components)}\nSigned-By: {KEYRING}\n"
        for source in sources
    )


def read_sources(folder: Path = APT) -> tuple[Source, ...]:
    """The host's sources."""
    found: tuple[Source, ...] = ()
    for path in (folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))):
        if not path.is_file():
            continue
        text = path.read_text(errors="replace")
        if path.suffix == ".sources":
            found += parse_stanzas(text)
        elif path.suffix == ".list":
            found += parse_lines(text)
    return found


def own_sources(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """The sources that an image of our release is to use: the host's where they fit."""
    return of_suite(sources, SUITE) or (Source(mirror(sources), (SUITE,), ("main",)),)


def debootstrap_command(include: tuple[str, ...], target: Path, uri: str) -> tuple[str, ...]:
    """The command that installs a small Debian into `target`."""
    return (
        *APART,
        "debootstrap",
        "--variant=minbase",
        f"--include={','.join(include)}",
        SUITE,
        str(target),
        uri,
    )


def release_id(os_release: str) -> str:
    """The `ID` of an os-release file."""
    for line in os_release.splitlines():
        if line.startswith("ID="):
            return line.removeprefix("ID=").strip().strip("\"'")
    return ""


def unsupported(uid: int, os_release: str) -> str | None:
    """Why nothing can be built from Debian here, or None where it can."""
    if uid != 0:
        return "this is not root"
    system = release_id(os_release)
    if system != "debian":
        return f"this system is {system or 'unknown'}, not Debian"
    return None


def check_host(uid: int, os_release: str, wanted: str) -> None:
    """Refuse, with a way out, where nothing can be built from Debian."""
    if reason := unsupported(uid, os_release):
        raise Unsupported(
            f"{wanted} only as root on Debian, and {reason}.",
            "Install Docker (https://docs.docker.com/engine/install/), see that `docker version`"
            " shows a server, and try again; or choose your own cluster with"
            " `--cluster k3s` or `--cluster current`.",
        )


def install_missing(shell: Shell, programs: dict[str, str]) -> tuple[str, ...]:
    """Install the packages whose programs the host lacks; gives back which."""
    packages = tuple(sorted({p for name, p in programs.items() if shell.find(name) is None}))
    if packages:
        apt = shell.where(DEBIAN_FRONTEND="noninteractive")
        apt.run_logged("apt-update", "apt-get", "update", "-q")
        apt.run_logged(
            "apt-install", "apt-get", "install", "-qy", "--no-install-recommends", *packages
        )
    return packages


def trim(root: Path) -> None:
    """Remove what no image needs: manuals, translations, apt's downloads, logs."""
    for folder in ("doc", "man", "info", "locale", "bash-completion"):
        remove_tree(root / "usr/share" / folder)
    for folder in ("var/cache/apt", "var/cache/debconf", "var/lib/apt/lists", "var/log"):
        for path in (root / folder).rglob("*"):
            if path.is_file() and not path.is_symlink():
                path.unlink()
    # debootstrap copies the host's; engines write their own.
    for name in ("resolv.conf", "hostname"):
        (root / "etc" / name).unlink(missing_ok=True)
