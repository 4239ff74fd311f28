"""Splits of a store: a table of subjects and a JSON file with how it came about, by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from isocenter.base import tables
from isocenter.base.digests import canonical_json, digest_of, digest_of_file
from isocenter.base.errors import ConfigError, StoreCorrupt
from isocenter.base.files import read_json, write_json
from isocenter.base.plugins import did_you_mean
from isocenter.model.certificate import Certificate, Deviation, Optimum
from isocenter.model.issue import Issue, Severity
from isocenter.model.split import Split, SplitRow, Way

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def write_split(root: Path, name: str, split: Split) -> None:
    """Write a split into a store as `splits/<name>.parquet` and `splits/<name>.json`.

    Raises:
        ConfigError: the name is not made of letters, digits, - and _.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"split name {name!r}: letters, digits, - and _ only")
    folder = root / "splits"
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / f"{name}.parquet"
    tables.write(table, SplitRow, split.rows)
    facts = {
        "strategy": split.strategy,
        "seed": split.seed,
        "fractions": split.fractions,
        "asked": split.asked,
        "earlier": split.earlier,
        "notes": split.notes,
        "issues": split.issues,
        "id": split.id,
        "certificate": split.certificate,
        "digest": digest_of_file(table),
    }
    plain = json.loads(canonical_json(facts))
    write_json(folder / f"{name}.json", {"split": plain, "seal": digest_of(plain)})


def split_names(root: Path) -> tuple[str, ...]:
    """Names of the splits in a store, sorted."""
    return tuple(sorted(p.stem for p in (root / "splits").glob("*.json")))


def read_split(root: Path, name: str) -> Split:
    """Read a split by its name.

    Raises:
        ConfigError: there is none of that name.
        StoreCorrupt: its two files do not belong together.
    """
    known = split_names(root)
    if name not in known:
        raise ConfigError(
            f"the store has no split {name!r}{did_you_mean(name, list(known))}"
            if known
            else "the store has no split: isocenter split"
        )
    table = root / "splits" / f"{name}.parquet"
    try:
        facts = _facts(read_json(root / "splits" / f"{name}.json"), name)
        if digest_of_file(table) != facts["digest"]:
            raise StoreCorrupt(f"split {name}: its table is not the one that was written")
        return split_of(facts, tables.read(table, SplitRow))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreCorrupt(f"split {name} cannot be read ({type(error).__name__})") from None


def _facts(document: dict[str, Any], name: str) -> dict[str, Any]:
    """What is said of a split; what was written before there was a seal has none."""
    if "strategy" in document:
        return document
    facts: dict[str, Any] = document["split"]
    if digest_of(facts) != document["seal"]:
        raise StoreCorrupt(f"split {name}: what is said of it is not what was written")
    return facts


def split_of(facts: Mapping[str, Any], rows: Iterable[SplitRow]) -> Split:
    """A split of what a JSON document says of it, and its rows.

    Raises:
        KeyError: something is missing; TypeError, ValueError: something is not what it should be.
    """
    return Split(
        strategy=facts["strategy"],
        seed=facts["seed"],
        fractions=facts["fractions"],
        rows=tuple(rows),
        issues=tuple(
            Issue(**{**i, "severity": Severity(i["severity"]) if i["severity"] else None})
            for i in facts["issues"]
        ),
        notes=tuple(facts["notes"]),
        id=facts["id"],
        asked=facts.get("asked", {}),
        earlier=tuple(Way(**w) for w in facts.get("earlier", ())),
        certificate=_certificate_of(facts.get("certificate")),
    )


def _certificate_of(facts: Mapping[str, Any] | None) -> Certificate | None:
    if not facts:
        return None
    optimum = facts["optimum"]
    return Certificate(
        **{
            **facts,
            "deviations": tuple(Deviation(**d) for d in facts["deviations"]),
            "optimum": Optimum(**optimum) if optimum else None,
            "obstacles": tuple(facts["obstacles"]),
        }
    )


def drop_splits(root: Path, names: Iterable[str]) -> None:
    """Take splits out of a store."""
    for name in names:
        for suffix in ("json", "parquet"):
            (root / "splits" / f"{name}.{suffix}").unlink(missing_ok=True)
