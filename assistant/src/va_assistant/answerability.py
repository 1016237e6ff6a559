"""Whether the texts can answer a question at all; pure.

Decided before a model is asked, so that no model can be talked into an answer: by what the
question is (an order, a greeting, an attempt to change the rules), and by how much of what it
asks for stands together in the texts.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from va_assistant.evidence import STRONG
from va_assistant.extraction import Candidate
from va_assistant.matching import WEIGHTY
from va_assistant.question_words import UNIT_WEIGHT
from va_assistant.retrieval import Found
from va_assistant.wanted import Wanted
from va_assistant.words import fold, is_number

ENOUGH = 0.56
"""Share of a question that the best sentence must hold, with its surroundings."""

FAR_FROM_A_MEASURE = 0.53
"""How well each word must be met for what all have: a weight, a height, an age, an address."""
_MEASURES = frozenset({Wanted.WEIGHT, Wanted.DISTANCE, Wanted.ADDRESS, Wanted.AGE, Wanted.COUNT})


SOLID_WORDS = 2
"""Weighty words that must stand in a sentence itself where it lacks one."""


class Refusal(StrEnum):
    """Why there is no answer; names are part of the interface (a label of the metrics)."""

    NOT_IN_TEXT = "NotInText"
    OFF_TOPIC = "OffTopic"
    INJECTION = "Injection"
    GREETING = "Greeting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is known before a model is asked."""

    refusal: Refusal | None
    certain: bool = True
    """A capable model need not be asked either."""


_YOURS = (
    r"(?:your|the|its|these|those|all|any|everything|anything|whatever|previous|prior|above|earlier|former|of|my"
    r"|every|system|initial|original|other)"
)
_INJECTIONS = re.compile(
    rf"""
    \b(?:  # before all of them once, for before each it is looked for at every letter
      (?:ignore|disregard|forget|override|overrule|bypass|neglect|skip|drop
        |suspend)\b(?:\s+\w+){{0,2}}?\s+
          {_YOURS}(?:\s+\w+){{0,4}}?\s*\b(?:instructions?|rules?|prompts?|guidelines?
            |directions?|orders?|above|previous(?:ly)?|restrictions?|text|context|told
            |constraints?|limits?|filters?|safety)\b
    | (?:you\ are|you're|youre|you\ will\ be|be)\s+(?:now|no\ longer|henceforth|from\ now\ on)\b
    | from\ now\ on\b.{{0,40}}\byou\b | (?:act|behave|respond|reply|answer|speak|talk
      |write)\s+(?:as\ (?:if|though|an?|my|the)|like\ an?)\b
    | (?:pretend|role-?\s?play|imagine|simulate|impersonate|let'?s\ play|hypothetically)\b
    | (?:system|developer|hidden|secret|initial|original)\s+(?:prompt|message
      |instructions?|rules?)\b
    | your\s+(?:\w+\s+){{0,2}}?(?:instructions?|rules?|prompts?|guidelines|api[\s-]?key
      |key|keys|token|secrets?|password|credentials|configuration|training|system
      |context\ window)\b
    | (?:jailbreak|jailbroken|dan\ mode|do\ anything\ now|developer\ mode|god\ mode|sudo
      |admin\ mode|debug\ mode|unfiltered|uncensored)\b
    | (?:repeat|print|output|show|reveal|display|recite|echo|dump|copy|leak
      |return)\b(?:\s+\w+){{0,3}}?\s+(?:everything|all|words?|text|lines?|what|content
      |message|prompt|instructions?)\b.{{0,20}}\b(?:above|verbatim|so\ far)\b
    | (?:print|reveal|show|tell|give|display|leak|output|expose|send|what\ is|what's
      |whats)\b(?:\s+\w+){{0,3}}?\s+(?:api[\s_-]?key|openai\s+key|environment\ variables?
      |env\ vars?|(?:the|system|your)\ prompt|base\ ?url|secret\ key)\b
    | (?:new|updated|important)\s+(?:instructions?|rules?|system\ message)\b\s*:
    | (?:say|answer|respond|reply|begin|start|end|finish)\s+(?:only\s+|just\s+)?(?:with
      |by\ saying|")\s*["'“]
    | (?:base64|rot13)\b
    | (?:execute|eval|run)\ (?:this|the\ following)\ (?:command|code|script)\b
    )
  | <\|?/?(?:system|im_start|im_end|text|endoftext|inst)\b | \[/?(?:inst|system)\]
    | ^\s*(?:system|assistant)\s*: | \#\#\#\s*(?:system|instruction)
    """,
    re.VERBOSE,
)
_OFF_TOPIC = re.compile(
    r"""
    ^\W*(?:(?:please|can\ you|could\ you|would\ you|will\ you|i\ want\ you\ to
      |i\ need\ you\ to|hey|hi|hello|now|and|kindly)\W+)*
    (?:write(?!\ down)|compose|draft|generate|create|make\ up|invent|code|program|implement|sing
      |draw|paint|translate|tell\ me\ (?:a|another)\ (?:joke|story|riddle|secret|tale
      |fairy)
      |give\ me\ (?:a|some)\ (?:recipe|joke|poem|story|code)|calculate|compute|solve
        |prove|simplify|convert|spell|count\ to|play|recommend\ (?:me\ )?a\ (?:movie|book
        |song|film)|do\ my)\b
  | ^\W*-?\d[\d\s.,]*(?:[-+*/x×÷^]\s*\d[\d\s.,]*)+[\s=?]*$
  | \b(?:
      (?:write|compose|tell)\s+(?:me\s+|us\s+)?(?:an?|another|some
        |the)\s+(?:\w+\s+){0,2}(?:poem|haiku|limerick|essay|song|story|joke|script|program
        |function|novel|letter|sonnet|riddle|lyrics)\b
    | (?:translate|translation)\b.{0,60}\b(?:in)?to\s+(?:english|german|french|spanish
      |italian|norwegian|dutch|chinese|japanese|russian|latin|arabic|portuguese|swedish
      |danish|polish|turkish)\b
    | (?:what|how\ much)(?:'s|\ is|\ are|\ does|\ do)?\s+-?\d[\d\s.,]*(?:[-+*/x×÷^%]
      |plus|minus|times|divided\ by|multiplied\ by|squared)\s*(?:by\s+)?\d*
    | square\ root\ of\b | (?:python|javascript|java|c\+\+|sql|bash)\s+(?:code|script
      |function|program|query)\b
    | meaning\ of\ life\b | (?:are|aren't)\ you\s+(?:an?\s+)?(?:ai|human|robot|bot
      |chatgpt|gpt|sentient|conscious|alive|real)\b
    | (?:who|what)\s+(?:are|made|created|built|trained|developed)\s+you\b
    | what(?:'s|\ is)\s+your\s+(?:name|opinion|favou?rite)\b
    | do\ you\s+(?:have\ (?:feelings|a\ name|a\ body))\b
    | (?:what(?:'s|\ is)|how(?:'s|\ is))\s+the\s+(?:weather|news)\b | what\s+(?:time
      |day)\s+is\s+it\b | what(?:'s|\ is)\s+the\s+(?:time|date)(?:\ now|\ today)?\s*\?*$
    | what\s+(?:day|date)\s+is\s+(?:it\s+)?today\b
    | capital\s+(?:city\s+)?of\b | president\s+of\s+(?:the\s+)?(?:us|usa|united
      |america|france|russia|china)\b
    )
    """,
    re.VERBOSE,
)
_GREETING = re.compile(
    r"^\W*(?:(?:hi|hello|hey|hallo|hola|bonjour|ciao|good (?:morning|evening"
    r"|afternoon|day|night)|greetings|"
    r"thanks?(?: you)?(?: very much| a lot)?|bye|goodbye|see you|how are you(?: doing)?(?: today)?|"
    r"what'?s up|there|ok(?:ay)?|yes|no|test|ping|cheers|assistant|great|cool|nice)\W*)+$"
)


def nature(question: str) -> Refusal | None:
    """Return why a question is refused for what it is, whatever the texts hold."""
    said = " ".join(fold(question).replace("’", "'").split())
    if _INJECTIONS.search(said):
        return Refusal.INJECTION
    if _GREETING.match(said):
        return Refusal.GREETING
    if _OFF_TOPIC.search(said):
        return Refusal.OFF_TOPIC
    return None


def judge(found: Found, best: Candidate | None) -> Judgement:
    """Tell from what was found whether the texts hold the answer.

    Wording never tells for certain that they do not: the question may be in another language, or
    in words that nobody foresaw. A capable model is asked all the same.
    """
    if found.asked.is_overview:
        return Judgement(refusal=None)
    if best is None or not best.holds_wanted:
        return Judgement(refusal=Refusal.NOT_IN_TEXT, certain=False)
    if lacks_name(found, best):
        return Judgement(refusal=Refusal.NOT_IN_TEXT, certain=False)
    lacking = [t for t in best.hit.missing if not is_number(t.term) and t.weight > UNIT_WEIGHT]
    is_near = best.hit.coverage >= ENOUGH and not (
        found.asked.wanted in _MEASURES and best.hit.weakest < FAR_FROM_A_MEASURE
    )
    if any(term.weight >= WEIGHTY and not term.is_name for term in lacking):
        is_near = is_near and _may_lack(found, best, len(lacking))
    if not is_near:
        return Judgement(refusal=Refusal.NOT_IN_TEXT, certain=False)
    return Judgement(refusal=None)


def lacks_name(found: Found, best: Candidate) -> bool:
    """Tell whether a sentence says nothing of a name or a number that is asked about.

    One that says something else of a yes-or-no question may still answer it: is she from Rome?
    """
    is_named = any(term.is_name for term in best.hit.missing)
    return is_named and not (found.asked.wanted is Wanted.YES_NO and best.hit.coverage)


def _may_lack(found: Found, best: Candidate, lacking: int) -> bool:
    """Tell whether a sentence may answer that lacks words of the question altogether.

    One word may be another for what the sentence says if all else stands in the sentence itself.
    """
    return found.asked.wanted is Wanted.YES_NO or (
        lacking == 1 and best.hit.solid >= SOLID_WORDS and found.asked.wanted in STRONG
    )
