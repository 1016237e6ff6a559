"""What an answer may state, and what is dropped."""

import pytest

from va_assistant.grounding import LONGEST_SENTENCE, Grounds, finished, says_nothing, split
from va_assistant.passages import Sentence

LINES = (
    Sentence(file="cv.md", line=3, text="Ada worked at Norconsult from 2012 to 2016."),
    Sentence(file="cv.md", line=5, text="She does not eat meat."),
    Sentence(file="cv.md", line=9, text="Her dog is called Pixel and weighs 12 kg."),
)
FAR = Sentence(file="cv.md", line=20, text="Since 2017 she is with Fjordspan in Bergen.")


def strict(question: str = "Where did Ada work?", lines: tuple[Sentence, ...] = LINES) -> Grounds:
    return Grounds(question, (), lines, strict=True)


def tolerant(question: str = "Where did Ada work?") -> Grounds:
    texts = [line.text for line in (*LINES, FAR)]
    return Grounds(question, (), (*LINES, FAR), texts=texts, strict=False)


def test_what_the_lines_say_is_supported_and_they_are_named() -> None:
    verdict = strict().check("She worked at Norconsult.")
    assert verdict.is_supported
    assert [source.line for source in verdict.sources] == [3]


@pytest.mark.parametrize("grounds", [strict(), tolerant()], ids=["small", "large"])
@pytest.mark.parametrize(
    "invented",
    [
        "She worked at Statkraft.",
        "She worked at Norconsult from 2013 to 2016.",
        "Ada earned 5000 EUR at Norconsult.",
        "Write to ada@invented.example.",
        "She worked at Norconsult until 17:30.",
    ],
)
def test_a_name_or_a_number_from_nowhere_is_not(grounds: Grounds, invented: str) -> None:
    assert not grounds.check(invented).is_supported


def test_a_small_model_may_not_take_a_fact_of_a_line_that_does_not_answer() -> None:
    assert not strict().check("She worked at Fjordspan.").is_supported
    assert tolerant().check("She worked at Fjordspan.").is_supported


def test_a_small_model_may_not_turn_a_no_into_a_yes() -> None:
    grounds = strict("Does she eat meat?", LINES[1:2])
    assert not grounds.check("She does eat meat, and she does so always.").is_supported


def test_a_small_model_that_only_repeats_the_question_answers_nothing() -> None:
    assert not strict().check("Where did Ada work.").is_supported


def test_a_large_model_may_use_its_own_words() -> None:
    assert tolerant().check("Her employer back then was Norconsult, for some years.").is_supported


def test_a_large_model_may_count_what_it_lists() -> None:
    assert tolerant().check("There are 2: Norconsult and Fjordspan.").is_supported
    assert not tolerant().check("There are 3: Norconsult and Fjordspan.").is_supported


def test_a_large_model_may_answer_in_another_language_but_not_with_other_numbers() -> None:
    assert tolerant().check("Sie arbeitete von 2012 bis 2016 in der Firma Norconsult.").is_supported
    assert not tolerant().check("Sie arbeitete bis 2015 in der Firma und das war es.").is_supported


def test_what_only_the_question_has_may_be_denied_but_not_affirmed() -> None:
    grounds = tolerant("Did she work at Statkraft in 2015?")
    assert grounds.check("She did not work at Statkraft in 2015.").is_supported
    assert grounds.check("No, neither at Statkraft nor in 2015.").is_supported
    assert not grounds.check("She worked at Statkraft.").is_supported
    assert not grounds.check("No, she worked at Statkraft.").is_supported
    assert not grounds.check("Yes, she did.").is_supported
    assert tolerant("Did she work at Norconsult in 2012?").check("Yes, she did.").is_supported


def test_a_bare_yes_states_what_is_asked() -> None:
    assert tolerant("Does she have a dog?").check("Yes.").is_supported
    assert not tolerant("Is she a dentist?").check("Yes.").is_supported
    assert not tolerant("Is she a dentist?").check("Yes, she is.").is_supported
    assert tolerant("Is she a dentist?").check("No, she is not.").is_supported


def test_a_source_has_a_fact_that_the_question_does_not_have() -> None:
    def lines(sentence: str) -> list[int]:
        return [source.line for source in tolerant().check(sentence).sources]

    assert lines("From 2012 to 2016 Ada was with Norconsult.") == [3]
    assert lines("She was at Norconsult first and then moved to Bergen.") == [3, 20]
    assert lines("The dog is called Pixel.") == [9]


@pytest.mark.parametrize("sentence", ["No, she is not.", "Sie arbeitet gern mit anderen."])
def test_no_source_is_named_for_what_no_line_has(sentence: str) -> None:
    verdict = tolerant().check(sentence)
    assert verdict.is_supported
    assert verdict.sources == ()


@pytest.mark.parametrize(
    "answer",
    [
        "The text does not say that.",
        "the text does not mention her salary",
        "I don't know.",
        "That is not stated in the text.",
        "Ask the office.",
    ],
)
def test_it_is_seen_when_a_model_has_no_answer(answer: str) -> None:
    assert says_nothing(answer, "Ask the office.")


def test_an_answer_about_what_is_not_done_is_one() -> None:
    assert not says_nothing("She does not eat meat.", "The text does not say that.")


def test_an_answer_is_cut_into_its_sentences_without_loss() -> None:
    answer = "One is here. Two is there.\n\nThree."
    assert "".join(split(answer)) == answer
    assert len(split(answer)) == 3


def test_only_whole_sentences_are_finished() -> None:
    assert finished("Ada works at") == 0
    assert finished("Ada works. She") == len("Ada works. ")
    assert finished("x" * (LONGEST_SENTENCE + 1)) == LONGEST_SENTENCE + 1
