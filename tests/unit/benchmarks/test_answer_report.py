import contextlib
import math
from pathlib import Path

import pytest

from benchmarks.answers import rounds
from benchmarks.answers.__main__ import arguments, run
from benchmarks.answers.asking import AskFailed
from benchmarks.answers.cases import Case, Expectation
from benchmarks.answers.judging import Said, Verdict
from benchmarks.answers.report import faults, report
from benchmarks.answers.scores import Outcome, score

MACHINE = {"at": "now", "processor": "abacus", "cores": 2, "python": "3", "load_before": "0"}


def outcome(verdict: Verdict, *, way: str = "ours", seconds: float = 1.0) -> Outcome:
    refuses = verdict in {Verdict.REFUSED, Verdict.INVENTED}
    return Outcome(
        way=way, text="cv.md", set="dev", kind="typo" if not refuses else "secret", ask="hwo?",
        refuses=refuses, answer="so", verdict=verdict, seconds=seconds,
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


def test_nothing_asked_is_no_share() -> None:
    assert math.isnan(score([outcome(Verdict.RIGHT)]).refused)


def test_the_report_has_a_row_for_each_way_in_the_order_of_the_run() -> None:
    outcomes = [outcome(Verdict.WRONG, way="original"), outcome(Verdict.RIGHT)]
    page = report(MACHINE, outcomes)
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| o")]
    assert rows == ["original", "ours"] * 2
    assert "| typo |   right |         1 |        0 |  100 |" in page


def test_faults_are_shown_and_good_answers_are_not() -> None:
    shown = faults([outcome(Verdict.RIGHT), outcome(Verdict.INVENTED)])
    assert shown == "invented [ours, cv.md, dev, secret] hwo?\n    'so'"


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


def test_a_served_assistant_has_one_text(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(["--url", "http://127.0.0.1:1"])
    assert "one --text" in capsys.readouterr().err
    found = arguments(["--url", "http://127.0.0.1:1", "--text", "cv.md", "--out", "/nowhere"])
    assert (found.text, found.out) == (["cv.md"], Path("/nowhere"))


def test_questions_for_releases_are_counted_and_not_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert arguments([]).set == ["dev", "held-out"]
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
        run(arguments(["--set", "dev", "--text", "desks.md"]))
