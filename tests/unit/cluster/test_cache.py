import multiprocessing
import time
from pathlib import Path

import pytest

from va_cluster.cache import UNFINISHED, Cache, Entry, recipe_key

ENTRY = Entry("binaries", "kind", "v1-abc")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path, on_wait=lambda name: None)


def fill(folder: Path) -> None:
    (folder / "program").write_text("whole")


def test_what_is_there_is_not_built_again(cache: Cache) -> None:
    first = cache.ensure(ENTRY, fill)
    again = cache.ensure(ENTRY, lambda folder: pytest.fail("built again"))
    assert first == again == cache.root / "binaries/kind/v1-abc"
    assert (first / "program").read_text() == "whole"


def test_a_build_that_fails_leaves_nothing(cache: Cache) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise RuntimeError("no network")

    with pytest.raises(RuntimeError):
        cache.ensure(ENTRY, fail)
    assert not cache.has(ENTRY)
    assert list(cache.path(ENTRY).parent.iterdir()) == []


def test_what_a_killed_build_left_is_not_taken_for_whole(cache: Cache) -> None:
    left = cache.path(ENTRY).parent / f"{UNFINISHED}v1-abc"
    left.mkdir(parents=True)
    (left / "half").write_text("ha")
    assert not cache.has(ENTRY)
    cache.ensure(ENTRY, fill)
    assert [path.name for path in cache.path(ENTRY).iterdir()] == ["program"]
    assert not left.exists()


def test_a_changed_recipe_replaces_what_the_old_one_made(cache: Cache) -> None:
    other_name = Entry("binaries", "kubectl", "v1-abc")
    cache.ensure(ENTRY, fill)
    cache.ensure(other_name, fill)
    newer = Entry("binaries", "kind", "v2-def")
    cache.ensure(newer, fill)
    assert cache.has(newer)
    assert not cache.has(ENTRY)
    assert cache.has(other_name)


def test_the_key_changes_with_every_part_and_their_borders() -> None:
    keys = {
        recipe_key("v1"),
        recipe_key("v2"),
        recipe_key("v1", "a"),
        recipe_key("v1", "ab", "c"),
        recipe_key("v1", "a", "bc"),
        recipe_key("v1", b"abc"),
    }
    assert len(keys) == 6
    assert recipe_key("v1", "a") == recipe_key("v1", b"a")


def test_scratch_is_empty_at_the_start_and_gone_at_the_end(cache: Cache) -> None:
    left = cache.root / "scratch/rootfs/half/etc"
    left.mkdir(parents=True)
    with cache.scratch("rootfs") as folder:
        assert list(folder.iterdir()) == []
        (folder / "file").write_text("x")
    assert not folder.exists()


def build_slowly(root: Path) -> None:
    def build(folder: Path) -> None:
        time.sleep(0.3)
        with (root / "builds").open("a") as file:
            file.write("built\n")
        fill(folder)

    Cache(root, on_wait=lambda name: None).ensure(ENTRY, build)


def test_two_runs_at_once_build_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    runs = [context.Process(target=build_slowly, args=(tmp_path,)) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0]
    assert (tmp_path / "builds").read_text() == "built\n"


def hold_lock(root: Path) -> None:
    with Cache(root, on_wait=lambda name: None).lock("engine"):
        (root / "held").touch()
        time.sleep(60)


def test_the_lock_of_a_killed_run_is_free(tmp_path: Path) -> None:
    run = multiprocessing.get_context("fork").Process(target=hold_lock, args=(tmp_path,))
    run.start()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    run.kill()
    run.join()
    waited: list[str] = []
    with Cache(tmp_path, waited.append).lock("engine"):
        assert waited == []
