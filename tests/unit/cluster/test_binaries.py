from pathlib import Path

import pytest

from va_cluster import binaries
from va_cluster.cache import Cache
from va_cluster.errors import Unsupported
from va_cluster.shell import Result

from .fakes import FAILED, shell

ALL = (*binaries.NODE_COMPONENTS, binaries.KIND)


def test_one_program_gets_its_name_and_several_a_folder() -> None:
    etcd = binaries.build_command(binaries.ETCD, Path("/out"))
    assert etcd[etcd.index("-o") + 1] == "/out/etcd"
    kubernetes = binaries.build_command(binaries.KUBERNETES, Path("/out"))
    assert kubernetes[kubernetes.index("-o") + 1] == "/out/"
    assert kubernetes[-7:] == binaries.KUBERNETES.packages


@pytest.mark.parametrize("component", ALL, ids=lambda one: one.name)
def test_the_module_pins_what_the_component_says(component: binaries.Component) -> None:
    folder = binaries.MODULES / component.name
    module = (folder / "go.mod").read_text()
    assert (folder / "go.sum").exists()
    if component is not binaries.PAUSE:
        assert component.version in module
    for package in component.packages:
        assert package == "." or package in module


def test_staging_modules_have_the_version_of_kubernetes() -> None:
    module = (binaries.MODULES / "kubernetes" / "go.mod").read_text()
    version = binaries.KUBERNETES_VERSION.replace("v1.", "v0.")
    replaced = [line for line in module.splitlines() if "=>" in line]
    assert len(replaced) > 25
    assert all(line.endswith(f" {version}") for line in replaced)


def test_a_changed_source_changes_the_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pause").mkdir()
    (tmp_path / "pause/main.go").write_text("package main")
    monkeypatch.setattr(binaries, "MODULES", tmp_path)
    before = binaries.entry(binaries.PAUSE)
    (tmp_path / "pause/main.go").write_text("package main // changed")
    assert binaries.entry(binaries.PAUSE) != before


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("go version go1.26.8 linux/amd64\n", (1, 26)),
        ("go version go1.27rc1 linux/amd64", (1, 27)),
        ("", None),
    ],
)
def test_the_version_of_go(said: str, version: tuple[int, int] | None) -> None:
    assert binaries.go_version(said) == version


def test_no_go_is_refused_with_advice() -> None:
    with pytest.raises(Unsupported, match="there is none") as refused:
        binaries.check_go(shell(lambda argv: FAILED))
    assert "https://go.dev/dl/" in refused.value.advice


def test_an_old_go_is_refused() -> None:
    old = Result(0, "go version go1.19.8 linux/amd64", "")
    with pytest.raises(Unsupported, match=r"this one is 1\.19"):
        binaries.check_go(shell(lambda argv: old))


def test_missing_are_those_without_an_entry(tmp_path: Path) -> None:
    cache = Cache(tmp_path, lambda name: None)
    cache.path(binaries.entry(binaries.ETCD)).mkdir(parents=True)
    assert binaries.missing((binaries.ETCD, binaries.PAUSE), cache) == (binaries.PAUSE,)


def test_builds_are_locked_and_keep_to_the_cache(tmp_path: Path) -> None:
    own = binaries.go_shell(shell(), Cache(tmp_path, lambda name: None)).environment
    assert "-mod=readonly" in own["GOFLAGS"]
    assert own["CGO_ENABLED"] == "0"
    assert own["GOCACHE"].startswith(str(tmp_path))
    assert own["GOMODCACHE"].startswith(str(tmp_path))
