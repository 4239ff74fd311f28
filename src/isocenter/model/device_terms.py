"""Device terms: what headers call scanners, kernels and parts of the body, as far as that names nobody."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np

# Terms of Body Part Examined (PS3.16 annex L).
BODY_PARTS = frozenset({
    "ABDOMEN", "ABDOMENPELVIS", "ANKLE", "ARM", "BLADDER", "BRAIN", "BREAST", "CHEST", "CHESTABDOMEN", "CHESTABDPELVIS",
    "CLAVICLE", "CSPINE", "ELBOW", "EXTREMITY", "FEMUR", "FOOT", "HAND", "HEAD", "HEADNECK", "HEART", "HIP", "KIDNEY",
    "KNEE", "LEG", "LIVER", "LSPINE", "LUNG", "NECK", "PANCREAS", "PELVIS", "PROSTATE", "RIB", "SHOULDER", "SKULL",
    "SPINE", "SPLEEN", "STERNUM", "THORAX", "TSPINE", "UTERUS", "WHOLEBODY", "WRIST",
})  # fmt: skip
# Words of makers, scanners and kernels that are names of people too, or that a person is called by who has none.
_WORDS = """
    accuray agfa canon carestream edge elekta elscint esaote fuji fujifilm general electric healthcare healthineers
    hitachi hologic imaging kodak konica marconi medical mindray minolta neusoft philips picker samsung shimadzu siemens
    sirona systems toshiba united varian
    aera achieva aquilion biograph brilliance definition discovery emotion flash force go icon ingenia ingenuity lumina
    magnetom optima prisma revolution sensation signa sola somatom symphony trio vida vision
    body bone boneplus detail fine hard high large lung medium plus sharp small smooth soft standard ultra very
    anonymous anonymized anonymised default none other phantom test unknown
"""
_KNOWN = frozenset(_WORDS.split()) | {part.casefold() for part in BODY_PARTS}
# LO, the longest of these, has 64 characters (PS3.5 6.2); `^` and `=` part the components of a person's name.
_TERM = re.compile(r"[\w .,:;+*/\\&()\[\]#%®™~'-]{1,64}")
# What is a date or the number of a person sooner than that of a scanner.
_NUMBER = re.compile(
    r"\d{7}|(?<!\d)\d{4}[-./]\d{1,2}[-./]\d{1,2}(?!\d)|(?<!\d)\d{1,2}[-./]\d{1,2}[-./]\d{4}(?!\d)"
)
_PIECE, _WORD, _PARTING = re.compile(r"\S+"), re.compile(r"[^\W_]+"), re.compile(r"[\s^,=]+")
# Shorter words, and shorter numbers, are parts of too many names of scanners.
_MIN_LETTERS, _MIN_DIGITS = 3, 5


class DeviceTerms:
    """Tells terms from texts that may name a person.

    Args:
        identifiers: Names, IDs and birth dates of all people whose images there are.

    >>> terms = DeviceTerms(["Doe^Jane", "P-1017"])
    >>> terms.clean("SIEMENS SOMATOM Force"), terms.clean("Doe"), terms.clean("for P-1017")
    ('SIEMENS SOMATOM Force', '*', 'for *')
    """

    def __init__(self, identifiers: Iterable[str]) -> None:
        # eight bytes a word, for there may be millions of people; that two words share them does not happen
        found = np.fromiter((hash(word) for i in identifiers for word in words_of(i)), np.int64)
        self._people = np.unique(found)
        self.clean = lru_cache(maxsize=4096)(self._clean)

    def _clean(self, text: str) -> str:
        """A term with `*` in place of people; `*` alone for what is no term."""
        if not text:
            return text
        if _TERM.fullmatch(text) is None or _NUMBER.search(text) or self._is_person(text.strip()):
            return "*"
        if self._people.size:
            for part in (_PIECE, _WORD):
                text = part.sub(lambda found: "*" if self._is_person(found[0]) else found[0], text)
        return text

    def _is_person(self, word: str) -> bool:
        folded = _folded(word)
        if folded in _KNOWN or not self._people.size:
            return False
        place = int(np.searchsorted(self._people, hash(folded)))
        return place < self._people.size and int(self._people[place]) == hash(folded)


def words_of(identifier: str) -> Iterator[str]:
    """An identifier as a whole and, of a name, its parts, alone and together; none that is too short to tell."""
    text = _folded(identifier.strip())
    parts = [p for p in _PARTING.split(text) if p]
    words = {text, *parts}
    if not any(sign.isdigit() for sign in text):
        words |= {"".join(parts), "".join(reversed(parts)), *_WORD.findall(text)}
    for word in words:
        if len(word) >= (_MIN_DIGITS if word.isdigit() else _MIN_LETTERS):
            yield word


def _folded(word: str) -> str:
    """A word as it is compared: without capitals and accents."""
    if word.isascii():
        return word.casefold()
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))
