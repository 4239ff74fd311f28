"""Votes: what several raters said of classes, and how far they agree beyond chance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from isocenter.agreement.bootstrap import Interval, interval_of
from isocenter.agreement.kappa import (
    Ratings,
    Statistic,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
)
from isocenter.model.rows import PlannedCase

DRAWS = 1000


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """How far raters agree on one class over the cases.

    Args:
        label: The class.
        raters: How many raters said yes or no of any case.
        cases: Cases of which at least two raters did.
        agreed: Share of these in which all said the same.
        kappa: Cohen's of two raters, Fleiss' of more.
        alpha: Krippendorff's, nominal.
        ac1: Gwet's.
    """

    label: str
    raters: int
    cases: int
    agreed: float
    kappa: Interval
    alpha: Interval
    ac1: Interval


def class_agreements(planned: Iterable[PlannedCase]) -> tuple[ClassAgreement, ...]:
    """Every label of which at least two raters spoke of one case, labels sorted."""
    votes: dict[str, dict[str, dict[str, float]]] = {}
    subjects: dict[str, str] = {}
    for case in planned:
        subjects[case.id] = case.subject
        for annotation in case.annotations:
            if annotation.kind != "labels":
                continue
            for label, state in zip(annotation.labels, annotation.states, strict=True):
                if state in {"marked", "absent"}:
                    by_case = votes.setdefault(label, {}).setdefault(case.id, {})
                    by_case[annotation.rater] = float(state == "marked")
    found = (_of_label(label, by_case, subjects) for label, by_case in sorted(votes.items()))
    return tuple(each for each in found if each is not None)


def _of_label(
    label: str, by_case: dict[str, dict[str, float]], subjects: dict[str, str]
) -> ClassAgreement | None:
    cases = sorted(by_case)
    raters = sorted({rater for said in by_case.values() for rater in said})
    ratings: Ratings = np.array([[by_case[case].get(r, np.nan) for r in raters] for case in cases])
    several = (~np.isnan(ratings)).sum(axis=1) >= 2
    if not several.any():
        return None
    spread = np.nanmax(ratings[several], axis=1) - np.nanmin(ratings[several], axis=1)
    owners = [subjects[case] for case in cases]

    def sure(statistic: Statistic) -> Interval:
        return interval_of(statistic, ratings, owners, draws=DRAWS)

    return ClassAgreement(
        label=label,
        raters=len(raters),
        cases=int(several.sum()),
        agreed=float((spread == 0).mean()),
        kappa=sure(cohen_kappa if len(raters) == 2 else fleiss_kappa),
        alpha=sure(krippendorff_alpha),
        ac1=sure(_ac1_of_two),
    )


def _ac1_of_two(ratings: Ratings) -> float | None:
    """Yes and no are two classes, also where all say the same."""
    return gwet_ac1(ratings, n_classes=2)
