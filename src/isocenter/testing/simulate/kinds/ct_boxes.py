"""Chest CT with a table of nodules in the style of LUNA16: series, centre in LPS millimetres, diameter."""

from __future__ import annotations

import csv
import io

import numpy as np

from isocenter.testing.simulate import ct, dicom
from isocenter.testing.simulate.archive import Archive
from isocenter.testing.simulate.ct import Protocol, Scan
from isocenter.testing.simulate.phantom import Anatomy, Part
from isocenter.testing.simulate.solids import Solid
from isocenter.testing.simulate.truth import TrueSite

HEADER = ("seriesuid", "coordX", "coordY", "coordZ", "diameter_mm")


def write(archive: Archive, site: TrueSite, count: int) -> None:
    """Write the scans and `nodules.csv`; every third patient has no nodule and no row."""
    rows: list[list[str]] = []
    for n in range(count):
        person = archive.person(site)
        protocol = Protocol(slice_mm=2.5, numbering="down" if n % 2 else "up")
        series = dicom.new_series(archive, person, "CT", 2, "Lung screening", syntax=protocol.syntax)
        pixel_mm = round(300 / archive.matrix, 3)
        plain = ct.acquire(archive, person, protocol, lesions=0, pixel_mm=pixel_mm)
        nodules = _nodules(archive, plain, person.number, n % 3)
        scan = _with(archive, plain, nodules, person.number)
        folder = archive.path(site.folder, "scans", person.patient_id)
        paths = ct.write(series, ct.slices(series, scan, protocol), folder, protocol)
        centres = tuple((*nodule.centre, 2 * nodule.radii[0]) for nodule in nodules)
        archive.cases.append(
            ct.true_case(
                archive, person, scan, paths, kind=site.kind, centres=centres, **ct.dicom_facts(series)
            )
        )
        rows += [[series.series_uid, *(f"{value:.3f}" for value in row)] for row in centres]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADER, *rows])
    archive.path(site.folder, "nodules.csv").write_text(text.getvalue(), encoding="utf-8", newline="\n")


def _nodules(archive: Archive, scan: Scan, number: int, count: int) -> list[Solid]:
    """Round nodules in both lungs, inside the scan, apart from each other."""
    draw = archive.stream("nodules", number)
    k_step, _, i_step = scan.lattice.spacing_mm
    least = 1.2 * max(k_step, i_step)
    reach = 0.3 * k_step * scan.lattice.shape[0]
    out = []
    for place in range(count):
        lung = scan.anatomy.solids("lung")[place % 2].centre
        middle = scan.anatomy.middle[2]
        spread = draw.uniform(-1, 1, 3)
        x, y = lung[0] + 16 * spread[0], lung[1] + 30 * spread[1]
        radius = round(float(draw.uniform(max(3.0, least), max(7.0, least * 1.5))), 2)
        out.append(Solid((round(x, 3), round(y, 3), round(middle + reach * spread[2], 3)), (radius,) * 3))
    return out


def _with(archive: Archive, scan: Scan, nodules: list[Solid], number: int) -> Scan:
    """The same scan with nodules in it: painted, softened at the edge, with noise of their own."""
    values = scan.values.copy()
    draw = archive.stream("nodule-noise", number)
    for nodule in nodules:
        box = nodule.window(scan.lattice, margin=1.6)
        if box is None:
            continue
        radius = np.sqrt(nodule.levels(scan.lattice, box))
        share = np.clip((1.15 - radius) / 0.3, 0, 1)
        inside = 45 + draw.standard_normal(share.shape) * 12
        values[box] = np.rint(values[box] * (1 - share) + inside * share).astype(np.int16)
    parts = (*scan.anatomy.parts, *(Part("lesion", nodule, "lung") for nodule in nodules))
    return Scan(Anatomy(scan.anatomy.middle, parts), scan.lattice, values, scan.is_padding)
