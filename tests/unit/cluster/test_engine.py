import json
import os
from pathlib import Path

import pytest

from va_cluster import engine
from va_cluster.cache import Cache
from va_cluster.engine import Engine, Record
from va_cluster.errors import Unsupported
from va_cluster.process import Process, identify
from va_cluster.shell import Result

from .fakes import FAILED, OK, Answer, shell

VERSION = Result(0, "26.1.5\n", "")
DEAD = Process(2**22 + 1, 1, "boot")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", on_wait=lambda name: None)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def ourselves() -> Process:
    process = identify(os.getpid())
    assert process is not None
    return process


def answering() -> Answer:
    return lambda argv: VERSION


def silent() -> Answer:
    return lambda argv: FAILED


def test_an_answering_docker_is_used_as_it_is(cache: Cache, run: Path) -> None:
    found = engine.find(shell(answering()), cache, run)
    assert found is not None
    assert not found.private
    assert found.version == "26.1.5"
    assert "DOCKER_BUILDKIT" not in found.shell.environment


def test_the_engine_that_we_started_goes_first(cache: Cache, run: Path) -> None:
    engine.write_record(Record(ourselves(), str(cache.root)), run)
    found = engine.find(shell(answering()), cache, run)
    assert found is not None
    assert found.private
    assert found.shell.environment["DOCKER_HOST"] == f"unix://{run}/docker.sock"
    assert found.shell.environment["DOCKER_BUILDKIT"] == "0"


def test_a_chosen_docker_host_goes_before_ours(cache: Cache, run: Path) -> None:
    engine.write_record(Record(ourselves(), str(cache.root)), run)
    environment = {"DOCKER_HOST": "tcp://elsewhere"}
    found = engine.find(shell(answering(), environment=environment), cache, run)
    assert found is not None
    assert not found.private


def test_a_chosen_docker_host_that_is_silent_is_named(cache: Cache, run: Path) -> None:
    with pytest.raises(Unsupported, match="tcp://elsewhere"):
        engine.find(shell(silent(), environment={"DOCKER_HOST": "tcp://elsewhere"}), cache, run)


def test_an_old_address_of_ours_is_no_wish(cache: Cache, run: Path) -> None:
    environment = {"DOCKER_HOST": engine.socket(run)}
    assert engine.find(shell(silent(), environment=environment), cache, run) is None


def test_a_dead_engine_is_none(cache: Cache, run: Path) -> None:
    engine.write_record(Record(DEAD, str(cache.root)), run)
    assert engine.find(shell(silent()), cache, run) is None


def test_one_private_engine_on_a_machine(cache: Cache, run: Path) -> None:
    engine.write_record(Record(ourselves(), "/other/cache"), run)
    with pytest.raises(Unsupported, match="/other/cache"):
        engine.find(shell(answering()), cache, run)


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"process": {}, "cache": "x"})])
def test_a_damaged_record_is_none(run: Path, text: str) -> None:
    (run / "engine.json").write_text(text)
    assert engine.read_record(run) is None


def test_the_remains_of_a_killed_engine_are_cleared(run: Path) -> None:
    for name in ("dockerd.pid", "docker.sock", "engine.json"):
        (run / name).write_text("1")
    engine.clear_dead(run)
    engine.clear_dead(run)
    assert list(run.iterdir()) == []


def test_stopping_leaves_another_process_with_the_old_id_alone(run: Path) -> None:
    us = ourselves()
    engine.write_record(Record(Process(us.pid, us.start_time - 1, us.boot), "c"), run)
    assert engine.stop_private(run) is False
    assert not run.exists()


def test_nodes_of_a_killed_engine_are_removed() -> None:
    fake = shell(lambda argv: Result(0, "1a\n2b\n", "") if "ps" in argv else OK)
    engine.remove_remains(Engine(private=True, version="26", shell=fake))
    assert fake.ran[-1] == ("docker", "rm", "--force", "--volumes", "1a", "2b")


def test_the_daemon_keeps_to_its_own_folders_and_the_host_s_runc(cache: Cache, run: Path) -> None:
    words = engine.daemon_command(cache, "/usr/sbin/runc", run)
    assert words[0] == "dockerd"
    assert f"{cache.root}/engine/data" in words
    assert f"unix://{run}/docker.sock" in words
    assert "host=/usr/sbin/runc" in words
    assert words[words.index("--default-runtime") + 1] == "host"
