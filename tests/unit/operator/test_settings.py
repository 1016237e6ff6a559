"""What the environment may say, and what is said of a bad one."""

from pathlib import Path

import pytest

from va_operator.main import main
from va_operator.settings import OperatorSettings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with just the images."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("VA_OPERATOR_ASSISTANT_IMAGE", "example.com/assistant:1")
    monkeypatch.setenv("VA_OPERATOR_MODEL_IMAGE", "example.com/model:1")
    return monkeypatch


def read() -> OperatorSettings:
    return OperatorSettings()


def test_the_images_are_enough() -> None:
    settings = read()

    assert settings.assistant_image == "example.com/assistant:1"
    assert settings.namespaces == ()
    assert not settings.in_cluster
    assert settings.health_port == 8080


def test_namespaces_are_separated_by_commas(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VA_OPERATOR_NAMESPACES", " a, b ,,c")
    assert read().namespaces == ("a", "b", "c")


def test_hosts_of_models_are_separated_by_commas(environment: pytest.MonkeyPatch) -> None:
    assert read().model_hosts == ()
    environment.setenv("VA_OPERATOR_MODEL_HOSTS", "api.openai.com, *.models.example")
    assert read().model_hosts == ("api.openai.com", "*.models.example")


def test_a_pod_knows_that_it_is_one(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert read().in_cluster


def test_a_pod_keeps_its_lease_in_its_own_namespace(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "namespace"
    told.write_text("system\n")
    environment.setattr("va_operator.settings.OWN_NAMESPACE", told)
    assert read().lease_namespace == "system"
    environment.setenv("VA_OPERATOR_LEASE_NAMESPACE", "elsewhere")
    assert read().lease_namespace == "elsewhere"
    environment.setenv("VA_OPERATOR_LEASE_NAMESPACE", "")
    assert read().lease_namespace == ""


def test_outside_of_a_pod_there_is_no_lease_unless_it_is_asked_for(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setattr("va_operator.settings.OWN_NAMESPACE", tmp_path / "not there")
    assert read().lease_namespace == ""
    environment.setenv("VA_OPERATOR_LEASE_NAMESPACE", "system")
    assert read().lease_namespace == "system"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().workers = 3  # type: ignore[misc]


@pytest.mark.parametrize("name", ["RESYNC_SECONDS"])
def test_the_resync_is_as_frequent_as_the_alerts_expect(
    name: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(f"VA_OPERATOR_{name}", "600")
    assert read().resync_seconds == 600
    environment.setenv(f"VA_OPERATOR_{name}", "601")
    with pytest.raises(ValueError, match="600"):
        read()


FAULTS = {
    "WORKERS": "0",
    "RESYNC_SECONDS": "-1",
    "HEALTH_PORT": "70000",
    "LOG_LEVEL": "LOUD",
    "LOG_FORMAT": "xml",
    "QUESTIONS_PER_SECOND": "often",
    "ASSISTANT_IMAGE": "",
}


@pytest.mark.parametrize(("name", "value"), FAULTS.items())
def test_a_bad_value_ends_the_program_with_its_name(
    name: str, value: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv(f"VA_OPERATOR_{name}", value)

    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith(f"VA_OPERATOR_{name}: ")


def test_all_faults_are_named_at_once(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.delenv("VA_OPERATOR_ASSISTANT_IMAGE")
    environment.delenv("VA_OPERATOR_MODEL_IMAGE")
    environment.setenv("VA_OPERATOR_WORKERS", "none")

    with pytest.raises(SystemExit):
        main()
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "VA_OPERATOR_ASSISTANT_IMAGE",
        "VA_OPERATOR_MODEL_IMAGE",
        "VA_OPERATOR_WORKERS",
    ]
