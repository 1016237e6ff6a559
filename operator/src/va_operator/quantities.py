"""Kubernetes quantities in the one form in which the API server writes them.

`1000m` and `1` are one amount. What we send is compared with what the server
has, so we send it the way the server would say it
(`k8s.io/apimachinery/pkg/api/resource`).
"""

import math
import re
from fractions import Fraction
from typing import Final

_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL: Final = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_FORM: Final = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exp>[+-]?\d+))?"
)


def canonical_quantity(value: str | int) -> str:
    """Return the canonical form, or the text as it is where it is no quantity."""
    match = _FORM.fullmatch(str(value))
    if match is None:
        return str(value)
    number, suffix, exponent = Fraction(match["number"]), match["suffix"] or "", match["exp"]
    if exponent is not None:
        # An exponent without bounds would cost memory without bounds; the API's pattern refuses it.
        return _scientific(number, int(exponent)) if len(exponent) <= 3 else str(value)
    if suffix in _BINARY:
        amount = number * 1024 ** _BINARY[suffix]
        if amount.denominator == 1 and abs(amount) >= 1024:
            return _with_suffix(amount, _BINARY, 1024)
        return _with_suffix(amount, _DECIMAL, 1000)
    return _with_suffix(number * Fraction(1000) ** _DECIMAL[suffix], _DECIMAL, 1000)


def _with_suffix(amount: Fraction, suffixes: dict[str, int], base: int) -> str:
    amount = _in_thousandths(amount)
    if amount == 0:
        return "0"
    for suffix, power in sorted(suffixes.items(), key=lambda item: -item[1]):
        scaled = amount / Fraction(base) ** power
        if scaled.denominator == 1:
            return f"{scaled.numerator}{suffix}"
    return str(amount.numerator)


def _in_thousandths(amount: Fraction) -> Fraction:
    """Round up: a container's resources have no finer amounts."""
    return Fraction(math.ceil(amount * 1000), 1000)


def _scientific(number: Fraction, exponent: int) -> str:
    amount = _in_thousandths(number * Fraction(10) ** exponent)
    if amount == 0:
        return "0"
    power = 0
    while (amount / 1000).denominator == 1:
        amount, power = amount / 1000, power + 3
    while amount.denominator != 1:
        amount, power = amount * 1000, power - 3
    return f"{amount.numerator}e{power}" if power else str(amount.numerator)
