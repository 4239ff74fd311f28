"""Review: the cases that wait for a person, why, and what the person says of them."""

from __future__ import annotations

import datetime as dt
import getpass
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from isocenter.base import tables
from isocenter.base.errors import ConfigError
from isocenter.base.plugins import did_you_mean
from isocenter.base.workspace import Workspace
from isocenter.model.decision import Decision, Word, as_seen, seen_in
from isocenter.model.issue import Issue, Severity, Verdict
from isocenter.model.rows import AgreementRow, CaseRow, LabelState, PlannedCase
from isocenter.stages.enrol.decisions import keep_decision, read_decisions

_NOT_CHOSEN = "enrol/several-candidates"
_SAID = {"enrol/accepted-by-person", "enrol/rejected-by-person"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A case that waits for a person, or on which one has spoken.

    Args:
        case: Its id.
        subject: The pseudonym of its subject.
        site: Its centre.
        state: "waiting"; "accepted" or "rejected" where a person said so; the next run acts on it where `is_new`.
        is_new: Whether what was said has not been acted upon yet.
        issues: What it waits for.
        agreements: How far its raters agree, those that agree least first.
        labels: What the consensus holds, as packed; nothing where the case was not.
        decision: What a person said.
    """

    case: str
    subject: str
    site: str
    state: str
    is_new: bool
    issues: tuple[Issue, ...]
    agreements: tuple[AgreementRow, ...] = ()
    labels: tuple[LabelState, ...] = ()
    decision: Decision | None = None

    @property
    def is_to_choose(self) -> bool:
        """Whether several images fit one channel, so that there is nothing to accept before one is chosen."""
        return any(i.rule == _NOT_CHOSEN for i in self.issues)


def review(workspace: str | os.PathLike[str]) -> tuple[Waiting, ...]:
    """Every case that waits for a person, and every case on which one has spoken, in the order of their ids.

    Raises:
        StaleArtefact: the workspace has not been built.
        ConfigError: the list of decisions was changed by hand.
    """
    return tuple(_Known(Workspace(Path(workspace))).rows())


def decide(
    workspace: str | os.PathLike[str], cases: Iterable[str], word: Word | str, *, why: str, by: str = ""
) -> tuple[Decision, ...]:
    """Write down what a person says of some cases; the next run acts on it.

    What is accepted is what the case waits for now: a new issue, or one that measures something else, makes it wait
    again. What was rejected leaves the store.

    Args:
        workspace: The workspace.
        cases: Ids of the cases.
        word: accept, reject or reopen.
        why: The reason.
        by: Who says so; the name of the account by default.

    Raises:
        ConfigError: with every case that cannot be decided on like that; then nothing is written.
    """
    opened = Workspace(Path(workspace))
    said = Word(word)
    if not why.strip():
        raise ConfigError("a decision needs its reason")
    with opened.lock():
        known = _Known(opened)
        asked = list(dict.fromkeys(cases))
        if problems := [p for case in asked if (p := known.objection(case, said))]:
            raise ConfigError("; ".join(problems))
        at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        out = tuple(
            Decision(
                case=c, word=said, why=why.strip(), by=by.strip() or _account(), at=at, seen=known.seen(c)
            )
            for c in asked
        )
        for decision in out:
            keep_decision(opened, decision)
    return out


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise ConfigError("nobody is logged in by a name: say who decides") from None


class _Known:
    """The cases of a workspace with what the stages said of them."""

    def __init__(self, workspace: Workspace) -> None:
        self._built = {c.id: c for c in tables.read(workspace.table("build", "cases"), CaseRow)}
        self._planned = {c.id: c for c in tables.read(workspace.table("enrol", "cases"), PlannedCase)}
        self._decisions = read_decisions(workspace)
        self._issues: dict[str, list[Issue]] = {}
        for stage in ("enrol", "build"):
            for issue in tables.read(workspace.table(stage, "issues"), Issue):
                self._issues.setdefault(issue.target, []).append(issue)
        self._agreements: dict[str, list[AgreementRow]] = {}
        for row in tables.read(workspace.table("build", "agreements"), AgreementRow):
            self._agreements.setdefault(row.case, []).append(row)

    def rows(self) -> Iterator[Waiting]:
        """What waits, and what was decided."""
        for case in sorted(self._planned):
            if self._is_waiting(case) or case in self._decisions or self._is_reopened(case):
                yield self._row(case)

    def seen(self, case: str) -> tuple[str, ...]:
        """What a case waits for."""
        return seen_in(self._issues.get(case, ()))

    def objection(self, case: str, word: Word) -> str:
        """Why a person cannot say that of a case; "" if one can."""
        if case not in self._planned:
            return f"there is no case {case!r}{did_you_mean(case, list(self._planned))}"
        if word is Word.REOPEN:
            return "" if case in self._decisions else f"{case}: nobody has decided on it"
        if any(i.rule == _NOT_CHOSEN for i in self._issues.get(case, ())):
            return f"{case}: several images fit one channel; say with channels.*.prefer which one is meant"
        verdict = self._verdict(case)
        if self._is_rejected_by_person(case):
            return f"{case} was rejected by a person; isocenter review reopen takes that back"
        if verdict == Verdict.REJECT:
            return f"{case} was rejected by a rule, which no decision overrules; see isocenter explain {case}"
        if word is Word.ACCEPT and not self._is_waiting(case):
            return f"{case} does not wait for anybody"
        return ""

    def _is_rejected_by_person(self, case: str) -> bool:
        return case in self._decisions and self._decisions[case].word is Word.REJECT

    def _is_reopened(self, case: str) -> bool:
        """Whether what the last run acted upon has been taken back since."""
        said = {i.rule for i in self._issues.get(case, ())} & _SAID
        return bool(said) and case not in self._decisions

    def _verdict(self, case: str) -> str:
        built = self._built.get(case)
        return self._planned[case].verdict if built is None else built.verdict

    def _is_waiting(self, case: str) -> bool:
        return self._verdict(case) == Verdict.REVIEW

    def _row(self, case: str) -> Waiting:
        planned, built = self._planned[case], self._built.get(case)
        decision = self._decisions.get(case)
        is_taken_up = planned.settled == (decision.seen if decision else ()) and not self._is_reopened(case)
        settled = set(decision.seen if decision else ())
        issues = [i for i in self._issues.get(case, ()) if i.severity is Severity.REVIEW]
        left = [i for i in issues if as_seen(i) not in settled]
        state = "waiting"
        if decision is not None and (decision.word is Word.REJECT or not left):
            state = "rejected" if decision.word is Word.REJECT else "accepted"
        pairs = self._agreements.get(case, [])
        return Waiting(
            case=case,
            subject=planned.subject,
            site=planned.site,
            state=state,
            is_new=not is_taken_up,
            issues=tuple(left if state == "waiting" else issues),
            agreements=tuple(sorted(pairs, key=lambda p: (_least(p), p.label, p.rater_a, p.rater_b))),
            labels=() if built is None else built.labels,
            decision=decision,
        )


def _least(pair: AgreementRow) -> float:
    return min((v for v in (pair.dice, pair.f1) if v is not None), default=2.0)
