"""What an English word shares with its other forms; pure.

No more than trimming: a text in another language is compared as it is written.
"""

import re
from functools import lru_cache

_IRREGULAR = {
    form: base
    for base, forms in {
        "be": "been being", "begin": "began begun", "break": "broke broken", "bring": "brought",
        "buy": "bought", "choose": "chose chosen choice", "come": "came", "cost": "costs",
        "drive": "drove driven", "eat": "ate eaten", "fall": "fell fallen",
        "fly": "flew flown", "forget": "forgot forgotten",
        "get": "got gotten", "give": "gave given",
        "go": "went gone goes going", "grow": "grew grown",
        "hold": "held", "keep": "kept", "know": "knew known",
        "lead": "led", "leave": "left", "lend": "lent",
        "lose": "lost loss loses losing",
        "make": "made",
        "mean": "meant", "meet": "met", "pay": "paid", "ride": "rode ridden", "run": "ran",
        "say": "said", "see": "saw seen", "sell": "sold sale sales", "send": "sent",
        "show": "shown", "sing": "sang sung",
        "sit": "sat", "sleep": "slept", "speak": "spoke spoken",
        "spend": "spent", "steal": "stole stolen theft", "swim": "swam swum", "take": "took taken",
        "teach": "taught", "tell": "told", "think": "thought", "wear": "wore worn",
        "use": "used using user users usage", "age": "aged ageing aging",
        "win": "won",
        "write": "wrote written", "child": "children", "person": "people persons", "man": "men",
        "woman": "women", "foot": "feet", "tooth": "teeth", "mouse": "mice", "wife": "wives",
        "life": "lives", "birth": "born", "deliver": "delivery deliveries", "receive": "receipt",
        "apply": "application applications applicant",
        "choice": "choices", "enter": "entry entrance",
        "sign": "signature", "fail": "failure", "die": "died dying death",
        "marry": "marriage wedding weddings wed",
        "weigh": "weight", "high": "height", "long": "length", "deep": "depth", "wide": "width",
        "analyse": "analysis analyze", "able": "ability", "arrive": "arrival",
        "approve": "approval", "renew": "renewal", "propose": "proposal", "remove": "removal",
        "describe": "description", "subscribe": "subscription", "permit": "permission",
        "decide": "decision", "reduce": "reduction", "explain": "explanation",
        "produce": "production", "introduce": "introduction", "invite": "invitation",
        "phd": "doctorate doctorates",
        "email": "mail", "photo": "photograph photographs photography",
    }.items()
    for form in forms.split()
}  # fmt: skip
_IRREGULAR["lives"] = "live"  # far more often the verb
_DERIVED = (
    "isations", "izations", "isation", "ization", "ations", "ation", "ements", "ement",
    "ments", "ment", "ances", "ance", "ences", "ence", "ables", "able", "ibles", "ible",
    "nesses", "ness", "ships", "ship", "ings", "ing", "ions", "ion", "ists", "ist",
    "aries", "ary", "ers", "ors", "er", "or", "edly", "ed", "est", "ally", "ly",
    "ive", "ies", "es", "s",
)  # fmt: skip
_KEPT = frozenset(
    """
    paper water number summer winter order member letter never ever over under after other
    either neither computer dinner corner river sister brother mother father daughter error
    floor door color december september october november center power tower flower user
    shower offer station nation question motion section portion season lesson person reason
    version million spring string king ring thing during morning evening king wedding
    building ceiling news bus gas yes glass class press business address access process
    success less unless across series species lens bonus campus status virus basis always
    perhaps plus minus this his its red bed hundred speed need feed seed weed table cable
    stable vegetable family only early daily weekly monthly yearly supply reply apply italy
    july silence science audience experience distance balance finance insurance france
    science violence moment document department apartment element comment cement president
    license science internship friendship list artist fist august colour motor doctor actor
    director mayor major minor senior junior salary library diary dictionary secondary
    request guest harvest honest invest protest contest digest suggest arrest modest test best west
    career paper meter liter
    butter ladder pepper copper rubber matter bitter litter gutter supper hammer kidney money honey
    journey valley turkey alter counter proper master hockey money monkey trolley
    primary ordinary temporary necessary january february employee interest rest forest
    """.split()
)
_LOST_E = re.compile(r"[^aeiou][aeiou][^aeiouswxy]")


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return what an English word shares with its other forms.

    A light trimming, not a grammar: it has to be the same for `manage`, `manages`, `managed` and
    `manager`, and it may be no word.
    """
    for _ in range(3):  # deliveries, deliver, deliv
        word = _IRREGULAR.get(word, word)
        shorter = _shorter(word)
        if shorter == word:
            break
        word = shorter
    return word


def _shorter(word: str) -> str:
    if len(word) <= 3 or word in _KEPT:
        return word
    if word.endswith("s") and (word[:-1] in _KEPT or word[:-1] in _IRREGULAR):
        return word[:-1]
    for suffix in _DERIVED:
        if not word.endswith(suffix):
            continue
        base = word[: -len(suffix)]
        if len(base) < 3:
            continue
        if suffix == "s" and base.endswith(("s", "u", "i")):
            continue
        if any(char in "aeiouy" for char in base):
            if suffix == "ies":
                return base + "y"
            if suffix[0] in "aei" and _LOST_E.fullmatch(base):
                return base + "e"  # hiring: of "hir" it would be hirring
            return _trimmed(base, doubles="bcdfglmnprtz")
    return _trimmed(word, doubles="lfdgz")


def _trimmed(base: str, *, doubles: str) -> str:
    """Return a word without its last letter, where other forms have another or none.

    The doubled consonants of `planned` and `sell` become one, those of `carry` do not.
    """
    if len(base) > 3 and base[-1] == base[-2] and base[-1] in doubles:
        base = base[:-1]
    if len(base) > 4 and base[-1] in "eiy":
        base = base[:-1]
    if len(base) > 5 and base.endswith(("at", "is", "iz")):
        base = base[:-2]  # graduated, organised
    return base
