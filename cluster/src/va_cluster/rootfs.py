"""Small Debian root file systems, kept as archives in the cache."""

import os
from pathlib import Path

from va_cluster import debian
from va_cluster.cache import Cache, Entry, recipe_key
from va_cluster.shell import Shell

ARCHIVE = "rootfs.tar"
OS_RELEASE = Path("/etc/os-release")


def check_host(wanted: str) -> None:
    """Refuse where this machine cannot make a root file system."""
    text = OS_RELEASE.read_text() if OS_RELEASE.exists() else ""
    debian.check_host(os.geteuid(), text, wanted)


def entry(name: str, packages: tuple[str, ...]) -> Entry:
    """The place in the cache of a root file system with these packages."""
    return Entry("rootfs", name, recipe_key(debian.SUITE, *packages))


def ensure(name: str, packages: tuple[str, ...], shell: Shell, cache: Cache) -> Path:
    """The archive of a root file system with these packages, made now if it is missing."""

    def build(folder: Path) -> None:
        with cache.scratch(f"rootfs-{name}") as root:
            debian.install_missing(shell, {"debootstrap": "debootstrap"})
            uri = debian.mirror(debian.read_sources())
            shell.run_logged(
                f"debootstrap-{name}", *debian.debootstrap_command(packages, root, uri)
            )
            debian.trim(root)
            shell.run("tar", "-C", root, "--numeric-owner", "-cf", folder / ARCHIVE, ".")

    return cache.ensure(entry(name, packages), build) / ARCHIVE
