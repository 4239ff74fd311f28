"""Costs: what each rule would take from a cohort, before it is switched on or off."""

from __future__ import annotations

from pathlib import Path

from isocenter.base.workspace import Workspace
from isocenter.pipeline.config import CohortConfig, contract_of
from isocenter.pipeline.policies import weighed
from isocenter.pipeline.stages import masks_of
from isocenter.stages.screen.costs import Costs, costs


def costs_of(config: CohortConfig) -> Costs:
    """What each rule on headers and stacks costs a cohort whose index is there; nothing is written.

    Raises:
        StaleArtefact: the workspace has not been indexed.
    """
    rules = weighed(config.screen, config.standardise)
    channels = contract_of(config).channels
    return costs(rules, channels, masks_of(config), Workspace(Path(config.workspace)))
