"""Our own build of one series into a store, in a process of its own; what comes before it is done once and not measured.

Usage: python -m benchmarks.build.ours KERNEL FOLDER SMALL-FOLDER PASSES
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom

import isocenter
from benchmarks.read.timing import serve

_CONFIG = """\
task: classification
sources: [{{path: {files}, site: one}}]
channels: {{ct: {{modality: CT}}}}
labels: {{seen: {{value: 1}}}}
annotations: [{{kind: table, path: labels.csv, key: subject, columns: {{key: patient, seen: seen}}}}]
standardise: {{spacing: [1.0, 1.0, 1.0], kernel: {kernel}}}
executor: {{kind: serial}}
workspace: work
"""


def main() -> None:
    """Measure the build."""
    kernel, folder, small, passes = sys.argv[1:]
    serve(build(kernel, Path(folder)), build(kernel, Path(small)), int(passes))


def build(kernel: str, files: Path) -> Callable[[], Any]:
    """The stage of building, each time as if it had never run."""
    place = files.parent / f"ours-{kernel}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    patient = pydicom.dcmread(next(files.iterdir()), stop_before_pixels=True).PatientID
    (place / "labels.csv").write_text(f"patient,seen\n{patient},1\n", encoding="utf-8")
    config = place / "cohort.yaml"
    config.write_text(_CONFIG.format(files=files, kernel=kernel), encoding="utf-8")
    isocenter.run(config, until="enrol")

    def run() -> None:
        for made in ("build", "store"):
            shutil.rmtree(place / "work" / made, ignore_errors=True)
        done = isocenter.run(config, until="build")
        if done.gate or not any((place / "work" / "store").rglob("*.h5")):
            raise SystemExit(f"there is no case: {done.gate} {done.counts}")

    return run


if __name__ == "__main__":
    main()
