import contextlib
import math
from pathlib import Path

import pytest

from benchmarks.answers import rounds
from benchmarks.answers.__main__ import arguments, main, run
from benchmarks.answers.asking import AskFailed, AskLater
from benchmarks.answers.cases import Case, Expectation
from benchmarks.answers.judging import Said, Verdict
from benchmarks.answers.report import failed, faults, report
from benchmarks.answers.scores import Outcome, score

MACHINE = {
    "at": "now", "processor": "abacus", "cores": 2, "python": "3", "kernel": "6",
    "load_before": "0",
}  # fmt: skip
CASE = Case(
    text="cv.md", ask="How much?", set="dev", kind="plain", expect=Expectation.of({"anyOf": ["36"]})
)


def outcome(
    verdict: Verdict,
    *,
    way: str = "ours",
    seconds: float | None = 1.0,
    nearest: tuple[str, ...] = (),
    fact_is_near: bool = False,
) -> Outcome:
    refuses = verdict in {Verdict.REFUSED, Verdict.INVENTED}
    return Outcome(
        way=way, text="cv.md", set="dev", kind="typo" if not refuses else "secret", ask="hwo?",
        refuses=refuses, answer="so", nearest=nearest, fact_is_near=fact_is_near,
        verdict=verdict, seconds=seconds,
    )  # fmt: skip


def test_shares_are_of_the_questions_of_their_kind() -> None:
    verdicts = (
        Verdict.RIGHT, Verdict.RIGHT, Verdict.UNANSWERED, Verdict.WRONG,
        Verdict.REFUSED, Verdict.INVENTED,
    )  # fmt: skip
    found = score(outcome(verdict, seconds=at) for at, verdict in enumerate(verdicts))
    assert (found.facts, found.right, found.unanswered, found.wrong) == (4, 50, 25, 25)
    assert (found.others, found.refused, found.invented) == (2, 50, 50)
    assert (found.median_seconds, found.p90_seconds) == (2.5, 5)


def test_a_refusal_beside_lines_is_counted_as_what_it_is_and_apart() -> None:
    lines = ("It costs 36.",)
    found = score([
        outcome(Verdict.UNANSWERED, nearest=lines, fact_is_near=True),
        outcome(Verdict.UNANSWERED, nearest=lines),
        outcome(Verdict.WRONG, nearest=lines, fact_is_near=True),
        outcome(Verdict.RIGHT),
        outcome(Verdict.REFUSED, nearest=lines),
        outcome(Verdict.REFUSED),
    ])  # fmt: skip
    assert (found.unanswered, found.near, found.wrong) == (50, 25, 25)
    assert (found.refused, found.beside_lines) == (100, 50)


def test_nothing_asked_is_no_share() -> None:
    assert math.isnan(score([outcome(Verdict.RIGHT)]).refused)


def test_the_report_has_a_row_for_each_way_in_the_order_of_the_run() -> None:
    outcomes = [outcome(Verdict.WRONG, way="original"), outcome(Verdict.RIGHT)]
    page = report(MACHINE, outcomes)
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| o")]
    assert rows == ["original", "ours"] * 2
    assert "| typo |   right |         1 |        0 |  100 |" in page


def test_faults_are_shown_and_good_answers_are_not() -> None:
    shown = faults([outcome(Verdict.RIGHT), outcome(Verdict.INVENTED, nearest=("It is.",))])
    assert shown == "invented [ours, cv.md, dev, secret] hwo?\n    'so'\n    near: 'It is.'"


def test_each_question_is_asked_of_all_ways_before_the_next() -> None:
    asked: list[str] = []

    def way(name: str):  # type: ignore[no-untyped-def]
        def ask(case: Case) -> Said:
            asked.append(f"{name} {case.ask}")
            if name == "b":
                raise AskFailed("503")
            return Said(text="36")

        return lambda text, address: contextlib.nullcontext(ask)

    cases = [
        Case(
            text="cv.md", ask=ask, set="dev", kind="plain", expect=Expectation.of({"anyOf": ["36"]})
        )
        for ask in ("1", "2")
    ]
    found = list(rounds.play(cases, {"a": way("a"), "b": way("b")}, {}))
    assert asked == ["a 1", "b 1", "a 1", "b 1", "a 2", "b 2"]  # the first pair only warms up
    assert [o.verdict for o in found] == [Verdict.RIGHT, Verdict.FAILED] * 2


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds that were slept, for which the clock goes on and nobody waits."""
    found: list[float] = []
    monkeypatch.setattr("time.perf_counter", lambda: 1.0 + sum(found))
    monkeypatch.setattr("time.sleep", found.append)
    return found


def test_who_is_told_to_come_back_asks_again_and_the_wait_is_not_timed(slept: list[float]) -> None:
    refusals = [AskLater("429: too many", 7), AskLater("503: too busy", 1)]

    def ask(case: Case) -> Said:
        if refusals:
            raise refusals.pop(0)
        slept.append(0.25)  # the answer takes its time, too
        return Said(text="36")

    found = rounds.one("served", CASE, ask)
    assert slept == [7, 1, 0.25]
    assert (found.verdict, found.seconds) == (Verdict.RIGHT, 0.25)


@pytest.mark.parametrize(("seconds", "waits"), [(1, [1] * 4), (3600, [])])
def test_who_is_put_off_too_often_or_too_long_has_no_answer(
    seconds: float, waits: list[float], slept: list[float]
) -> None:
    def ask(case: Case) -> Said:
        raise AskLater("429: the budget is spent", seconds)

    found = rounds.one("served", CASE, ask)
    assert (found.verdict, found.answer, found.seconds) == (
        Verdict.FAILED, "429: the budget is spent", None,
    )  # fmt: skip
    assert slept == waits


def test_what_failed_took_no_time_that_counts() -> None:
    outcomes = [outcome(Verdict.RIGHT, seconds=2.0), outcome(Verdict.FAILED, seconds=None)]
    assert score(outcomes).median_seconds == 2
    assert " nan " not in report(MACHINE, outcomes[1:])


def test_a_failed_question_is_told_at_the_end() -> None:
    outcomes = [outcome(Verdict.WRONG), outcome(Verdict.FAILED, seconds=None)]
    assert failed(outcomes) == "1 of 2 questions failed, the first one with: so"
    assert failed(outcomes[:1]) is None


def test_a_run_with_failures_writes_its_page_and_ends_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--url", "http://127.0.0.1:9", "--text", "cv.md", "--set", "dev", "--limit", "2"]
    monkeypatch.setattr("sys.argv", ["bench", *words, "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match="2 of 2 questions failed") as ended:
        main()
    assert ended.value.code not in {0, None}
    assert "served" in (tmp_path / "latest.md").read_text()


def test_what_was_asked_before_a_fault_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(asked: object, outcomes: list[Outcome]) -> None:
        outcomes.append(outcome(Verdict.RIGHT))
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.answers.__main__.run", run)
    monkeypatch.setattr("sys.argv", ["bench", "--out", str(tmp_path)])
    with pytest.raises(KeyboardInterrupt):
        main()
    assert "ours" in (tmp_path / "latest.md").read_text()


def test_a_token_is_for_one_that_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(["--token-file", "token"])
    assert "is for --url" in capsys.readouterr().err


def test_a_served_assistant_has_one_text(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(["--url", "http://127.0.0.1:1"])
    assert "one --text" in capsys.readouterr().err
    found = arguments(["--url", "http://127.0.0.1:1", "--text", "cv.md", "--out", "/nowhere"])
    assert (found.text, found.out) == (["cv.md"], Path("/nowhere"))


def test_questions_for_releases_are_counted_and_not_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert arguments([]).set == ["dev", "held-out", "practice", "matched"]
    assert arguments(["--set", "unseen"]).set == ["unseen"]
    with pytest.raises(SystemExit):
        arguments(["--set", "dev,unseen", "--show"])
    assert "not shown" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--set", "--text", "--way"])
def test_what_is_unknown_is_named(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments([option, "nonesuch"])
    assert f"no such {option.removeprefix('--')}: nonesuch" in capsys.readouterr().err


def test_a_run_without_questions_says_so() -> None:
    with pytest.raises(SystemExit, match="no questions"):
        run(arguments(["--set", "dev", "--text", "desks.md"]), [])
