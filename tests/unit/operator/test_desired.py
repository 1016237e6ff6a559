"""What should exist, what must be deleted, and what stays when the context is missing."""

import json
from dataclasses import replace
from pathlib import Path

from support.builders import (
    IMAGES,
    OPENAI,
    a_deployment,
    a_pod,
    an_assistant,
    config_map_facts,
    the_revision,
)
from va_operator.desired import desired_deployment, holds, outdated_revisions
from va_operator.observed import read_child
from va_operator.owned import same

SAMPLES = json.loads((Path(__file__).parents[2] / "support" / "managed_fields.json").read_text())


def test_without_a_context_the_pods_stay_and_only_their_number_follows() -> None:
    seen = read_child(SAMPLES["foreign"])
    assistant = an_assistant(namespace="t1", model=OPENAI, replicas=5)

    wanted = desired_deployment(assistant, None, IMAGES, seen)

    assert wanted is not None
    assert wanted["spec"]["replicas"] == 5
    assert wanted["metadata"]["name"] == "ada"
    assert wanted["spec"]["template"] == seen.owned["spec"]["template"]
    assert not same(wanted, seen.owned)


def test_without_a_context_and_a_change_nothing_is_written() -> None:
    seen = read_child(SAMPLES["plain"])
    wanted = desired_deployment(an_assistant(namespace="t1", replicas=0), None, IMAGES, seen)
    assert wanted is not None
    assert same(wanted, seen.owned)


def test_without_a_context_a_suspended_assistant_has_no_pods() -> None:
    seen = read_child(SAMPLES["plain"])
    wanted = desired_deployment(an_assistant(suspend=True), None, IMAGES, seen)
    assert wanted is not None
    assert wanted["spec"]["replicas"] == 0


def test_without_a_context_there_are_no_first_pods() -> None:
    assert desired_deployment(an_assistant(), None, IMAGES, None) is None
    assert desired_deployment(an_assistant(), None, IMAGES, a_deployment()) is None


ADA = an_assistant()
DESIRED = the_revision(ADA)
OLD = [config_map_facts(f"old{n}", created=f"2026-01-0{n}T00:00:00Z") for n in range(1, 7)]


def test_the_newest_three_old_revisions_stay() -> None:
    existing = [config_map_facts(DESIRED.id, created="2026-01-09T00:00:00Z"), *reversed(OLD)]
    assert outdated_revisions(ADA, DESIRED, existing, ()) == tuple(OLD[:3])


def test_a_revision_that_pods_were_made_from_stays_however_old() -> None:
    pods = [a_pod("old1"), a_pod("old3", name="ada-2", deleting=True)]
    assert outdated_revisions(ADA, DESIRED, OLD, pods) == (OLD[1],)


def test_a_revision_that_pods_use_stays_also_without_its_label() -> None:
    existing = [replace(found, revision=None) for found in OLD]
    outdated = outdated_revisions(ADA, DESIRED, existing, [a_pod("old1")])
    assert [found.key.name for found in outdated] == ["ada-old2", "ada-old3"]


def test_the_desired_revision_stays_even_if_it_is_the_oldest() -> None:
    existing = [config_map_facts(DESIRED.id, created="2025-01-01T00:00:00Z"), *OLD[:3]]
    assert outdated_revisions(ADA, DESIRED, existing, ()) == ()


def test_what_belongs_to_somebody_else_is_never_deleted() -> None:
    foreign = [config_map_facts(f"old{n}", owner="somebody") for n in range(6)]
    assert outdated_revisions(ADA, DESIRED, foreign, ()) == ()


def test_a_revision_is_there_only_with_our_owner() -> None:
    assert holds(ADA, DESIRED, [config_map_facts(DESIRED.id)])
    assert not holds(ADA, DESIRED, [config_map_facts(DESIRED.id, owner="an earlier namesake")])
    assert not holds(ADA, DESIRED, [])
