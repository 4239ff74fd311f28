"""Reading: the volumes that were read by hand, and the verdict on every stack that was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from isocenter.base.errors import RejectedError
from isocenter.model.issue import Issue, Severity, Verdict, verdict_of
from isocenter.model.modality import shown
from isocenter.model.rows import Stack
from isocenter.model.volume import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class StackVerdict:
    """What became of one stack, and why.

    Args:
        stack: Its id; a volume that was read of it has the same.
        series: Id of its series.
        verdict: Keep, review or reject: the worst severity of its issues.
        modality: What it is an image of; "other" where the header has no term for it.
        shape: (K, J, I), () where it is not known.
        axis: Where it stands in a set of several volumes: "time 3 of 10"; "" where there is one.
        issues: Everything that was seen on it.
    """

    stack: str
    series: str
    verdict: Verdict
    modality: str
    shape: tuple[int, ...]
    axis: str = ""
    issues: tuple[Issue, ...] = ()

    @property
    def deciding(self) -> tuple[Issue, ...]:
        """The issues that made the verdict: those of its severity; none where it is keep."""
        return tuple(i for i in self.issues if i.severity is not None and i.severity.value == self.verdict)

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the rules that made the verdict."""
        return tuple(dict.fromkeys(i.rule for i in self.deciding)) if self.verdict is not Verdict.KEEP else ()

    def __str__(self) -> str:
        size = " x ".join(map(str, self.shape)) or "no size"
        what = " ".join(t for t in (_kind(self.modality), size, self.axis) if t)
        seen = self.deciding if self.verdict is not Verdict.KEEP else ()
        why = "; ".join(dict.fromkeys(_reason(i) for i in seen))
        return f"{self.verdict:<6}  {self.stack}  {what}" + (f": {why}" if why else "")


def judged(stack: Stack, issues: tuple[Issue, ...]) -> StackVerdict:
    """The verdict on a stack of which these issues were seen."""
    return StackVerdict(
        stack=stack.id,
        series=stack.series,
        verdict=verdict_of(issues),
        modality=shown(stack.modality),
        shape=stack.shape,
        axis=f"{stack.axis} {stack.axis_index + 1} of {stack.axis_count}" if stack.axis else "",
        issues=issues,
    )


def _reason(issue: Issue) -> str:
    clause = f" [{issue.clause}]" if issue.clause else ""
    return f"{issue.rule}: {issue.message}{clause}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reading:
    """Volumes read from files, and what was seen on the way; iterating gives the volumes.

    Args:
        volumes: Those of the stacks that were not rejected; the volumes of one set (time, echo, ...) follow
            each other in its order.
        issues: Everything that was seen, on files, series, stacks and volumes.
        verdicts: By the id of a stack: what became of it, and why.
    """

    volumes: tuple[Volume, ...]
    issues: tuple[Issue, ...]
    verdicts: Mapping[str, StackVerdict] = field(default_factory=dict)

    @property
    def volume(self) -> Volume:
        """The one volume.

        Raises:
            RejectedError: there is none, or more than one; the message names the stacks.
        """
        if len(self.volumes) == 1:
            return self.volumes[0]
        if not self.volumes:
            told = "; ".join(sorted({i.message for i in self.issues if i.severity is Severity.REJECT}))
            raise RejectedError(f"no volume could be read: {told or 'no image was found'}")
        shapes = "; ".join(_named(v) for v in self.volumes)
        raise RejectedError(
            f"{len(self.volumes)} stacks, not one: {shapes}. Iterate, or name one of them: series='...'."
        )

    def __iter__(self) -> Iterator[Volume]:
        return iter(self.volumes)

    def __len__(self) -> int:
        return len(self.volumes)

    def __repr__(self) -> str:
        told = [str(v) for v in self.verdicts.values()]
        stacks = len(self.verdicts)
        head = f"{len(self.volumes)} of {stacks} stack{'s'[: stacks != 1]} read"
        loose = [i for i in self.issues if i.target not in self.verdicts and i.severity is not None]
        told += [
            f"{i.severity:<6}  {i.rule}: {i.message}" + (f" ({i.measured})" if i.measured else "")
            for i in loose
        ]
        return "\n".join([head, *told])


def _kind(modality: str) -> str:
    """What an image is, in words that cannot name a person: a header may hold anything as its modality."""
    term = shown(modality)
    return "image" if term in {"", "other"} else term


def _named(volume: Volume) -> str:
    axis = volume.axis
    place = f" {axis.name} {axis.index + 1} of {axis.count}" if axis is not None else ""
    return f"{volume.id}: {_kind(volume.modality)} {volume.grid.shape}{place}"
