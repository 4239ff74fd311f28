"""What is measured: the limit, our own ways, and the peers, each in a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.index import peers
from benchmarks.index.children import Child
from benchmarks.read.cases import LISTS as READERS
from benchmarks.read.cases import Told
from benchmarks.resample.volumes import LABELS, Volume

LISTS = Path(__file__).parent / "peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One way to resample one of a volume's arrays; a slow one is measured in every third round only."""

    title: str
    way: str
    name: str = "image"
    environment: str = ""
    threads: int = 1
    passes: int = 1
    is_slow: bool = False

    @property
    def is_peer(self) -> bool:
        """Whether it is not ours."""
        return bool(self.environment)

    def command(self, volume: Volume) -> Sequence[str]:
        """What starts it."""
        module = f"benchmarks.resample.{'others' if self.is_peer else 'ours'}"
        python = sys.executable
        if self.is_peer:
            listed = READERS if (READERS / f"{self.environment}.txt").exists() else LISTS
            python = peers.interpreter(self.environment, listed)
        numbers = (str(self.passes), str(self.threads))
        return [python, "-m", module, self.way, self.name, str(volume.folder), *numbers]


def measure(case: Case, volume: Volume) -> Told:
    """Run one case once."""
    with Child(case.command(volume), threads=case.threads) as child:
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


def _images() -> dict[str, Case]:
    cases = {"limit": Case(title="limit: source read, new target written", way="limit", passes=4)}
    for threads in (1, 2):
        few = f", {threads} threads" if threads > 1 else ""
        after = f"-{threads}" if threads > 1 else ""
        for kind in ("linear", "cubic"):
            cases[f"isocenter-{kind}{after}"] = Case(
                title=f"isocenter, {kind}{few}", way=kind, threads=threads, passes=3
            )
            cases[f"simpleitk-{kind}{after}"] = Case(
                title=f"SimpleITK, {kind}{few}", way=f"simpleitk-{kind}", threads=threads,
                environment="simpleitk", is_slow=kind == "cubic",
            )  # fmt: skip
        cases[f"torch-linear{after}"] = Case(
            title=f"torch, linear{few}", way="torch-linear", threads=threads, environment="monai"
        )
    cases["opencv-linear"] = Case(title="OpenCV, linear", way="opencv-linear", environment="nnunet")
    slow = (
        ("scikit-image", "skimage", "nnunet"),
        ("scipy", "scipy", "nnunet"),
        ("TorchIO", "torchio", "torchio"),
        ("MONAI", "monai", "monai"),
    )
    for kind in ("linear", "cubic"):
        for title, way, environment in slow:
            cases[f"{way}-{kind}"] = Case(
                title=f"{title}, {kind}", way=f"{way}-{kind}", environment=environment, is_slow=True
            )
    cases["nnunet-cubic"] = Case(
        title="nnU-Net, cubic", way="nnunet-cubic", environment="nnunet", is_slow=True
    )
    return cases


def _labels(count: int) -> dict[str, Case]:
    name, what = f"labels-{count}", f"{count} label{'s' if count > 1 else ''}"
    return {
        "nnunet-labels": Case(
            title=f"nnU-Net, {what}", way="nnunet-labels", name=name, environment="nnunet", is_slow=True
        ),
        "isocenter-labels": Case(title=f"isocenter, {what}", way="labels", name=name, passes=3),
        "isocenter-labels-2": Case(
            title=f"isocenter, {what}, 2 threads", way="labels", name=name, passes=3, threads=2
        ),
        "torch-labels": Case(
            title=f"torch, {what}", way="torch-labels", name=name, environment="monai", is_slow=True
        ),
        "simpleitk-labels": Case(
            title=f"SimpleITK LabelLinear, {what}", way="simpleitk-labels", name=name,
            environment="simpleitk", is_slow=True,
        ),
    }  # fmt: skip


IMAGES: dict[str, Case] = _images()
BY_LABELS: dict[int, dict[str, Case]] = {count: _labels(count) for count in LABELS}
