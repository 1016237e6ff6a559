import pytest

from va_cluster import images
from va_cluster.engine import Engine
from va_cluster.errors import NotUp, WrongRequest
from va_cluster.progress import Progress
from va_cluster.shell import Result

from .fakes import FAILED, OK, Answer, ScriptedShell, shell

IMAGE_ID = "sha256:aa11"


def engine(answer: Answer) -> tuple[Engine, ScriptedShell]:
    fake = shell(answer)
    return Engine(private=True, version="26", shell=fake), fake


def nodes_with(manifests: dict[str, str]) -> Answer:
    """Nodes by name, each with the manifest that it has of the image."""

    def answer(argv: tuple[str, ...]) -> Result:
        if argv[:3] == ("docker", "image", "inspect"):
            return Result(0, f"{IMAGE_ID}\n", "")
        if argv[:2] == ("docker", "ps"):
            return Result(0, "\n".join(manifests), "")
        if argv[:2] == ("docker", "inspect"):
            rows = [f"/{name}\t{name}-id\trunning\t10:00" for name in manifests]
            return Result(0, "\n".join(rows), "")
        if argv[:2] == ("docker", "exec"):
            return Result(0, manifests[argv[2]], "")
        return OK

    return answer


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("probe", "docker.io/library/probe:latest"),
        ("probe:1", "docker.io/library/probe:1"),
        ("team/probe:1", "docker.io/team/probe:1"),
        ("localhost/probe:1", "localhost/probe:1"),
        ("registry.test/team/probe", "registry.test/team/probe:latest"),
        ("registry:5000/probe:1", "registry:5000/probe:1"),
        ("team/probe@sha256:ab", "docker.io/team/probe@sha256:ab"),
    ],
)
def test_names_are_those_of_containerd(short: str, full: str) -> None:
    assert images.full_reference(short) == full


def test_only_nodes_that_lack_the_image_get_it() -> None:
    manifest = f'{{"config": {{"digest": "{IMAGE_ID}"}}}}'
    answer = nodes_with({"va-a": manifest, "va-b": "", "va-c": '{"config": {"digest": "old"}}'})
    found, fake = engine(answer)
    images.load(found, "va", ("probe:1",), Progress())
    loads = [words for words in fake.ran if "|" in words]
    assert [words[words.index("|") + 4] for words in loads] == ["va-b", "va-c"]
    assert loads[0][:3] == ("docker", "save", "probe:1")


def test_an_image_that_was_not_built_is_named() -> None:
    answer = nodes_with({"va-a": ""})
    found, _ = engine(lambda argv: FAILED if argv[1] == "image" else answer(argv))
    with pytest.raises(WrongRequest, match="no image probe:1") as refused:
        images.load(found, "va", ("probe:1",), Progress())
    assert "va-cluster build" in refused.value.advice


def test_a_cluster_that_is_down_takes_no_images() -> None:
    found, _ = engine(lambda argv: OK)
    with pytest.raises(NotUp, match="va is not running"):
        images.load(found, "va", ("probe:1",), Progress())
