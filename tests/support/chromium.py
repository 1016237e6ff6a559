"""A Chromium to drive: the one of this machine, or Debian's, installed where that may be done."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from va_cluster.debian import install_missing, unsupported
from va_cluster.settings import cache_folder
from va_cluster.shell import Shell

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OS_RELEASE = Path("/etc/os-release")


def find_chromium(tell: Callable[[str], None]) -> str:
    """Return the program's path; `VA_CHROMIUM` names another one than the PATH has."""
    found = os.environ.get("VA_CHROMIUM") or _on_path()
    if found:
        return found
    system = OS_RELEASE.read_text() if OS_RELEASE.exists() else ""
    if reason := unsupported(os.geteuid(), system):
        raise AssertionError(
            "The tests of the chat page need Chromium or Chrome. Install one, or name one in "
            f"VA_CHROMIUM; it is installed for you only as root on Debian, and {reason}."
        )
    tell("Installing Chromium, in which the chat page is tried: apt-get install chromium")
    install_missing(
        Shell(dict(os.environ), cache_folder(os.environ) / "logs"), {"chromium": "chromium"}
    )
    installed = _on_path()
    assert installed, "apt has installed chromium, and there is none on the PATH"
    return installed


def _on_path() -> str | None:
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)
