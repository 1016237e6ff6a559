import json
from pathlib import Path

from benchmarks.operator.sightings import Seen, Sightings, Story

KIND = "VirtualAssistant"


def own(at: float, event: str, generation: int, observed: int, *true: str) -> Seen:
    facts = {"generation": generation, "observed": observed, "true": list(true)}
    return Seen(at, KIND, event, "bench", "ada", facts)


def child(at: float, kind: str, event: str) -> Seen:
    return Seen(at, kind, event, "bench", "ada", {"generation": 0})


def test_a_creation_is_told_from_its_event_to_its_status() -> None:
    story = Story((
        own(1.0, "ADDED", 1, 0),
        child(1.2, "ConfigMap", "ADDED"),
        child(1.5, "Deployment", "ADDED"),
        own(1.7, "MODIFIED", 1, 1),
        own(1.9, "MODIFIED", 1, 1, "Available"),
    ))  # fmt: skip
    assert story.asked_at == 1.0
    assert story.written_at(["ConfigMap", "Deployment"]) == 1.5
    assert story.status_at == 1.7
    assert story.true_at("Available") == 1.9
    assert story.child_writes() == 2


def test_what_is_not_written_yet_has_no_moment() -> None:
    story = Story((own(1.0, "ADDED", 1, 0), child(1.2, "ConfigMap", "ADDED")))
    assert story.written_at(["ConfigMap", "Deployment"]) is None
    assert story.status_at is None
    assert story.true_at("Available") is None


def test_a_status_of_the_generation_before_does_not_count() -> None:
    story = Story((own(5.0, "MODIFIED", 2, 1), own(5.5, "MODIFIED", 2, 2)))
    assert story.asked_at == 5.0
    assert story.status_at == 5.5


def test_all_is_gone_when_a_child_of_each_kind_is() -> None:
    half = Story((own(1.0, "DELETED", 1, 1), child(1.4, "Service", "DELETED")))
    assert half.gone_at(["Service", "ConfigMap"]) is None
    whole = Story((*half.events, child(1.6, "ConfigMap", "DELETED")))
    assert whole.gone_at(["Service", "ConfigMap"]) == 1.6


def test_the_file_is_read_as_it_grows_and_never_half_a_line(tmp_path: Path) -> None:
    file = tmp_path / "sightings.jsonl"
    lines = [
        json.dumps([0.5, KIND, "FOLLOWED", "", "", {}]),
        json.dumps(list(own(1.0, "ADDED", 1, 0))),
        json.dumps(list(child(2.0, "Service", "ADDED"))),
    ]
    text = "\n".join(lines) + "\n"
    sightings = Sightings(file)
    for end in (len(lines[0]) + 10, len(text) - 5, len(text)):
        file.write_text(text[:end])
        sightings.read()
    assert sightings.followed == {KIND}
    assert [seen.at for seen in sightings.stories("bench")["ada"].events] == [1.0, 2.0]
    assert sightings.stories("bench", since=1.5)["ada"].asked_at is None
    assert sightings.stories("bench", only="bob") == {}
