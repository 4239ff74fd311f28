from dataclasses import fields

import numpy as np
import pytest

from isocenter.agreement.kappa import cohen_kappa, krippendorff_alpha
from isocenter.model.rows import PlannedAnnotation, PlannedCase
from isocenter.report.facts import ReportFacts
from isocenter.report.sections.agreement import render
from isocenter.report.votes import class_agreements

STATES = {1: "marked", 0: "absent", None: "not_annotated"}
VOTES = [(1, 1), (1, 0), (0, 0), (0, 0), (1, 1), (0, 0), (None, 1), (1, 1), (0, 0), (1, 1)]


def planned(votes) -> list[PlannedCase]:
    defaults = {"str": "x", "int": 0, "float": 0.0, "bool": False}
    out = []
    for n, said in enumerate(votes):
        annotations = tuple(
            PlannedAnnotation(
                id=f"{n}-{rater}", kind="labels", format="table", rater=f"rater-{rater}",
                labels=("nodule",), states=(STATES[state],),
            )
            for rater, state in enumerate(said)
        )  # fmt: skip
        known = {"id": f"case-{n}", "subject": f"subject-{n}", "annotations": annotations}
        values = {f.name: defaults.get(str(f.type), ()) for f in fields(PlannedCase)}
        out.append(PlannedCase(**{**values, **known}))
    return out


def test_two_raters() -> None:
    [found] = class_agreements(planned(VOTES))
    ratings = np.array([[np.nan if v is None else v for v in said] for said in VOTES], dtype=float)
    assert (found.label, found.raters, found.cases, found.agreed) == ("nodule", 2, 9, pytest.approx(8 / 9))
    assert found.kappa.value == cohen_kappa(ratings)
    assert found.alpha.value == krippendorff_alpha(ratings)
    assert found.kappa.low <= found.kappa.value <= found.kappa.high


def test_one_rater_agrees_with_nobody() -> None:
    assert class_agreements(planned([(1,), (0,)])) == ()
    assert class_agreements(planned([(1, None), (None, 0)])) == ()


def test_the_report_tells_them() -> None:
    blocks = render(ReportFacts(agreements=(), planned=tuple(planned(VOTES))))
    assert [type(b).__name__ for b in blocks] == ["Prose", "Table"]
    assert blocks[1].rows[0][:3] == ("nodule", "2", "9")
    same = render(ReportFacts(agreements=(), planned=tuple(planned([(1, 1)] * 4))))
    assert same[1].rows[0][4:] == ("not defined", "not defined", "1.00 (1.00 to 1.00)")


def test_without_votes_the_report_says_so() -> None:
    [block] = render(ReportFacts(agreements=(), planned=()))
    assert "more than one rater" in str(block)
