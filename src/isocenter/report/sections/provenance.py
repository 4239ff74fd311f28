"""Provenance: versions, seed, configuration and stages behind this data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from isocenter.report.blocks import Block, Column, Part, Prose, Table
from isocenter.report.facts import ReportFacts

ORDER = 90
TITLE = "Provenance"

# What run.json may tell here; anything else in it (paths, hosts) stays there.
_SHOWN = {
    "isocenter": "Isocenter",
    "version": "Isocenter",
    "python": "Python",
    "seed": "Seed",
    "config_digest": "Digest of the configuration",
    "started": "Started",
    "finished": "Finished",
}


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """Versions and settings of the run, and what each stage counted."""
    blocks: list[Block] = []
    if facts.run is None:
        blocks.append(Prose("This workspace has no run.json: the stages were run one by one, or not at all."))
    else:
        blocks.append(_run(facts.run))
    if facts.done:
        blocks.append(Part("Stages", (_stages(facts.done),)))
    else:
        blocks.append(Prose("No stage has been finished in this workspace."))
    blocks.append(
        Prose(
            "The same sources, configuration and versions give the same bytes: tables, store and this page. "
            "Subjects, series and files go by keyed pseudonyms; the way back is in the index folder alone."
        )
    )
    return tuple(blocks)


def _run(run: Mapping[str, Any]) -> Table:
    rows = [(title, str(run[key])) for key, title in _SHOWN.items() if isinstance(run.get(key), str | int)]
    versions = run.get("versions")
    if isinstance(versions, Mapping):
        rows += [(str(name), str(versions[name])) for name in sorted(versions)]
    return Table("The run", (Column("What"), Column("Value", is_code=True)), tuple(rows))


def _stages(done: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = []
    for stage, facts in done.items():
        counts = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in _counts(facts))
        rows.append((stage, counts or "–", str(facts.get("key", ""))[:12]))
    columns = (Column("Stage"), Column("Counts"), Column("Key of inputs and options", is_code=True))
    return Table("Finished stages, in order", columns, tuple(rows))


def _counts(facts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, int]]:
    """Whole numbers of a stage's facts, nested ones under both names."""
    for name in sorted(facts):
        value = facts[name]
        if isinstance(value, bool):
            continue
        if isinstance(value, int):
            yield f"{above} {name}".strip(), value
        elif isinstance(value, Mapping) and not above:
            yield from _counts(value, name)
