"""People and scanners: sites, ages, sexes, manufacturers and scan parameters of the data set."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from isocenter.model.attributes import Attribute, AttributeState
from isocenter.model.rows import ValueCount
from isocenter.report.blocks import Beside, Block, Cell, Column, Drawings, Fold, Part, Prose, Table
from isocenter.report.charts import histogram
from isocenter.report.facts import SHOWN_ATTRIBUTES, ReportFacts
from isocenter.report.text import counted, share

ORDER = 60
TITLE = "People and scanners"

_MOST_VALUES = 12
_AGE_IN_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_SEXES = {"F": "female", "M": "male", "O": "other"}
_TITLES = {
    "manufacturer": "Manufacturer",
    "model": "Scanner model",
    "convolution_kernel": "Convolution kernel",
    "kvp": "Tube voltage (kV)",
    "field_strength_t": "Field strength (T)",
    "contrast_agent": "Contrast agent",
    "body_part": "Body part",
    "slice_thickness_mm": "Slice thickness (mm)",
    "lossy": "Compressed with loss",
    "compression_ratio": "Compression ratio",
}


@dataclass(frozen=True, slots=True)
class _Thing:
    """A case, or a stack where nothing is packed: whose it is and what is known of it."""

    subject: str
    site: str
    attributes: tuple[Attribute, ...]

    def attribute(self, name: str) -> Attribute:
        return next((a for a in self.attributes if a.name == name), _MISSING)


_MISSING = Attribute(name="", state=AttributeState.MISSING)


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """People by site, sex and age; cases by scanner; what the whole archive held."""
    rows = facts.cases or facts.stacks
    if not rows:
        blocks: list[Block] = [Prose("There are neither cases nor stacks in this workspace to describe.")]
        return (*blocks, *_archive(facts.values or ()))
    noun = "case" if facts.cases else "image stack"
    things = [_Thing(r.subject, r.site, r.attributes) for r in rows]
    people = list({t.subject: t for t in reversed(things)}.values())[::-1]
    text = (
        "Missing means that nobody wrote the value down; de-identified that it was taken out of the files, as they "
        "say; withheld that it is kept back here, as it would name a person. "
        f"People are counted once, by their first {noun}; scanners are counted by {noun}."
    )
    chart, *rest = _ages(people)
    return (
        Prose(text),
        Part("People", (Beside((_sites(things, noun), _sexes(people), chart)), *rest)),
        Part("Scanners and acquisition", _scanners(things, noun)),
        *_archive(facts.values or ()),
    )


def _sites(things: Sequence[_Thing], noun: str) -> Table:
    subjects: dict[str, set[str]] = defaultdict(set)
    for thing in things:
        subjects[thing.site].add(thing.subject)
    total = sum(map(len, subjects.values()))
    many = Counter(t.site for t in things)
    rows = tuple(
        (
            site,
            Cell(f"{len(subjects[site]):,}", fraction=len(subjects[site]) / total),
            share(len(subjects[site]), total),
            f"{many[site]:,}",
        )
        for site in sorted(subjects)
    )
    heads = ("Subjects", "of all subjects", f"{noun.capitalize()}s")
    return Table("Sites", (Column("Site"), *(Column(h, is_number=True) for h in heads)), rows)


def _sexes(people: Sequence[_Thing]) -> Table:
    return _values("Sex", [p.attribute("sex") for p in people], "Subjects", _SEXES)


def _ages(people: Sequence[_Thing]) -> tuple[Block, ...]:
    groups: dict[str, list[float]] = defaultdict(list)
    states: Counter[str] = Counter()
    for person in people:
        attribute = person.attribute("age_years")
        years = age_in_years(attribute)
        if years is None:
            states[_lack(attribute)] += 1
        else:
            groups[_SEXES.get(person.attribute("sex").value.upper(), "sex not known")].append(years)
    lacking = ", ".join(f"{counted(n, 'subject')} with age {state}" for state, n in sorted(states.items()))
    if not groups:
        return (Prose(f"No age is known: {lacking}."),)
    ordered = {name: groups[name] for name in (*_SEXES.values(), "sex not known") if name in groups}
    chart = histogram("people-age", ordered, title="Age by sex", unit="years", step=10, noun="subject")
    decades = Counter(int(a // 10) * 10 for g in ordered.values() for a in g)
    rows = tuple((f"{d}–{d + 9}", f"{decades[d]:,}") for d in sorted(decades))
    table = Table("Subjects by age", (Column("Age (years)"), Column("Subjects", is_number=True)), rows)
    rest = (Prose(f"Not in the chart: {lacking}."),) if lacking else ()
    return (Drawings((chart,)), *rest, Fold("Numbers: age", (table,)))


def _lack(attribute: Attribute) -> str:
    """Why there is no value that could be used."""
    is_known = attribute.state == AttributeState.KNOWN
    return AttributeState.MISSING.value if is_known else attribute.state.value


def age_in_years(attribute: Attribute) -> float | None:
    """Age in years of a number or of a DICOM age string such as 045Y (PS3.5 6.2); None where not known."""
    if attribute.state != AttributeState.KNOWN:
        return None
    found = re.fullmatch(r"\s*(\d{1,3}(?:\.\d+)?)\s*([YMWD]?)\s*", attribute.value.upper())
    years = float(found[1]) * _AGE_IN_YEARS[found[2] or "Y"] if found else math.inf
    return years if years < 130 else None


def _scanners(things: Sequence[_Thing], noun: str) -> tuple[Block, ...]:
    present = {a.name for t in things for a in t.attributes}
    head = f"{noun.capitalize()}s"
    tables = tuple(
        _values(title, [t.attribute(name) for t in things], head, {})
        for name, title in _TITLES.items()
        if name in present
    )
    return (Beside(tables),) if tables else (Prose(f"Nothing is recorded of how any {noun} was acquired."),)


def _values(title: str, attributes: Iterable[Attribute], head: str, names: dict[str, str]) -> Table:
    """How often each value occurs; why others have none is told apart from values."""
    known: Counter[str] = Counter()
    lacking: Counter[str] = Counter()
    for attribute in attributes:
        value = attribute.value.strip()
        if attribute.state != AttributeState.KNOWN or not value:
            lacking[_lack(attribute)] += 1
        else:
            known[names.get(value.upper(), value)] += 1
    total = known.total() + lacking.total()
    ranked = sorted(known.items(), key=lambda e: (-e[1], e[0]))
    rows = [_row(value, n, total) for value, n in ranked[:_MOST_VALUES]]
    if rest := ranked[_MOST_VALUES:]:
        n = sum(n for _, n in rest)
        rows.append(_row(f"{len(rest)} other values", n, total, is_quiet=True))
    rows += [_row(state, n, total, is_quiet=True) for state, n in sorted(lacking.items())]
    return Table(
        title, (Column("Value"), Column(head, is_number=True), Column("Share", is_number=True)), tuple(rows)
    )


def _row(text: str, count: int, total: int, *, is_quiet: bool = False) -> tuple[Cell | str, ...]:
    return (
        Cell(text, is_quiet=is_quiet),
        Cell(f"{count:,}", fraction=count / total, is_quiet=is_quiet),
        share(count, total),
    )


def _archive(values: Iterable[ValueCount]) -> tuple[Block, ...]:
    """What the headers of all image series held, wanted or not."""
    by_name: dict[str, list[ValueCount]] = defaultdict(list)
    for value in values:
        by_name[value.attribute].append(value)
    rows = []
    for name in SHOWN_ATTRIBUTES:
        ranked = sorted(by_name.get(name, ()), key=lambda v: (-v.count, v.value))
        title = _TITLES.get(name, name.capitalize())
        rows += [(title, v.value, f"{v.count:,}") for v in ranked[:_MOST_VALUES]]
        if rest := ranked[_MOST_VALUES:]:
            rows.append((title, f"{len(rest)} other values", f"{sum(v.count for v in rest):,}"))
    if not rows:
        return ()
    columns = (Column("Attribute"), Column("Value"), Column("Series", is_number=True))
    table = Table("Header values among all image series found", columns, tuple(rows))
    return (Fold("All image series of the archive", (table,)),)
