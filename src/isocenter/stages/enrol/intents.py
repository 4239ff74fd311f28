"""Intents: radiographs for processing and for presentation that came together in one channel of a cohort."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from isocenter.model.reasons import because
from isocenter.stages.enrol.candidates import Draft

_BOTH = ("presentation", "processing")


def tell_mixed_intents(drafts: Sequence[Draft], channels: Iterable[str]) -> None:
    """Tell the cases with the rarer of two intents in one channel; raw ones where they are as many.

    For Processing and For Presentation pictures of one exposure differ in contrast, often in sign
    (PS3.3 C.8.11.1): a cohort holds the one or the other.
    """
    for name in channels:
        found = {intent: [d for d in drafts if _intent_of(d, name) == intent] for intent in _BOTH}
        if not all(found.values()):
            continue
        common, rare = sorted(_BOTH, key=lambda intent: (-len(found[intent]), intent))
        for draft in found[rare]:
            draft.issues.append(
                because("enrol/mixed-intents", measured=f"{name}: for {rare}", expected=f"for {common}")
            )


def _intent_of(draft: Draft, channel: str) -> str:
    stack = draft.chosen.get(channel)
    return "" if stack is None else stack.attribute("presentation_intent")
