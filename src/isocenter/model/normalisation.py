"""Normalisation: the words by which a cohort or a loader says how stored values become what a network sees."""

from __future__ import annotations

from dataclasses import dataclass

FITTED = ("cohort", "nyul")
"""Those whose numbers come from the training part of a split."""

WORDS = (
    "none",
    "window:<name>[,<name>]",
    "zscore",
    "percentile[:<low>-<high>]",
    "nyul",
    "cohort",
    "voi",
)
_PLAIN = {"none", "zscore", "voi", *FITTED}
_USUAL = (0.5, 99.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """One word, understood: its kind, the percentiles that become 0 and 1, or the names of windows."""

    kind: str
    percents: tuple[float, float] = _USUAL
    windows: tuple[str, ...] = ()

    @classmethod
    def of(cls, word: str) -> Normalisation:
        """What a word means.

        >>> Normalisation.of("percentile:1-99").percents, Normalisation.of("window:lung, bone").windows
        ((1.0, 99.0), ('lung', 'bone'))

        Raises:
            ValueError: it means nothing.
        """
        kind, colon, rest = word.partition(":")
        if word in _PLAIN or word == "percentile":
            return cls(kind=word)
        if kind == "window" and rest.strip():
            return cls(kind=kind, windows=tuple(name.strip() for name in rest.split(",")))
        if kind == "percentile" and colon:
            return cls(kind=kind, percents=_percents(rest))
        raise ValueError(f"{word!r} is none of {', '.join(WORDS)}")


def _percents(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    try:
        ends = float(low), float(high)
    except ValueError:
        ends = (0.0, 0.0)
    if not 0 <= ends[0] < ends[1] <= 100:
        raise ValueError(f"percentile:{text}: a lower and a higher percentile, as in percentile:0.5-99.5")
    return ends
