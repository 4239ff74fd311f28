"""What is measured: our own ways and the peers, each in a process of its own."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.index import peers
from benchmarks.index.children import Child
from benchmarks.read.cases import LISTS as READERS
from benchmarks.read.cases import Told
from benchmarks.resample.cases import LISTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One way to do one kind of augmentation; a slow one is measured in every second round only."""

    title: str
    kind: str
    way: str
    environment: str = ""
    passes: int = 3
    is_slow: bool = False

    @property
    def is_peer(self) -> bool:
        """Whether it is not ours."""
        return bool(self.environment)


def measure(case: Case, folder: Path) -> Told:
    """Run one case once."""
    python, module = sys.executable, "ours"
    if case.is_peer:
        listed = READERS if (READERS / f"{case.environment}.txt").exists() else LISTS
        python, module = peers.interpreter(case.environment, listed), "others"
    command = [
        python,
        "-m",
        f"benchmarks.augment.{module}",
        case.way,
        case.kind,
        str(folder),
        str(case.passes),
    ]
    with Child(command) as child:
        child.wait_until_ready()
        child.begin()
        printed = child.answer()
        child.end()
    told = json.loads(printed.splitlines()[-1])
    return Told(
        cpu_seconds=told["cpu"],
        wall_seconds=told["wall"],
        peak_bytes=told["peak"],
        values=tuple(told["values"]),
    )


def _cases() -> dict[str, Case]:
    out: dict[str, Case] = {}
    for kind in ("rotation", "chain", "elastic", "all"):
        out[f"isocenter-{kind}"] = Case(title=f"isocenter, {kind}", kind=kind, way="isocenter", passes=10)
        out[f"torch-{kind}"] = Case(
            title=f"torch grid_sample, {kind}", kind=kind, way="torch", environment="monai"
        )
        for title, way, environment in (
            ("TorchIO", "torchio", "torchio"),
            ("MONAI", "monai", "monai"),
            ("batchgeneratorsv2", "batchgenerators", "nnunet"),
        ):
            slow = kind in {"elastic", "all"} and way in {"torchio", "batchgenerators"}
            other = " (its own field)" if slow and way == "batchgenerators" else ""
            out[f"{way}-{kind}"] = Case(
                title=f"{title}, {kind}{other}", kind=kind, way=way, environment=environment, is_slow=slow,
                passes=1 if slow else 3,
            )  # fmt: skip
    for kind in ("contrast", "noise", "mirror"):
        out[f"isocenter-{kind}"] = Case(title=f"isocenter, {kind}", kind=kind, way="isocenter", passes=20)
        out[f"torch-{kind}"] = Case(
            title=f"torch, {kind}", kind=kind, way="torch", environment="monai", passes=20
        )
    out["limit"] = Case(title="limit: image and mask copied", kind="limit", way="isocenter", passes=20)
    return out


CASES: dict[str, Case] = _cases()
