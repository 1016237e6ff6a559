from pathlib import Path

import pytest

from va_cluster import debian, engine_packages
from va_cluster.debian import Source
from va_cluster.errors import Unsupported

STANZAS = """\
Types: deb
# where it comes from
URIs: http://mirror.test/debian/
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: http://mirror.test/security
Suites: bookworm-security
Components: main
  contrib

Types: deb-src
URIs: http://source.test/debian
Suites: bookworm
Components: main

Enabled: no
Types: deb
URIs: http://off.test/debian
Suites: bookworm
Components: main
"""
LINES = """\
# deb http://commented.test/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] https://packages.test/apt cloud-sdk-bookworm main
deb http://mirror.test/debian bookworm main contrib  # here
deb-src http://mirror.test/debian bookworm main
"""


def test_stanzas_are_read() -> None:
    assert debian.parse_stanzas(STANZAS) == (
        Source("http://mirror.test/debian", ("bookworm", "bookworm-updates"), ("main",)),
        Source("http://mirror.test/security", ("bookworm-security",), ("main", "contrib")),
    )


def test_lines_are_read() -> None:
    assert debian.parse_lines(LINES) == (
        Source("https://packages.test/apt", ("cloud-sdk-bookworm",), ("main",)),
        Source("http://mirror.test/debian", ("bookworm",), ("main", "contrib")),
    )


def test_both_kinds_of_files_are_found(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(STANZAS)
    (tmp_path / "sources.list.d/off.sources.disabled").write_text(STANZAS)
    (tmp_path / "sources.list").write_text(LINES)
    found = debian.read_sources(tmp_path)
    assert len(found) == 4
    assert debian.read_sources(tmp_path / "none") == ()


def test_the_mirror_is_the_host_s() -> None:
    assert debian.mirror(debian.parse_lines(LINES)) == "http://mirror.test/debian"
    assert debian.mirror((Source("http://other.test/x", ("stable",), ("main",)),)) == (
        debian.DEFAULT_MIRROR
    )
    assert debian.mirror(()) == debian.DEFAULT_MIRROR


def test_images_use_debian_s_own_sources_only() -> None:
    sources = debian.parse_stanzas(STANZAS) + debian.parse_lines(LINES)
    text = debian.sources_text(debian.own_sources(sources))
    assert "packages.test" not in text
    assert "Suites: bookworm bookworm-updates\n" in text
    assert "Suites: bookworm-security\n" in text
    assert debian.parse_stanzas(text) == debian.own_sources(sources)


def test_a_host_of_another_release_lends_its_mirror() -> None:
    newer = (Source("http://mirror.test/debian", ("trixie",), ("main",)),)
    assert debian.own_sources(newer) == (
        Source("http://mirror.test/debian", ("bookworm",), ("main",)),
    )


def test_debootstrap_leaves_no_mounts_and_no_processes() -> None:
    command = debian.debootstrap_command(("systemd", "runc"), Path("/root/fs"), "http://m.test")
    assert command[:4] == ("unshare", "--mount", "--propagation", "private")
    assert {"--pid", "--kill-child"} < set(command)
    assert command[-3:] == ("bookworm", "/root/fs", "http://m.test")
    assert "--include=systemd,runc" in command


@pytest.mark.parametrize(
    ("uid", "release", "reason"),
    [
        (1000, "ID=debian\n", "not root"),
        (0, 'NAME="Fedora"\nID=fedora\n', "fedora, not Debian"),
        (0, "", "unknown, not Debian"),
    ],
)
def test_where_nothing_can_be_built_it_says_why_and_what_to_do(
    uid: int, release: str, reason: str
) -> None:
    with pytest.raises(Unsupported, match=reason) as refused:
        debian.check_host(uid, release, "An engine can be started")
    assert "Install Docker" in refused.value.advice


def test_root_on_debian_can_build() -> None:
    debian.check_host(0, 'PRETTY_NAME="Debian"\nID="debian"\n', "An engine can be started")


def test_trimming_keeps_programs_and_drops_manuals(tmp_path: Path) -> None:
    for name in ("usr/share/doc/x", "var/cache/apt/archives/x.deb", "etc/hostname", "usr/bin/sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    debian.trim(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"usr/bin/sh"}
    assert (tmp_path / "var/cache/apt/archives").is_dir()


def test_the_engine_s_packages_come_from_the_newer_release_alone(tmp_path: Path) -> None:
    line = engine_packages.source_line("http://mirror.test/debian")
    assert line.endswith("http://mirror.test/debian trixie main\n")
    assert "Dir::Etc::sourceparts=/dev/null" in engine_packages.apt_options(tmp_path)
