"""Ways: which options gave the subjects their places, where a split was made in several runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.split import Split, Way
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.units import asked_for

_FURTHER = ("strata", "min_external_share", "inner_folds", "min_positive")
_ANEW = "set split.append_only: false to divide all of them anew"


def way_of(options: SplitOptions, strategy: str, seed: int, parts: Mapping[str, float] | None = None) -> Way:
    """What is asked for now; `strategy` is what auto means here, `parts` are those it makes if not the usual ones."""
    asked: dict[str, Any] = {
        "strategy": options.strategy,
        "strata": sorted(options.strata),
        "min_external_share": options.min_external_share,
    }
    if strategy == "nested-k-fold":
        asked["inner_folds"] = options.inner_folds
    if options.min_positive != SplitOptions().min_positive:
        asked["min_positive"] = options.min_positive
    return Way(strategy=strategy, seed=seed, fractions=dict(parts or options.fractions), asked=asked)


def ways_of(split: Split) -> list[Way]:
    """The earlier ways of a split and, last, its own, each with the number of subjects that it placed."""
    own = Way(strategy=split.strategy, seed=split.seed, fractions=split.fractions, asked=split.asked)
    rest = len({r.subject for r in split.rows}) - sum(w.subjects for w in split.earlier)
    return [*split.earlier, replace(own, subjects=max(rest, 0))]


def settle(previous: Split, now: Way, *, has_new: bool) -> tuple[Way, tuple[Way, ...]]:
    """The way that a split states as its own, and the earlier ones whose places it keeps.

    The options asked for now are its own only if they placed somebody; else the previous ones are.
    """
    ways = ways_of(previous)
    if not has_new:
        return ways[-1], tuple(ways[:-1])
    return now, tuple(w for w in ways if w.subjects and not _is_same(w, now))


def notes_on_ways(own: Way, earlier: tuple[Way, ...], now: Way) -> Iterator[str]:
    """For how many subjects which earlier options hold."""
    kept = [w for w in (*earlier, own) if not _is_same(w, now)]
    for way in kept:
        yield f"{_subjects(way)} the place that an earlier split gave them ({_told(way, now)}); {_ANEW}"


def nobody_placed(own: Way, earlier: tuple[Way, ...], now: Way, name: str) -> list[Issue]:
    """An issue where other options are asked for than before and they could place nobody."""
    if not _is_changed(own, now):
        return []
    kept = "; ".join(f"{_subjects(w)} the place of {_told(w, now)}" for w in (*earlier, own))
    message = f"The options of the split were changed, and nobody was placed by them: {kept}; {_ANEW}."
    return [
        because(
            "split/kept-places",
            target=name,
            message=message,
            measured=_told(own, now),
            expected=_told(now, own),
        )
    ]


def _is_same(way: Way, now: Way) -> bool:
    return not _is_changed(way, now) and way.strategy == now.strategy


def _is_changed(way: Way, now: Way) -> bool:
    """Whether other options were asked for; that auto means another strategy by now is no change of options."""
    strategy = now.asked["strategy"] if way.strategy == now.strategy else way.strategy
    before = {**now.asked, "strategy": strategy, **way.asked}  # a split from elsewhere has no `asked`
    return (way.seed, asked_for(way.fractions), before) != (now.seed, asked_for(now.fractions), now.asked)


def _subjects(way: Way) -> str:
    return f"{way.subjects} subject{'s keep' if way.subjects != 1 else ' keeps'}"


def _told(way: Way, other: Way) -> str:
    """A way in words, with those of its further options that differ from another one's."""
    parts = [way.strategy, f"seed {way.seed}", *(f"{p} {f:g}" for p, f in asked_for(way.fractions).items())]
    differing = [k for k in _FURTHER if way.asked.get(k) != other.asked.get(k)]
    return ", ".join([*parts, *(f"{k} {_text(way.asked[k])}" for k in differing if k in way.asked)])


def _text(value: Any) -> str:
    return " + ".join(value) or "none" if isinstance(value, list) else f"{value:g}"
