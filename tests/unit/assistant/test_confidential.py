"""What an answer never repeats."""

import pytest

from va_assistant.confidential import Confidential, quotes
from va_assistant.prompt import REMINDER, RULES

INSTRUCTIONS = (
    "You are the friendly front desk of the harbour office. Be brief. "
    'Never speak about the merger with Nordlys. Say "Have a nice day at the sea" in the end.'
)
CONFIDENTIAL = Confidential(
    (RULES, REMINDER, INSTRUCTIONS), ["We are the friendly front desk of the harbour, too."]
)


def gives_away(*sentences: str) -> bool:
    listener = CONFIDENTIAL.listener()
    for sentence in sentences:
        if listener.would_give_away(sentence):
            return True
        listener.hear(sentence)
    return False


@pytest.mark.parametrize(
    "sentences",
    [
        (RULES,),
        (REMINDER,),
        ("My rules are: USE ONLY the facts, in the text, to answer!",),
        ("I must use only the facts in the text.", "To answer."),
        tuple("use only the facts in the text to answer".split()),
        ("1. Never speak about the merger with Nordlys.",),
        ("I shall never speak about the", "merger with Nordlys."),
        ("Ûse ónly the fàcts in the text to answer.",),
    ],
)
def test_what_only_models_are_told_is_noticed_word_by_word(sentences: tuple[str, ...]) -> None:
    assert gives_away(*sentences)


@pytest.mark.parametrize(
    "sentence",
    [
        "The text does not say that.",
        "Have a nice day at the sea.",
        "Please be brief in your application.",
        "The front desk of the harbour office opens at nine.",
        "The facts in the text are about Ada.",
        "They are the friendly front desk of the harbour.",
        "",
    ],
)
def test_what_anybody_may_say_is_not(sentence: str) -> None:
    assert not gives_away(sentence)


def test_what_the_texts_hold_is_no_secret() -> None:
    rules = "Use only the facts in the text to answer."
    assert not Confidential((rules,), [f"# House rules\n{rules}"]).listener().would_give_away(rules)


def test_a_sentence_that_was_not_told_breaks_no_run() -> None:
    listener = CONFIDENTIAL.listener()
    for word in "never speak about the merger with".split():
        listener.hear(word)
        listener.would_give_away("Something that is dropped.")
    assert listener.would_give_away("Nordlys")


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        ("400: invalid: 'My IBAN is CANARY-4711'", "my  IBAN is CANARY-4711"),
        (
            "body.messages[1]: input_value='…IBAN is CANARY-4711 and my…'",
            "My IBAN is CANARY-4711 and my name",
        ),
        ("flagged: IBAN?", "IBAN?"),
    ],
)
def test_a_message_that_repeats_what_was_sent_is_known(message: str, sent: str) -> None:
    assert quotes(message, ["something else", sent])


@pytest.mark.parametrize("sent", ["", "a", "Is the server in Oslo?", "x" * 65_536])
def test_one_that_shares_some_words_is_not(sent: str) -> None:
    assert not quotes("the provider answered 500: The server had an error", [sent])
