"""What a question asks for."""

import pytest

from va_assistant.asking import asked
from va_assistant.questions import Turn
from va_assistant.wanted import Wanted


def terms(question: str, *before: str) -> set[str]:
    history = [Turn(role="user", text=text) for text in before]
    return {term.term for term in asked(question, history).terms}


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Who is the owner?", Wanted.WHO),
        ("When was she born?", Wanted.WHEN),
        ("What time do you open?", Wanted.TIME),
        ("address?", Wanted.ADDRESS),
        ("Your phone number, please", Wanted.PHONE),
        ("What's your email?", Wanted.EMAIL),
        ("Where can I find you?", Wanted.ADDRESS),
        ("Where is the station?", Wanted.WHERE),
        ("Which town is it in?", Wanted.WHERE),
        ("How much is a ticket?", Wanted.MONEY),
        ("What does a ticket cost?", Wanted.MONEY),
        ("How many cats are there?", Wanted.COUNT),
        ("How long does it take?", Wanted.DURATION),
        ("How often is it cleaned?", Wanted.FREQUENCY),
        ("How old is she?", Wanted.AGE),
        ("What's the phone number?", Wanted.PHONE),
        ("What is her email address?", Wanted.EMAIL),
        ("Why is it closed?", Wanted.WHY),
        ("Can I pay by card?", Wanted.YES_NO),
        ("My son is ten. May he swim?", Wanted.YES_NO),
        ("Where does Ada work?", Wanted.EMPLOYER),
        ("What is her job?", Wanted.JOB),
    ],
)
def test_a_question_says_which_kind_of_answer_it_wants(question: str, wanted: Wanted) -> None:
    assert asked(question).wanted is wanted


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ("How does he earn his money?", "work"),
        ("What does she do for a living?", "work"),
        ("Do I get my money back?", "refund"),
        ("Can I work from home?", "remot"),
        ("How do I get in touch?", "contact"),
    ],
)
def test_a_turn_of_phrase_becomes_the_word_of_texts(question: str, term: str) -> None:
    assert term in terms(question)
    assert "money" not in terms(question)


def test_the_thing_that_is_counted_is_known() -> None:
    assert asked("How many different languages does she speak?").counted == "languag"


def test_a_follow_up_takes_the_words_of_the_question_before() -> None:
    assert "kayak" in terms("And how much is it?", "Do you rent out kayaks?")
    assert "open" in terms("And on Sundays?", "When do you open on weekdays?")


def test_a_question_that_stands_alone_takes_nothing() -> None:
    assert "kayak" not in terms("When does the bicycle repair shop open?", "Do you rent kayaks?")


def test_what_the_assistant_said_is_not_searched_for() -> None:
    history = [Turn(role="user", text="Do you rent kayaks?"), Turn(role="assistant", text="Sauna.")]
    assert "sauna" not in {term.term for term in asked("How much is it?", history).terms}


def test_another_name_takes_the_place_of_the_one_before() -> None:
    found = terms("And what about Bob?", "Where does Alice live?")
    assert {"bob", "live"} <= found
    assert "alic" not in found


@pytest.mark.parametrize(
    "question", ["What is this about?", "Summarize the text", "What can I ask?", "tl;dr"]
)
def test_it_is_seen_when_an_overview_is_wanted(question: str) -> None:
    assert asked(question).is_overview


def test_the_price_of_what_something_is_about_is_no_overview() -> None:
    assert not asked("What is this about the price?").is_overview


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Where do we meet when there is a fire?", Wanted.WHERE),
        ("What do I get per mile when I use my own car?", Wanted.MONEY),
        ("wen do I have to pay", Wanted.WHEN),
        ("How much vacation do I get?", Wanted.DURATION),
        ("How much flour do I get?", Wanted.AMOUNT),
        ("How much is a vacation?", Wanted.MONEY),
        ("How high is the deposit?", Wanted.MONEY),
        ("How high is the tower?", Wanted.DISTANCE),
        ("How heavy is the lens?", Wanted.WEIGHT),
        ("Which street does he live in?", Wanted.ADDRESS),
        ("From which age may one swim?", Wanted.AGE),
        ("How can I reach her?", Wanted.CONTACT),
        ("What are the names of her sons?", Wanted.NAME),
        ("What does a baker earn?", Wanted.MONEY),
        ("Who chairs the works council?", Wanted.WHO),
    ],
)
def test_the_main_clause_says_what_is_wanted(question: str, wanted: Wanted) -> None:
    assert asked(question).wanted is wanted


def test_the_person_of_a_job_question_is_searched_for() -> None:
    assert "wife" in terms("What does his wife do for a living?")


def test_a_part_that_a_follow_up_replaces_is_not_asked_for() -> None:
    found = terms("and for a week?", "How much is a boat for three days?")
    assert {"week", "boat"} <= found
    assert not {"3", "day"} & found


def test_what_the_answer_is_not_is_left_out() -> None:
    question = asked("Where did she work before Acme?")
    assert question.excluded == {"acme"}
    assert "acme" not in {term.term for term in question.terms}
