"""Sides: whether the name of a label says left or right, or is of an organ that lies on one side."""

from __future__ import annotations

import re
import unicodedata


def _set(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


# Words for a side in the languages that label names are often in, without accents.
_WORDS = _set(
    # English
    "left right lt rt l r leftmost rightmost",
    # German
    "links linke linken linker linkes linkem rechts rechte rechten rechter rechtes rechtem",
    # French
    "gauche gauches droit droits droite droites",
    # Spanish and Portuguese
    "izquierdo izquierda izquierdos izquierdas izq izqdo izqda derecho derecha derechos derechas dcho dcha",
    "esquerdo esquerda esquerdos esquerdas direito direita direitos direitas",
    # Italian and Latin
    "sinistro sinistra sinistri sinistre sinister sinistrum sinistrae destro destra destri destre dexter dextra dextri",
    "dextrum dextrae",
    # ventricles
    "lv rv",
)
# The same where they may be something else at any other place: `Niere li`, not `LI-RADS`.
_LAST_WORDS = frozenset({"li", "re", "dx", "sx", "dex", "sin"})
# Letters that are a side in capitals only, or as the whole name: eyes, ventricles and atria, coronary and pulmonary
# arteries, auricles, lobes of the lung, kidneys.
_CAPITALS = _set(
    "OD OS LV RV LA RA LVOT RVOT LAA RAA LAD LCX LCA RCA LPA RPA LUL LLL RUL RML RLL LK RK",
)
# Words that are written together with what they belong to, at its beginning and at its end; those that begin or end so and
# mean nothing of the kind.
_GLUED_BEFORE = ("left", "right", "links", "linke", "rechts", "rechte", "gauche", "droit")
_GLUED_AFTER = (
    "left", "right", "links", "rechts", "gauche", "droit", "droite", "izquierdo", "izquierda", "derecho", "derecha",
    "esquerdo", "esquerda", "direito", "direita", "sinistro", "sinistra", "sinister", "sinistrum", "destro", "destra",
    "dexter", "dextra", "dextrum",
)  # fmt: skip
_NO_SIDE = _set(
    "cleft bright hyperbright upright outright downright fright wright copyright leftover leftovers rightful rightfully",
    "crosslinks linked endroit adroit maladroit detroit",
)
_LETTER_BEFORE = re.compile(
    r"[lr](?:kidneys?|kid|lungs?|breasts?|eyes?|adrenals?|femur|ovary|parotid|hippocampus)"
)
_SPINE = re.compile(r"vert|lumb|spin|disc|disk|wirbel")

# Organs of which there is one, on one side: mirrored, they are those of one person in ten thousand.
_ORGANS = _set(
    # English
    "heart cardiac myocardium liver hepatic spleen splenic stomach gastric pancreas pancreatic gallbladder duodenum aorta",
    "appendix caecum cecum ivc",
    # Latin
    "hepar lien gaster",
    # German
    "leber milz herz magen pankreas bauchspeicheldruse bauchspeicheldruese gallenblase zwolffingerdarm",
    "zwoelffingerdarm blinddarm herzmuskel",
    # French
    "foie coeur estomac vesicule myocarde aorte",
    # Spanish, Portuguese and Italian
    "higado bazo corazon estomago vesicula miocardio figado baco coracao fegato milza cuore stomaco cistifellea colecisti",
)  # fmt: skip
# Organs that other words are glued to: Leberherd, livertumour.
_ORGANS_BEFORE = ("liver", "spleen", "stomach", "pancrea", "gallbladder", "leber", "milz", "herz", "magen")
_NO_ORGAN = frozenset({"magenta", "liverwort"})
_TWO_WORDS = re.compile(r"\b(?:gall bladder|vena cava|portal vein)\b")
_CHINESE_ORGANS = re.compile(
    r"肝|脾|胃|胰|胆|膽|心[脏臟房室肌]|阑尾|闌尾|盲肠|盲腸|十二指[肠腸]|主动脉|主動脈|腔静脉|腔靜脈"
)


def names_side(name: str) -> bool:
    """Whether the name of a label says left or right.

    Seen are words of their own (`kidney_left`, `Niere links`, `左肾`), in joined capitals (`LeftLung`, `lungL`), and glued
    to another (`leftkidney`); and abbreviations of eyes, ventricles, arteries and lobes in capitals (`OD`, `LV`).
    """
    words = _words(name)
    last = len(words) - 1
    return any("左" in w or "右" in w for w in words) or any(
        _is_side(word, is_last=0 < n == last, before=words[n - 1] if n else "", is_whole=not last)
        or (word in {"L", "l", "R", "r"} and not _is_other_letter(words, n))
        for n, word in enumerate(words)
    )


def is_one_sided(name: str) -> bool:
    """Whether a label is named after an organ of which there is one, on one side, or a part of such a one."""
    words = [w.lower() for w in _words(name)]
    return (
        any(w in _ORGANS or (w.startswith(_ORGANS_BEFORE) and w not in _NO_ORGAN) for w in words)
        or words[:1] == ["rate"]  # French for the spleen; elsewhere in a name it is English
        or _TWO_WORDS.search(" ".join(words)) is not None
        or _CHINESE_ORGANS.search(name) is not None
    )


def _words(name: str) -> list[str]:
    """The words of a name in their order, without accents, apart where capitals begin; a number is one."""
    plain = unicodedata.normalize("NFKD", name).replace("œ", "oe").replace("Œ", "Oe").replace("ß", "ss")
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    return re.findall(r"[A-Za-z]+|[0-9]+|[^\W\d_a-zA-Z]+", apart)


def _is_side(word: str, *, is_last: bool, before: str, is_whole: bool) -> bool:
    lower = word.lower()
    if lower in _NO_SIDE:
        return False
    return (
        (lower in _WORDS and lower not in {"l", "r"})
        or (is_last and lower in _LAST_WORDS and not before.isdigit())
        or word in _CAPITALS
        or (is_whole and lower.upper() in _CAPITALS)
        or lower.startswith(_GLUED_BEFORE)
        or lower.endswith(_GLUED_AFTER)
        or _LETTER_BEFORE.fullmatch(lower) is not None
    )


def _is_other_letter(words: list[str], n: int) -> bool:
    """Whether a letter l or r is that of a litre (mL) or of a lumbar vertebra (L4)."""
    before, after = words[n - 1] if n else "", words[n + 1] if n + 1 < len(words) else ""
    if words[n] in {"R", "r"}:
        return False
    is_lumbar = after in {"1", "2", "3", "4", "5", "6"} and (
        words[n] == "L" or _SPINE.search(" ".join(words).lower()) is not None
    )
    return is_lumbar or before in {"m", "d", "c", "u", "μ"}
