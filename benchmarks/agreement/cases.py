"""What is measured: the limit, our own ways, and the peers, each in a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.agreement.volumes import Volume
from benchmarks.index import peers
from benchmarks.index.children import Child
from benchmarks.read.cases import LISTS as READERS
from benchmarks.read.cases import Told

LISTS = Path(__file__).parent / "peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One way to compare raters; a slow one is measured in every third round only."""

    title: str
    way: str
    name: str
    environment: str = ""
    passes: int = 1
    is_slow: bool = False

    @property
    def is_peer(self) -> bool:
        """Whether it is not ours."""
        return bool(self.environment)

    def command(self, volume: Volume) -> Sequence[str]:
        """What starts it."""
        module = f"benchmarks.agreement.{'others' if self.is_peer else 'ours'}"
        python = sys.executable
        if self.is_peer:
            listed = READERS if (READERS / f"{self.environment}.txt").exists() else LISTS
            python = peers.interpreter(self.environment, listed)
        return [python, "-m", module, self.way, self.name, str(volume.folder), str(self.passes)]


def measure(case: Case, volume: Volume) -> Told:
    """Run one case once."""
    with Child(case.command(volume), threads=1) as child:
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


_PEERS = (("SimpleITK", "simpleitk"), ("MONAI", "monai"), ("medpy", "medpy"))


def _dice(name: str, way: str, what: str) -> dict[str, Case]:
    cases = {
        f"{name}-limit": Case(title=f"limit: both read once, {what}", way="limit", name=name, passes=20),
        f"{name}-ours": Case(title=f"isocenter, Dice, {what}", way=way, name=name, passes=20),
    }
    for title, peer in _PEERS:
        cases[f"{name}-{peer}"] = Case(
            title=f"{title}, Dice, {what}", way=f"{peer}-dice", name=name, environment=peer,
            is_slow=peer != "simpleitk",
        )  # fmt: skip
    return cases


def _hd95(name: str, what: str) -> dict[str, Case]:
    cases = {f"{name}-ours": Case(title=f"isocenter, HD95, {what}", way="hd95", name=name, passes=3)}
    for title, peer in (("surface-distance", "surface-distance"), *_PEERS[1:]):
        cases[f"{name}-{peer}"] = Case(
            title=f"{title}, HD95, {what}", way=f"{peer}-hd95", name=name, environment=peer,
            is_slow=peer != "surface-distance",
        )  # fmt: skip
    return cases


def _staple() -> dict[str, Case]:
    name = "raters"
    return {
        "staple-ours": Case(title="isocenter, STAPLE, 3 raters", way="staple", name=name, passes=5),
        "staple-simpleitk": Case(
            title="SimpleITK, STAPLE, 3 raters", way="simpleitk-staple", name=name,
            environment="simpleitk", is_slow=True,
        ),
        "staple-simpleitk-box": Case(
            title="SimpleITK, STAPLE, given our box", way="simpleitk-staple-box", name=name,
            environment="simpleitk", is_slow=True,
        ),
    }  # fmt: skip


GROUPS: tuple[dict[str, Case], ...] = (
    _dice("body", "dice", "one label"),
    _dice("labels", "labels", "24 labels"),
    _hd95("near", "2 voxels apart"),
    _hd95("far", "30 mm apart"),
    _staple(),
)
