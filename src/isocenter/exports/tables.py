"""Tables beside exported images: whose each case is, what is known of it, and its boxes; as CSV that any program opens."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from isocenter.exports.selected import Selected, SelectedCase
from isocenter.exports.target import CaseFile
from isocenter.model.attributes import AttributeState
from isocenter.model.case import Case

# What makes a spreadsheet take a cell for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_AXES = ("i", "j", "k")
_CORNERS = ("x_low_mm", "y_low_mm", "z_low_mm", "x_high_mm", "y_high_mm", "z_high_mm")


def text_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""A table as CSV; a text that a spreadsheet would take for a formula has an apostrophe before it.

    >>> text_of(["name", "mm"], [["=1+1", -2.5], ["a,b", None]])
    'name,mm\n\'=1+1,-2.5\n"a,b",\n'
    """
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow([_cell(name) for name in header])
    table.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def cases_table(selected: Selected) -> str:
    """`cases.csv`: one row per case: name in files, subject, part of the split, states of labels, known attributes.

    An attribute without a value is empty here; `attributes.csv` says why: missing, withheld or de-identified.
    """
    names = sorted({a.name for c in selected.cases for a in c.row.attributes})
    header = ["case", "id", "subject", "site", "timepoint", "partition", "verdict", "channels"]
    header += [f"size_{axis}" for axis in _AXES] + [f"spacing_{axis}_mm" for axis in _AXES]
    header += [f"label:{n}" for n in selected.labels] + [f"attribute:{n}" for n in names]
    return text_of(header, (_case(case, names) for case in selected.cases))


def attributes_table(selected: Selected) -> str:
    """`attributes.csv`: every attribute of every case with its unit, its state and where it was found."""
    header = ["case", "attribute", "value", "unit", "state", "source"]
    rows = (
        [c.name, a.name, a.value, a.unit, a.state.value, a.source]
        for c in selected.cases
        for a in c.row.attributes
    )
    return text_of(header, rows)


def labels_table(selected: Selected) -> str:
    """`labels.csv`: what the values of masks stand for."""
    known = selected.contract.labels
    return text_of(["label", "value", "code"], ([n, known[n].value, known[n].code] for n in selected.labels))


def states_table(selected: Selected) -> str:
    """`states.csv`: what is known of every label of every case, and how much of it there is."""
    rows = ([c.name, s.label, s.state, s.volume_ml, s.count] for c in selected.cases for s in c.row.labels)
    return text_of(["case", "label", "state", "volume_ml", "count"], rows)


def boxes_table(selected: Selected) -> str:
    """`boxes.csv`: boxes in RAS+ millimetres, of the consensus (no rater) and of each rater."""
    return text_of(["case", "rater", "label", *_CORNERS], _boxes(selected))


def points_table(selected: Selected) -> str:
    """`points.csv`: points of raters in RAS+ millimetres; a diameter of 0 is not known."""
    header = ["case", "rater", "label", "x_mm", "y_mm", "z_mm", "diameter_mm"]
    return text_of(header, _points(selected))


def opinions_table(selected: Selected) -> str:
    """`opinions.csv`: what each rater says of each label of each case."""
    rows = (
        [c.name, o.rater, o.label, o.state, o.looked, o.volume_ml]
        for c, case in opened(selected)
        for o in case.opinions
    )
    return text_of(["case", "rater", "label", "state", "looked", "volume_ml"], rows)


def slices_table(case: Case) -> str:
    """`slices.csv` of one case: the place of every slice and the pseudonym of the object that it came from."""
    rows = ([k, s.position_mm, s.instance, s.frame, int(s.is_synthetic)] for k, s in enumerate(case.slices))
    return text_of(["k", "position_mm", "instance", "frame", "is_synthetic"], rows)


def files_table(selected: Selected, files: Mapping[str, Iterable[CaseFile]]) -> str:
    """`files.csv`: what every file is of, as names of labels and raters may be no names of files."""
    rows = (
        [f.path, c.name, f.content.value, f.name, f.label]
        for c in selected.cases
        for f in files.get(c.row.id, ())
    )
    return text_of(["path", "case", "content", "name", "label"], rows)


def opened(selected: Selected) -> Iterator[tuple[SelectedCase, Case]]:
    """Every case with its record; no voxel is read for that."""
    return ((c, selected.store[c.row.id]) for c in selected.cases)


def _case(case: SelectedCase, names: Sequence[str]) -> list[object]:
    row = case.row
    known = {a.name: a.value for a in row.attributes if a.state is AttributeState.KNOWN}
    channels = "|".join(c for c in row.channels if c not in case.missing)
    out: list[object] = [case.name, row.id, row.subject, row.site, row.timepoint, case.partition, row.verdict]
    out += [channels, *reversed(row.shape), *reversed(row.spacing_mm)]
    return [*out, *case.states.values(), *(known.get(n, "") for n in names)]


def _boxes(selected: Selected) -> Iterator[list[object]]:
    for c, case in opened(selected):
        for label, box in zip(case.box_labels, case.boxes, strict=True):
            yield [c.name, "", label, *(float(x) for x in box)]
        for rater, label, box in zip(
            case.rater_boxes.raters, case.rater_boxes.labels, case.rater_boxes.where, strict=True
        ):
            yield [c.name, rater, label, *(float(x) for x in box)]


def _points(selected: Selected) -> Iterator[list[object]]:
    for c, case in opened(selected):
        found = case.rater_points
        for rater, label, point in zip(found.raters, found.labels, found.where, strict=True):
            yield [c.name, rater, label, *(float(x) for x in point)]


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    # Python's writer does not quote a carriage return, which every reader takes for the end of a line.
    text = value.replace("\r", " ")
    return f"'{text}" if value.startswith(_FORMULA) and not _is_number(value) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
