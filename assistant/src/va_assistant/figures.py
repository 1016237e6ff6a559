"""Numbers, times of the day, dates and money in one normal form; pure."""

import re

from va_assistant.calendars import MONTHS

UNITS = {
    "€": "eur", "euro": "eur", "euros": "eur", "$": "usd", "dollar": "usd", "dollars": "usd",
    "£": "gbp", "pound": "gbp", "pounds": "gbp", "%": "percent", "per cent": "percent",
    "cent": "cent", "cents": "cent",
}  # fmt: skip
"""What is counted, as it is written, in its normal form."""


def date(day: str, month: str, year: str) -> tuple[str, str, str]:
    """Return a date in digits with the name of its month, where there is such a month."""
    named = MONTHS[int(month) - 1] if 1 <= int(month) <= 12 else month.lstrip("0") or "0"
    return day.lstrip("0") or "0", named, year


def clock(written: str) -> str:
    """Return a time of the day as `17:30`."""
    digits = re.findall(r"\d+", written)
    hour, minute = int(digits[0]), int(digits[1]) if len(digits) > 1 else 0
    letter = re.search(r"[ap]\.?m", written.lower())
    if letter and letter.group()[0] == "p" and hour < 12:
        hour += 12
    if letter and letter.group()[0] == "a" and hour == 12:
        hour = 0
    return f"{hour}:{minute:02}"


def number(written: str) -> str:
    """Return a number without grouping, with a point before its decimals, without useless zeros.

    One separator before exactly three digits groups; otherwise the last one is the decimal point.
    """
    text = re.sub(r"(st|nd|rd|th)$", "", written.lower())
    parts = re.split(r"[.,'’\u00a0\u202f]", text)
    if len(parts) == 1:
        return parts[0].lstrip("0") or "0"
    separators = set(re.findall(r"[.,]", text))
    groups = all(len(part) == 3 for part in parts[1:])
    if (groups and len(separators) < 2 and parts[0] != "0") or (
        len(parts) > 2 and len(separators) < 2 and groups
    ):
        return "".join(parts).lstrip("0") or "0"
    if len(parts) > 2 and len(separators) < 2:
        return ".".join(part.lstrip("0") or "0" for part in parts)  # a version, an address
    whole = "".join(parts[:-1]).lstrip("0") or "0"
    decimals = parts[-1].rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole
