"""Turns of phrase with which people ask, and the plain words for them; pure."""

import re

from va_assistant.stemming import stem


def _meant(words: str, *ways: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Return what says it, and what is meant: a term, and others that would do as well."""
    return re.compile("|".join(ways)), tuple(dict.fromkeys(map(stem, words.split())))


_MEANT = (
    _meant(
        "work job",
        (
            r"\b(?:makes?|earns?|made|earning|making|earned) (?:a|an|his|her|their|your|its"
            r"|the)?\s*(?:living|money|bread)\b"
        ),
        r"\b(?:(?:do|does|did|doing) )?for (?:a|his|her|their|your) living\b",
        (
            r"\b(?<=what )(?:does|do|did|is|was) (?:he|she|they) (?:do|doing)(?: (?:now|today"
            r"|at the moment|these days|professionally))?\s*\?*$"
        ),
        (
            r"\b(?<=what )(?:does|do|did|is|was) (?=(?!(?:i|we|you|one) )(?:\w+ ){1,3}(?:do"
            r"|doing)\s*\?*$)"
        ),
    ),
    _meant("born", r"\b(?:come|came|brought|comes) into the world\b"),
    _meant("current", r"\bat the moment\b"),
    _meant("programming", r"\b(?:programming|coding|computer) languages?\b"),
    _meant("adult", r"\bgrown[- ]?ups?\b"),
    _meant("lit light start", r"\b(?:turn(?:ed)?|switch(?:ed)?) on\b"),
    _meant("contact", r"\bget in touch\b"),
    _meant(
        "refund",
        (
            r"\b(?:get|have|want|give\w*|getting|receive) (?:my |the |your |their |our )?money "
            r"(?:back|returned)\b"
        ),
        r"\bmoney back\b",
    ),
    _meant("arrival check", r"\bcheck(?:ing)?[- ]?in\b"),
    _meant("departure check", r"\bcheck(?:ing)?[- ]?out\b"),
    _meant("deposit", r"\bdown payment\b"),
    _meant("collect", r"\bpick(?:ed|ing)? (?:\w+ ){0,2}?up\b"),
    _meant("leave deliver", r"\bdrop(?:ped|ping)? (?:\w+ ){0,2}?off\b"),
    _meant("remove", r"\b(?:take|taking|took|taken) (?:\w+ ){0,2}?out\b"),
    _meant("waste dispose", r"\b(?:throw|thrown|throwing) (?:\w+ ){0,2}?away\b"),
    _meant("complete form", r"\bfill(?:ed|ing)? (?:\w+ ){0,2}?(?:in|out)\b"),
    _meant("reception", r"\bfront desk\b"),
    _meant("travel trip", r"\bbusiness (?:trips?|travel)\b"),
    _meant("transport bus train", r"\bpublic transport(?:ation)?\b"),
    _meant("native tongue", r"\b(?:mother tongue|first language)\b"),
    _meant(
        "pay wage salary",
        r"\b(?:get|receive|see) (?:my|our|your|their|his|her) money\b(?! back)",
    ),
    _meant("return", r"\b(?:send|give|bring|take|sent) (?:\w+ ){1,4}back\b"),
    _meant(
        "holiday leave vacation",
        r"\btime off\b",
        r"\bdays? off\b",
    ),
    _meant("sick report", r"\bcall(?:ing|ed|s)? in sick\b"),
    _meant(
        "remote home",
        r"\bfrom home\b",
        r"\bhome[- ]?office\b",
    ),
    _meant(
        "born hometown",
        r"\b(?:is|are|was|were|do|does|did) \w+(?: \w+)? (?:come )?from\s*\?*$",
    ),
    _meant("grow childhood", r"\b(?:grow|grew|grown) up\b"),
    _meant(
        "hobby",
        r"\b(?:spare|free) time\b",
        r"\b(?:for fun|to relax)\b",
    ),
    _meant("born age found build", r"\bhow old\b"),
    _meant("lead responsible", r"\b(?:in charge of|heads up)\b"),
    _meant("install found", r"\bset up\b"),
    _meant("register", r"\bsign up\b"),
    _meant("cancel", r"\bcall off\b"),
    _meant("postpone", r"\bput off\b"),
    _meant("care", r"\blook after\b"),
    _meant("open hour", r"\bopening (?:hours|times?)\b"),
    _meant(
        "address location directions bus train car exit",
        r"\b(?:get|come|travel) (?:to (?:you|the|your)|there)\b",
    ),
    _meant("address location", r"\bfind (?:you|your (?:shop|office|place|store|building))\b"),
    _meant("job", r"\bkind of (?:job|work)\b"),
    _meant("live", r"\bliving in\b"),
    _meant(
        "cost",
        r"\bset (?:me|you|us|one) back\b",
        (
            r"\bhow much\b(?= (?:is|are|was|were|will|would|can|could|should|must|may|for|to|the"
            r"|an?|it|money|(?:do|does|did) (?!\w+(?: \w+)? weigh))\b)"
        ),
        r"\bhow (?:much|expensive|dear|cheap)\W*$",
        r"\bhow (?:expensive|dear|cheap)\b",
    ),
    _meant("hour", r"\b(?:what time|opening)\b"),
    _meant("size", r"\bhow (?:big|large)\b"),
    _meant("weight", r"\bhow heavy\b"),
    _meant("height", r"\bhow tall\b"),
    _meant("distance", r"\bhow far\b"),
    _meant("quickly", r"\bhow (?:fast|soon|quickly)\b"),
)
"""In folded text."""
_ANY = re.compile("|".join(pattern.pattern for pattern, _ in _MEANT))


def said_plainly(question: str) -> tuple[str, list[tuple[str, ...]]]:
    """Return a folded question without its turns of phrase, and what each of them means.

    A meaning is one term and others that would do as well.
    """
    meanings: list[tuple[str, ...]] = []
    if not _ANY.search(question):
        return question, meanings  # one look in place of fifty, for most questions
    for pattern, terms in _MEANT:
        question, times = pattern.subn(" ", question)
        if times:
            meanings.append(terms)
    return question, meanings
