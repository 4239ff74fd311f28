"""Which rules run, with which options and severities, and which are ignored for what reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from isocenter.model.issue import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenOptions:
    """Which rules run, and what becomes of what they find."""

    select: Annotated[tuple[str, ...], "rules or families to run; all of them by default"] = ("all",)
    ignore: Annotated[dict[str, str], "rules or families to leave out, each with the reason"] = field(
        default_factory=dict
    )
    severity: Annotated[dict[str, Severity], "rules whose issues weigh otherwise: note, review or reject"] = (
        field(default_factory=dict)
    )
    options: Annotated[dict[str, dict[str, Any]], "options of rules, by rule name"] = field(
        default_factory=dict
    )
    stop_at_rejected_share: Annotated[
        float, "stop when more than this share of the wanted stacks is rejected for defects"
    ] = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.stop_at_rejected_share <= 1:
            raise ValueError("stop_at_rejected_share must be above 0 and at most 1")
        if blank := [name for name, reason in self.ignore.items() if not reason.strip()]:
            raise ValueError(f"every ignore needs its reason: {', '.join(blank)}")

    def is_selected(self, rule: str) -> bool:
        """Whether a rule runs: selected by itself, its family or "all", and not ignored."""
        names = {rule, rule.partition("/")[0]}
        return bool(names & set(self.select) or "all" in self.select) and not names & set(self.ignore)
