"""Text: what is shown of strings that come out of headers, and how numbers are written."""

from __future__ import annotations

import math
import unicodedata

LIMIT = 300
_MARKS_IN_A_ROW = 2


def plain(value: object, limit: int = LIMIT) -> str:
    """A string that is safe to look at: no control or invisible signs, no piles of accents, not too long.

    Bidirectional overrides and zero-width signs (Unicode category Cf), private and unassigned code
    points and lone surrogates are left out; line ends and tabs become spaces. Markup is not escaped here:
    that is the template's work.
    """
    out: list[str] = []
    marks = 0
    for sign in str(value)[: 4 * limit]:
        category = unicodedata.category(sign)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if sign in "\t\n\r\v\f\x85" or category in {"Zl", "Zp"}:
            out.append(" ")
        elif category[0] != "C" and marks <= _MARKS_IN_A_ROW:
            out.append(sign)
    text = "".join(out)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def fitted(text: str, signs: float) -> str:
    """A plain text cut to the room of that many narrow signs, for drawings, where nothing wraps.

    >>> fitted("lymph node", 20), fitted("lymph node", 6), fitted("WWWWWW", 6)
    ('lymph node', 'lymp…', 'WWW…')
    """
    text = plain(text, 400)
    if signs_wide(text) <= signs:
        return text
    while text and signs_wide(text) > signs - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def signs_wide(text: str) -> float:
    """How many narrow signs wide a text is, about: capitals take more room, East Asian signs twice as much."""
    return sum(_width(sign) for sign in text)


def _width(sign: str) -> float:
    if unicodedata.east_asian_width(sign) in "WF":
        return 2.0
    if sign in "WM@%mw":
        return 1.5
    return 1.2 if sign.isupper() else 1.0


def number(value: float, digits: int = 2) -> str:
    """A number for people: thousands parted by commas, no more digits than asked, no trailing zeros.

    >>> number(12345), number(0.70000001), number(2.5, 0), number(float("nan"))
    ('12,345', '0.7', '2', 'not a number')
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    text = f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text.replace("-", "\N{MINUS SIGN}")


def share(part: float, whole: float) -> str:
    """A part of a whole in per cent; an en dash where there is no whole.

    >>> share(1, 3), share(0, 0), share(1, 1000)
    ('33%', '–', '<1%')
    """
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "<1%"
    return ">99%" if 99 < percent < 100 else f"{percent:.0f}%"


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "case"), counted(1200, "case"), counted(2, "series", "series")
    ('1 case', '1,200 cases', '2 series')
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
