"""What was seen, in the face of late, repeated and missing news."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import (
    NAMESPACE,
    a_config_map,
    a_pod,
    an_assistant,
    an_assistant_body,
    child_metadata,
    config_map_facts,
    referring,
)
from va_operator.api import Key
from va_operator.observed import Pod, read_child, read_config_map
from va_operator.store import GONE_KEPT, Shelf, Store

ADA, BOB = Key(NAMESPACE, "ada"), Key(NAMESPACE, "bob")


def a_shelf(*pods: Pod) -> Shelf[Pod]:
    shelf: Shelf[Pod] = Shelf(lambda pod: (pod.assistant,))
    for pod in pods:
        shelf.remember(pod)
    return shelf


def everywhere(_: Key) -> bool:
    return True


def test_news_names_the_assistant_it_is_about() -> None:
    assert a_shelf().remember(a_pod()) == (ADA,)


def test_the_same_again_is_no_news() -> None:
    assert a_shelf(a_pod()).remember(a_pod()) == ()


def test_an_older_version_is_ignored() -> None:
    shelf = a_shelf(a_pod(version=7))

    assert shelf.remember(a_pod(version=6, ready=False)) == ()
    assert shelf.of(ADA)[0].ready


def test_versions_are_numbers_and_not_texts() -> None:
    assert a_shelf(a_pod(version=9)).remember(a_pod(version=10)) == (ADA,)


def test_a_change_of_assistant_touches_both() -> None:
    touched = a_shelf(a_pod()).remember(a_pod(assistant="bob", version=6))
    assert set(touched) == {ADA, BOB}


def test_a_new_namesake_takes_the_place() -> None:
    shelf = a_shelf(a_pod())
    namesake = replace(a_pod(version=8), uid="new")

    assert shelf.remember(namesake) == (ADA,)
    assert shelf.get(namesake.key) == namesake


def test_the_late_deletion_of_an_old_object_spares_its_namesake() -> None:
    namesake = replace(a_pod(version=8), uid="new")
    shelf = a_shelf(a_pod(), namesake)

    assert shelf.see(a_pod(version=9), deleted=True) == ()
    assert shelf.get(namesake.key) == namesake


def test_late_news_of_an_old_object_does_not_replace_its_namesake() -> None:
    namesake = replace(a_pod(version=8), uid="new")
    shelf = a_shelf(namesake)

    assert shelf.remember(a_pod(version=7)) == ()
    assert shelf.get(namesake.key) == namesake


def test_an_answer_that_comes_after_the_deletion_brings_nothing_back() -> None:
    shelf = a_shelf(a_pod(version=5))
    shelf.see(a_pod(version=7), deleted=True)

    assert shelf.remember(a_pod(version=6)) == ()
    assert shelf.get(a_pod().key) is None


def test_what_is_made_anew_after_a_deletion_is_news() -> None:
    shelf = a_shelf(a_pod(version=5))
    shelf.see(a_pod(version=7), deleted=True)

    assert shelf.remember(replace(a_pod(version=8), uid="new")) == (ADA,)


def test_only_so_many_deletions_are_remembered() -> None:
    shelf = a_shelf()
    for number in range(GONE_KEPT + 10):
        pod = a_pod(name=f"ada-{number}")
        shelf.remember(pod)
        shelf.see(replace(pod, resource_version="6"), deleted=True)
    assert len(shelf._gone) == GONE_KEPT


def test_a_deletion_of_the_unknown_is_no_news_but_nothing_older_brings_it_back() -> None:
    shelf = a_shelf()
    assert shelf.see(a_pod(version=7), deleted=True) == ()
    assert shelf.see(a_pod(version=5), deleted=True) == ()
    assert shelf.remember(a_pod(version=6)) == ()
    assert shelf.remember(replace(a_pod(version=8), uid="new")) == (ADA,)


def test_older_news_of_an_assistant_that_is_already_forgotten_brings_nothing_back() -> None:
    store = Store()
    store.forget_assistant(ADA, an_assistant().uid, version="12")
    assert store.remember_assistant(an_assistant_body(version=11)) == ()


def test_a_list_replaces_what_was_known() -> None:
    old, gone, new = a_pod(name="old"), a_pod(name="gone", assistant="bob"), a_pod(name="new")
    shelf = a_shelf(old, gone)

    assert shelf.replace([old, new], version="9", within=everywhere) == {ADA, BOB}
    assert {pod.key.name for pod in shelf} == {"old", "new"}
    assert shelf.of(BOB) == ()


def test_a_list_of_one_namespace_leaves_the_others_alone() -> None:
    elsewhere = replace(a_pod(), key=Key("elsewhere", "ada-1"))
    shelf = a_shelf(elsewhere)

    shelf.replace([], version="9", within=lambda key: key.namespace == NAMESPACE)
    assert shelf.get(elsewhere.key) == elsewhere


def test_what_a_list_missed_comes_back_by_the_watch() -> None:
    shelf = a_shelf(a_pod(version=100))
    shelf.replace([], version="100", within=everywhere)
    assert shelf.remember(a_pod(version=100)) == (ADA,)


@pytest.mark.parametrize("listed", [(), (a_pod(version=7, ready=False),)])
def test_what_is_newer_than_a_list_stays(listed: tuple[Pod, ...]) -> None:
    shelf = a_shelf(a_pod(version=9))
    assert shelf.replace(listed, version="8", within=everywhere) == set()
    assert shelf.of(ADA)[0].ready


def test_what_went_after_a_list_is_not_brought_back_by_it() -> None:
    shelf = a_shelf(a_pod(version=7))
    shelf.see(a_pod(version=9), deleted=True)
    assert shelf.replace([a_pod(version=7)], version="8", within=everywhere) == set()
    assert len(shelf) == 0


def test_a_list_of_a_restored_etcd_brings_back_what_is_older() -> None:
    older, gone = a_pod(version=5, ready=False), a_pod(name="gone", version=5)
    shelf = a_shelf(a_pod(version=9), gone)
    shelf.see(replace(gone, resource_version="8"), deleted=True)

    assert shelf.replace([older, gone], version="10", within=everywhere) == {ADA}
    assert shelf.get(older.key) == older
    assert shelf.get(gone.key) == gone


def test_a_list_that_shows_what_is_known_is_no_news() -> None:
    assert a_shelf(a_pod()).replace([a_pod()], version="9", within=everywhere) == set()


def test_objects_are_returned_by_name() -> None:
    shelf = a_shelf(a_pod(name="b"), a_pod(name="a"))
    assert [pod.key.name for pod in shelf.of(ADA)] == ["a", "b"]
    assert len(shelf) == 2


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]), st.sampled_from(["ada", "bob"]), st.integers(1, 9),
            st.sampled_from(["u1", "u2"]), st.booleans(),
        ),
        max_size=30,
    )
)  # fmt: skip
def test_the_index_always_agrees_with_the_items(
    events: list[tuple[str, str, int, str, bool]],
) -> None:
    shelf = a_shelf()
    for name, assistant, version, uid, deleted in events:
        pod = replace(a_pod(name=name, assistant=assistant, version=version), uid=uid)
        shelf.see(pod, deleted=deleted)
    for key in (ADA, BOB):
        assert set(shelf.of(key)) == {pod for pod in shelf if pod.assistant == key}


def test_a_config_map_knows_who_refers_to_it() -> None:
    store = Store()
    store.remember_assistant(an_assistant_body(context=referring("cv", "prices")))
    store.remember_assistant(an_assistant_body("bob", uid="b", context=referring("cv")))

    assert set(store.referrers(Key(NAMESPACE, "cv"))) == {ADA, BOB}
    assert store.referrers(Key(NAMESPACE, "prices")) == (ADA,)
    assert store.referrers(Key("elsewhere", "cv")) == ()


def test_a_reference_that_is_given_up_is_forgotten() -> None:
    store = Store()
    store.remember_assistant(an_assistant_body(context=referring("cv")))
    store.remember_assistant(an_assistant_body(version=11, context=referring("other")))
    assert store.referrers(Key(NAMESPACE, "cv")) == ()

    store.forget_assistant(ADA, an_assistant().uid)
    assert store.referrers(Key(NAMESPACE, "other")) == ()
    assert store._referrers == {}


def test_older_news_of_an_assistant_changes_no_reference() -> None:
    store = Store()
    store.remember_assistant(an_assistant_body(version=11, context=referring("new")))
    store.remember_assistant(an_assistant_body(version=10, context=referring("old")))
    assert store.referrers(Key(NAMESPACE, "new")) == (ADA,)


def test_the_late_deletion_of_a_namesake_spares_the_assistant() -> None:
    store = Store()
    store.remember_assistant(an_assistant_body(uid="new"))

    assert store.forget_assistant(ADA, "old") == ()
    assert store.assistants.get(ADA) is not None


def test_a_status_answer_after_the_deletion_brings_no_assistant_back() -> None:
    store = Store()
    store.remember_assistant(an_assistant_body(version=10))
    store.forget_assistant(ADA, an_assistant().uid, version="12")

    store.remember_written(an_assistant_body(version=11))
    assert store.assistants.get(ADA) is None


def test_the_sources_of_an_assistant_are_named_even_where_there_are_none() -> None:
    store = Store()
    store.sources.remember(read_config_map(a_config_map("cv")))
    sources = store.sources_of(an_assistant(context=referring("cv", "gone")))

    assert sources["cv"] is not None
    assert sources["gone"] is None


@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_what_was_written_is_known_at_once(kind: str) -> None:
    store = Store()
    body = {"kind": kind, "metadata": child_metadata()}
    store.remember_written(body)

    shelf = store.deployments if kind == "Deployment" else store.services
    assert shelf.get(ADA) == read_child(body)


def test_a_written_revision_is_known_by_its_assistant() -> None:
    store = Store()
    store.revisions.remember(config_map_facts("aaaaaaaaaa"))
    assert [found.revision for found in store.revisions.of(ADA)] == ["aaaaaaaaaa"]


def test_a_text_is_kept_as_long_as_somebody_refers_to_it() -> None:
    store = Store()
    store.remember_assistant(an_assistant_body(version=1, context=referring("cv")))
    store.remember_assistant(an_assistant_body("bob", uid="b", version=1, context=referring("cv")))
    cv = Key(NAMESPACE, "cv")
    store.sources.remember(read_config_map(a_config_map("cv")))

    store.remember_assistant(an_assistant_body(version=2, context=referring("cv"), replicas=1))
    store.remember_assistant(an_assistant_body(version=3, context=referring("other")))
    assert store.sources.get(cv)
    store.forget_assistant(Key(NAMESPACE, "bob"), "b")
    assert store.sources.get(cv) is None
    assert store.referrers(cv) == ()
    assert store.referrers(Key(NAMESPACE, "other")) == (Key(NAMESPACE, "ada"),)


def test_a_text_that_its_only_reader_goes_on_with_is_kept() -> None:
    store = Store()
    store.remember_assistant(an_assistant_body(version=1, context=referring("cv")))
    store.sources.remember(read_config_map(a_config_map("cv")))
    store.remember_assistant(an_assistant_body(version=2, context=referring("cv"), replicas=1))
    assert store.sources.get(Key(NAMESPACE, "cv"))
