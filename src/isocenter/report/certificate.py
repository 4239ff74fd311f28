"""The certificate of a split as blocks: how near the best it comes, what stood in the way, and every deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isocenter.report.blocks import Block, Column, Fold, Item, Items, Part, Prose, Table
from isocenter.report.text import number

_MOST_ROWS = 300
_NAMES = {"subjects": "all subjects", "label": "label", "stratum": "stratum"}


def certificate_blocks(found: Mapping[str, Any] | None) -> tuple[Block, ...]:
    """What the certificate says beyond the checks; nothing where a split has none."""
    if not found:
        return ()
    blocks: list[Block] = [Prose(_optimum(found.get("optimum")))]
    if obstacles := found.get("obstacles"):
        blocks.append(Part("What stood in the way", (Items(tuple(Item(str(o)) for o in obstacles)),)))
    if deviations := found.get("deviations"):
        blocks.append(Fold("Deviation of every label and part", (_deviations(deviations),)))
    blocks.append(
        Prose(
            f"Digest of who was there {found['cohort']}, of who is where {found['places']}: the same split has both."
        )
    )
    return tuple(blocks)


def _optimum(optimum: Mapping[str, Any] | None) -> str:
    if not optimum:
        return "The places were given, drawn by lot or told by time, not chosen: there is no best to compare them with."
    distance, bound = number(float(optimum["distance"]), 4), number(float(optimum["bound"]), 4)
    settled = "with what was settled before (kept places, whole sites)"
    only = f" This holds {optimum['given']}." if optimum.get("given") else ""
    if optimum["proof"] == "integers":
        return f"No split comes nearer to what was asked for, {settled}: people cannot be divided any finer (distance {distance}).{only}"
    if optimum["proof"] == "exact":
        return (
            f"No split comes nearer to what was asked for, {settled}: all others were ruled out by branch and bound "
            f"(distance {distance}, {optimum['nodes']} nodes).{only}"
        )
    return f"Distance from what was asked for {distance}, {settled}; no split can be below {bound}.{only}"


def _deviations(found: Sequence[Mapping[str, Any]]) -> Table:
    lines = [
        (
            f"{_NAMES[d['kind']]} {d['name']}".strip() if d["kind"] != "label" else str(d["name"]),
            str(d["partition"]),
            f"{d['count']:,}",
            number(d["target"], 1),
            number(abs(d["count"] - d["target"]), 1),
            number(d["least"], 1),
            f"{100 * d['low']:.1f}\u2013{100 * d['high']:.1f}%" if d["subjects"] else "\u2013",
        )
        for d in found[:_MOST_ROWS]
    ]
    heads = ("Subjects", "due", "off", "whole people allow", "95% interval")
    columns = (Column("What"), Column("Part"), *(Column(h, is_number=True) for h in heads))
    rest = len(found) - _MOST_ROWS
    more = f" ({rest:,} more are in the split's JSON)" if rest > 0 else ""
    return Table(f"Subjects with it, and how many were due{more}", columns, tuple(lines))
