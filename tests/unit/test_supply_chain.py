"""What the images and tools are made of comes from where it is said to, byte for byte."""

import ast
import re
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCK = tomllib.loads((ROOT / "uv.lock").read_text())
LOCKS = [ROOT / "uv.lock", ROOT / "reranker/training/uv.lock"]
DOCKERFILES = sorted(ROOT.glob("Dockerfile.*"))
PARTS = ("operator", "assistant", "cli", "cluster", "reranker")
SHIPPED = [source for part in PARTS for source in sorted((ROOT / part / "src").rglob("*.py"))]

LOADS_OBJECTS = {"marshal", "pickle", "shelve", "dill", "cloudpickle", "joblib"}
"""Reading what these wrote runs what it says."""

RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
LOADS_YAML = {"load", "load_all", "full_load", "full_load_all", "unsafe_load", "unsafe_load_all"}


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile with what they say, each on one line."""
    text = re.sub(r"^#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    found = [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]
    return [(name, said) for name, said in found]


def runs(dockerfile: Path) -> list[str]:
    """Return the commands that a Dockerfile runs."""
    said = [said for name, said in instructions(dockerfile) if name == "RUN"]
    return [command.strip() for one in said for command in one.split("&&")]


def files_of(package: dict[str, Any]) -> list[dict[str, Any]]:
    return [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]


def is_foreign(package: dict[str, Any]) -> bool:
    return "registry" in package["source"]


def test_only_our_own_packages_come_from_elsewhere_than_the_index() -> None:
    ours = {package["name"] for package in LOCK["package"] if not is_foreign(package)}
    assert ours == {"virtual-assistant", *(f"va-{part}" for part in PARTS)}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.parent.name)
def test_every_file_of_every_package_is_locked_with_its_digest(lock: Path) -> None:
    for package in filter(is_foreign, tomllib.loads(lock.read_text())["package"]):
        assert package["source"] == {"registry": "https://pypi.org/simple"}
        assert package["wheels"], f"{package['name']} would have to be built: that runs its code"
        for file in files_of(package):
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]), file


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_takes_nothing_from_the_index_but_what_is_locked(dockerfile: Path) -> None:
    pip = [command for command in runs(dockerfile) if "pip install" in command]
    syncs = [command for command in runs(dockerfile) if "uv sync" in command]
    assert pip
    assert syncs
    for command in pip:
        assert "--require-hashes" in command
        assert "--only-binary :all:" in command
        assert command.endswith("uv-requirements.txt")
    for command in syncs:
        assert "--locked" in command
        # A build would bring its own requirements, which no lock names.
        assert "--no-build" in command or "--offline" in command
    others = [name for name, _ in instructions(dockerfile) if name == "ADD"]
    others += [
        command for command in runs(dockerfile) if re.search(r"\b(curl|wget|git)\b", command)
    ]
    assert not others


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_the_builder_says_what_an_image_is_based_on(dockerfile: Path) -> None:
    """So a mirror, or a digest in place of a tag, needs no change of the file."""
    stages: set[str] = set()
    for name, said in instructions(dockerfile):
        if name == "FROM":
            base, *named = said.split(" AS ")
            assert base in {"${BASE_IMAGE}", *stages}
            stages |= set(named)
        if name == "COPY" and (source := re.match(r"--from=(\S+)", said)):
            assert source[1] in stages


def test_uv_itself_comes_with_its_digests() -> None:
    listed = re.sub(r"^#.*\n", "", (ROOT / "uv-requirements.txt").read_text(), flags=re.MULTILINE)
    words = listed.replace("\\\n", " ").split()
    assert re.fullmatch(r"uv==[\d.]+", words[0])
    assert len(words) > 1
    assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", word) for word in words[1:])
    makefile = (ROOT / "Makefile").read_text()
    assert "--require-hashes --requirement uv-requirements.txt" in makefile
    assert not re.findall(r"pip install[^\n]* uv==", makefile)


def test_no_package_runs_code_whenever_python_starts() -> None:
    """A line of a `.pth` file that begins with `import` is run at each start of Python."""
    for file in Path(sysconfig.get_path("purelib")).glob("*.pth"):
        lines = file.read_text().splitlines()
        assert all(Path(line).is_relative_to(ROOT) for line in lines), f"{file.name}: {lines}"


def test_nothing_is_loaded_that_could_run() -> None:
    assert len(SHIPPED) > 100
    found = {
        f"{source.relative_to(ROOT)}:{line}: {what}"
        for source in SHIPPED
        for line, what in loads_what_runs(ast.parse(source.read_text()))
    }
    assert not found


def loads_what_runs(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the lines of a module that read objects, or text as a program."""
    for node in ast.walk(module):
        match node:
            case ast.Import(names=names):
                used = {name.name.partition(".")[0] for name in names} & LOADS_OBJECTS
            case ast.ImportFrom(module=str(package)):
                used = {package.partition(".")[0]} & LOADS_OBJECTS
            case ast.Call(func=ast.Name(id=name)):
                used = {name} & RUNS_TEXT
            case ast.Call(func=ast.Attribute(value=ast.Name(id="yaml"), attr=name)):
                used = {name} & LOADS_YAML
            case _:
                continue
        for what in used:
            yield node.lineno, what


@pytest.mark.parametrize(
    "line", ["import pickle", "from marshal import loads", "eval(x)", "yaml.load(x)"]
)
def test_what_runs_is_found(line: str) -> None:
    assert list(loads_what_runs(ast.parse(line)))


def test_the_weights_are_checked_when_the_image_is_built() -> None:
    [command] = [one for one in runs(ROOT / "Dockerfile.assistant") if "check_weights" in one]
    assert "check_weights()" in command
