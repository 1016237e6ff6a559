from pathlib import Path

import pytest

from va_cluster import build, current, exports, k3s, targets
from va_cluster.cache import Cache
from va_cluster.errors import NotOurs, NotUp, Unsupported, WrongRequest
from va_cluster.progress import Progress
from va_cluster.settings import DEFAULT_NAME, Choice, Settings, cache_folder, read_settings
from va_cluster.shell import Result
from va_cluster.workplace import Workplace, make_workplace

from .fakes import FAILED, OK, Answer, ScriptedShell, shell


def workplace(
    tmp_path: Path,
    choice: Choice,
    answer: Answer = lambda argv: OK,
    programs: frozenset[str] = frozenset({"kubectl", "docker"}),
) -> tuple[Workplace, ScriptedShell]:
    environment = {"HOME": str(tmp_path), "PATH": "/bin"}
    fake = shell(answer, programs, environment)
    settings = Settings(choice, DEFAULT_NAME, tmp_path / "cache", environment)
    cache = Cache(settings.cache, lambda name: None)
    return Workplace(settings, cache, fake, Progress(), tmp_path / "run"), fake


@pytest.mark.parametrize("verb", ["up", "down"])
@pytest.mark.parametrize("choice", [Choice.K3S, Choice.CURRENT])
def test_foreign_clusters_are_neither_made_nor_deleted(choice: Choice, verb: str) -> None:
    with pytest.raises(NotOurs, match=f"va-cluster {verb}") as refused:
        targets.refuse_foreign(choice, verb)
    assert "--cluster" in refused.value.advice


def test_our_own_cluster_may_be_made() -> None:
    targets.refuse_foreign(Choice.KIND, "up")


def test_k3s_takes_images_from_the_engine(tmp_path: Path) -> None:
    def answer(argv: tuple[str, ...]) -> Result:
        return Result(0, "26.1\n", "") if argv[:2] == ("docker", "version") else OK

    place, fake = workplace(tmp_path, Choice.K3S, answer)
    targets.target(place).load(("probe:1",))
    assert fake.ran[-1] == (
        "docker", "save", "probe:1", "|", "k3s", "ctr", "images", "import", "-",
    )  # fmt: skip


def test_k3s_has_its_own_kubeconfig_and_kubectl(tmp_path: Path) -> None:
    place, _ = workplace(tmp_path, Choice.K3S)
    assert targets.target(place).kubeconfig == "/etc/rancher/k3s/k3s.yaml"
    assert k3s.kubectl_command(shell(programs=frozenset({"kubectl"}))) == ("/bin/kubectl",)
    assert k3s.kubectl_command(shell()) == ("k3s", "kubectl")


def test_the_current_cluster_is_the_user_s_own(tmp_path: Path) -> None:
    place, _ = workplace(tmp_path, Choice.CURRENT)
    assert targets.target(place).kubeconfig == str(tmp_path / ".kube/config")
    assert current.kubeconfig({"KUBECONFIG": "/a:./b"}) == "/a:./b"
    assert "KUBECONFIG" not in exports.exports(place)


def test_images_go_into_a_current_cluster_only_if_it_is_kind_s() -> None:
    assert current.kind_cluster("kind-mine") == "mine"
    with pytest.raises(NotOurs, match="prod") as refused:
        current.kind_cluster("prod")
    assert "registry" in refused.value.advice


def test_loading_into_a_foreign_current_cluster_is_refused(tmp_path: Path) -> None:
    place, fake = workplace(tmp_path, Choice.CURRENT, lambda argv: Result(0, "prod\n", ""))
    with pytest.raises(NotOurs):
        targets.target(place).load(("probe:1",))
    assert not any("|" in words for words in fake.ran)


def test_a_machine_without_kubectl_is_told_so(tmp_path: Path) -> None:
    place, _ = workplace(tmp_path, Choice.CURRENT, programs=frozenset())
    with pytest.raises(Unsupported, match="no kubectl"):
        targets.target(place).answers()


def test_a_silent_cluster_does_not_answer(tmp_path: Path) -> None:
    place, _ = workplace(tmp_path, Choice.K3S, lambda argv: FAILED)
    assert targets.target(place).answers() is False


def test_our_cluster_s_kubeconfig_is_in_the_cache(tmp_path: Path) -> None:
    place, _ = workplace(tmp_path, Choice.KIND)
    expected = tmp_path / "cache/clusters/virtual-assistant/kubeconfig"
    assert targets.target(place).kubeconfig == str(expected)


def test_loading_needs_an_engine(tmp_path: Path) -> None:
    place, _ = workplace(tmp_path, Choice.KIND, lambda argv: FAILED)
    with pytest.raises(NotUp, match="No container engine"):
        targets.target(place).load(("probe:1",))


def test_exports_are_safe_for_a_shell() -> None:
    assert exports.export_lines({"KUBECONFIG": "/a b"}) == "export KUBECONFIG='/a b'\n"


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"VA_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/virtual-assistant"),
        ({"HOME": "/h"}, "/h/.cache/virtual-assistant"),
    ],
)
def test_the_cache_is_outside_of_the_repository(environment: dict[str, str], folder: str) -> None:
    assert cache_folder(environment) == Path(folder)


@pytest.mark.parametrize("name", ["", "Upper", "-a", "a-", "a_b", "a" * 46, "a/b"])
def test_a_name_that_no_node_can_have_is_refused(name: str) -> None:
    with pytest.raises(WrongRequest):
        read_settings(Choice.KIND, name, {})


def test_programs_outside_of_a_service_s_path_are_found() -> None:
    settings = read_settings(Choice.KIND, "a", {"PATH": "/bin", "HOME": "/h"})
    path = make_workplace(settings, Progress()).shell.environment["PATH"]
    assert path.startswith("/bin:")
    assert "/usr/sbin" in path.split(":")


def test_what_to_type_names_the_cluster(tmp_path: Path) -> None:
    place, _ = workplace(tmp_path, Choice.KIND)
    assert place.command("up") == "va-cluster up"


REQUEST = build.Request("va:1", Path("Dockerfile.x"), "slim", Path("ctx"), ("A=1",))


def test_a_build_gets_the_base_image_that_can_be_had() -> None:
    words = build.build_command(REQUEST, "own:1")
    assert words == (
        "docker", "build", "--network", "host", "--file", "Dockerfile.x", "--tag", "va:1",
        "--target", "slim", "--build-arg", "A=1", "--build-arg", "BASE_IMAGE=own:1", "ctx",
    )  # fmt: skip
    assert "BASE_IMAGE" not in " ".join(build.build_command(REQUEST, None))


def test_a_base_image_that_the_user_chose_stays() -> None:
    assert build.names_base(build.Request("a", Path("f"), None, Path(), ("BASE_IMAGE=mine",)))
    assert not build.names_base(REQUEST)


def test_a_missing_dockerfile_is_named(tmp_path: Path) -> None:
    place, fake = workplace(tmp_path, Choice.KIND)
    with pytest.raises(WrongRequest, match=r"Dockerfile\.x"):
        build.build(place, REQUEST)
    assert fake.ran == []


def test_kubectl_speaks_to_no_other_cluster_where_ours_is_missing(tmp_path: Path) -> None:
    place, _ = workplace(tmp_path, Choice.KIND)
    with pytest.raises(NotUp, match="There is no cluster virtual-assistant") as refused:
        targets.need_kubeconfig(targets.target(place), place)
    assert "va-cluster up" in refused.value.advice
