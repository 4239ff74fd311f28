"""Preview: a page of what a policy of augmentation does to real cases, before anybody trains with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isocenter.augment.policy import policy_of
from isocenter.base.documents import read_yaml
from isocenter.base.errors import ConfigError
from isocenter.loading.augmented import augmented
from isocenter.loading.open import open as open_store
from isocenter.report import build as report
from isocenter.report.facts import ReportFacts

PAGE = "preview.html"


def preview(
    workspace: str | os.PathLike[str],
    policy: Mapping[str, Any] | str | os.PathLike[str],
    *,
    out: Path | None = None,
    patch: tuple[int, int, int] = (48, 160, 160),
    cases: int = 4,
    draws: int = 3,
    split: str = "default",
    fold: int | None = None,
    seed: int = 0,
) -> Path:
    """Draw what a policy does to patches of some training cases, each before and after.

    Args:
        workspace: A workspace that holds a store, or a store.
        policy: The policy, or a YAML file of it: the keys are those of `augment` in `isocenter.dataset`.
        out: The page; None for `preview.html` in the workspace.
        patch: (k, j, i) in voxels; along no axis more than the largest case.
        cases: How many cases.
        draws: How often for each.
        split: Name of the split.
        fold: Of a split into folds, the one that is left out of training.
        seed: Where chance starts.

    Returns:
        The page.

    Raises:
        ConfigError: the policy passes a limit, or does not fit the task.
        StoreNotFound: there is no store.
        MissingExtra: the libraries of the report are not installed.
    """
    wanted = policy_of(policy if isinstance(policy, Mapping) else _read(Path(policy)))
    if min(cases, draws, *patch) < 1:
        raise ConfigError("cases, draws and the sizes of a patch are at least 1")
    store = open_store(workspace)
    largest = [max((row.shape[axis] for row in store.rows()), default=1) for axis in range(3)]
    k, j, i = (min(p, n) for p, n in zip(patch, largest, strict=True))
    drawn = augmented(
        store, wanted, patch=(k, j, i), cases=cases, draws=draws, split=split, fold=fold, seed=seed
    )
    facts = ReportFacts(title="What augmentation does", contract=store.manifest.task, augmented=drawn)
    page = out or Path(workspace) / PAGE
    report.write_page(facts, page, only=("augmentation",))
    return page


def _read(path: Path) -> Mapping[str, Any]:
    data = read_yaml(path).data
    if isinstance(data, Mapping) and isinstance(data.get("augment"), Mapping) and len(data) == 1:
        data = data["augment"]
    if not isinstance(data, Mapping):
        raise ConfigError(f"{path.name}: holds no policy: lines such as 'rotation_deg: 10'")
    return data
