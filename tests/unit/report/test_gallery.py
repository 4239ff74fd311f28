"""Pictures of cases that a person has to look at: what every rater drew, and what was not taken."""

import re
from dataclasses import replace

import numpy as np
import pytest

from isocenter.model.rows import CaseRow, LabelState, PreviewRow
from isocenter.model.task import Channel, Label, Task, TaskContract
from isocenter.report.facts import ReportFacts
from isocenter.report.sections.gallery import render

CASE = CaseRow(
    id="case-1",
    subject="subject-1",
    site="site-1",
    timepoint="",
    shard=0,
    digest="",
    verdict="review",
    channels=("ct",),
    shape=(3, 6, 8),
    spacing_mm=(1.0, 1.0, 1.0),
    labels=(LabelState(label="lesion", state="positive", volume_ml=0.01),),
    raters=("anna", "ben"),
    attributes=(),
    statistics=(),
    pixel_digest="",
)
CONTRACT = TaskContract(
    task=Task.SEGMENTATION,
    labels={"lesion": Label(value=1), "cyst": Label(value=2)},
    channels={"ct": Channel(modality="CT")},
    reference="ct",
)


def square(*corner: int) -> bytes:
    mask = np.zeros((6, 8), np.uint8)
    mask[corner[0] : corner[0] + 2, corner[1] : corner[1] + 2] = 1
    return mask.tobytes()


def preview(**changes) -> PreviewRow:
    row = PreviewRow(
        case="case-1",
        channel="ct",
        plane="axial",
        rows=6,
        columns=8,
        pixel_mm=(1.0, 1.0),
        image=bytes(48),
        mask=square(1, 1),
        drawn_by=("anna", "ben", "ben?"),
        drawn=square(1, 1) + square(2, 2) + square(3, 5),
    )
    return replace(row, **changes)


def card(*previews: PreviewRow):
    facts = ReportFacts(contract=CONTRACT, cases=(CASE,), previews=previews)
    *_, gallery = render(facts)
    (only,) = gallery.cards
    return only


def test_every_rater_has_a_line_and_what_was_not_taken_is_dashed() -> None:
    consensus, compared = card(preview()).planes
    assert (consensus.name, compared.name) == ("axial", "axial, by rater")
    assert consensus.source == compared.source
    lines = dict(re.findall(r'class="(outline-[^"]*)" d="([^"]*)"', compared.outlines))
    # colours go on after those of the two labels
    assert set(lines) == {"outline-2", "outline-3", "outline-4 dashed"}
    assert "M1 1h2" in lines["outline-2"]
    assert "M2 2h2" in lines["outline-3"]
    assert "M5 3h2" in lines["outline-4 dashed"]
    assert compared.alt.endswith("what was drawn: rater anna, rater ben, not taken, ben")


def test_the_legend_tells_whose_lines_they_are() -> None:
    found = [(entry.label, entry.colour) for entry in card(preview()).legend]
    assert found == [("lesion", 0), ("rater anna", 2), ("rater ben", 3), ("not taken, ben", 10)]


def test_the_text_says_how_to_read_them() -> None:
    prose, _ = render(ReportFacts(contract=CONTRACT, cases=(CASE,), previews=(preview(),)))
    assert "where raters differ most" in prose.text
    prose, _ = render(ReportFacts(cases=(CASE,), previews=(preview(drawn_by=(), drawn=b""),)))
    assert "where raters differ most" not in prose.text


@pytest.mark.parametrize("changes", [{"drawn_by": (), "drawn": b""}, {"drawn": b"short"}])
def test_without_anything_to_compare_there_is_one_picture(changes) -> None:
    assert [p.name for p in card(preview(**changes)).planes] == ["axial"]
