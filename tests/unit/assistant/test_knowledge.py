"""What is found in the texts for a question, without any model."""

import time

import pytest

from va_assistant.answerability import Refusal
from va_assistant.knowledge import Knowledge
from va_assistant.questions import Turn
from va_assistant.revision import ContextFile, Provider, Revision, model_settings

CV = """\
# Ines Varga

Ines Varga is a glass blower. She lives in Pecs with her cat Mokka.

## Work

### Master, Studio Lumen (2017-present)

She leads a workshop of five people.

### Assistant, Glashaus Kiel (2012-2016)

She made lamps.

## Studies

She has a degree in ceramics from Budapest.
"""
PRICES = """\
# Prices

| Item | Half day | Full day |
|---|---|---|
| Canoe | 28 EUR | 45 EUR |
| E-bike | 25 EUR | 38 EUR |

Helmets are included. Dogs are not allowed in kayaks.

## Hours

- May to September: daily 9:00-18:00
- October to April: closed

**Do you give refunds?**
Up to 24 hours before the start you get everything back.
"""


def knowledge(**texts: str) -> Knowledge:
    files = tuple(ContextFile(name=f"{name}.md", text=text) for name, text in texts.items())
    model = model_settings(provider=Provider.EMBEDDED, name="m", base_url=None)
    return Knowledge(Revision(name="r", instructions=None, files=files, model=model))


BOTH = knowledge(cv=CV, prices=PRICES)


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Where does Ines live?", "She lives in Pecs with her cat Mokka."),
        ("Does Ines have a pet?", "She lives in Pecs with her cat Mokka."),
        ("Who employed her in 2014?", "Assistant, Glashaus Kiel (2012-2016)"),
        ("How many people are in her workshop?", "She leads a workshop of five people."),
        ("What did she sutdy?", "She has a degree in ceramics from Budapest."),
        ("How much is a canoe for a whole day?", "Canoe; Half day: 28 EUR; Full day: 45 EUR"),
        ("What does an ebike cost?", "E-bike; Half day: 25 EUR; Full day: 38 EUR"),
        ("Are you open in winter?", "October to April: closed"),
        ("When do you open in July?", "May to September: daily 9:00-18:00"),
        ("Can I bring my dog?", "Dogs are not allowed in kayaks."),
        (
            "Do I get my money back?",
            "Up to 24 hours before the start you get everything back.",
        ),
    ],
)
def test_the_line_that_answers_is_found(question: str, line: str) -> None:
    study = BOTH.study(question)
    assert study.judgement.refusal is None
    assert study.lines[0].text == line


@pytest.mark.parametrize(
    "question",
    [
        "Who employed her in 1995?",
        "What is her salary?",
        "What colour is her cat?",
        "Does she speak Mandarin?",
        "How much is a tandem?",
        "How many windows does the studio have?",
        "When did she get married?",
    ],
)
def test_what_the_texts_do_not_say_is_refused(question: str) -> None:
    judgement = BOTH.study(question).judgement
    assert judgement.refusal is Refusal.NOT_IN_TEXT
    assert not judgement.certain  # wording never is


def test_a_follow_up_is_about_what_was_asked_before() -> None:
    history = [Turn(role="user", text="Do you rent out canoes?")]
    assert BOTH.study("And how much is it?", history).lines[0].text.startswith("Canoe")


def test_an_overview_is_how_the_text_begins() -> None:
    study = BOTH.study("What is this about?")
    assert study.judgement.refusal is None
    assert study.lines[0].text == "Ines Varga is a glass blower."


def test_a_line_knows_its_file_and_place() -> None:
    [sentence, *_] = BOTH.study("Where does Ines live?").lines
    assert (sentence.file, sentence.line) == ("cv.md", 3)


def test_a_text_in_another_language_is_searched_as_it_is_written() -> None:
    german = knowledge(
        laden="Die Werkstatt ist am Montag und Dienstag offen. Der Eintritt ist frei.\n"
    )
    study = german.study("Wann ist die Werkstatt offen?")
    assert study.judgement.refusal is None
    assert study.lines[0].text.startswith("Die Werkstatt")


def test_a_text_of_fifty_pages_is_searched_within_milliseconds() -> None:
    text = "".join(
        f"## Part {n}\n\nMachine {n} is kept in hall {n % 7} and serviced every {n % 30} days "
        f"by team {n % 11}. It was bought in {1970 + n % 50} and weighs {n * 3} kg.\n\n"
        for n in range(800)
    )
    large = knowledge(handbook=text)
    large.study("Where is machine 17 kept?")
    started = time.process_time()
    for n in range(20):
        large.study(f"Where is machine {n} kept?")
    assert (time.process_time() - started) / 20 < 0.05  # about 3 ms on a machine at rest
