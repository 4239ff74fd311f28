"""Certificate: what was counted on a split after it was made, and how near it comes to the best there can be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How far one part is from its share of the subjects, of a label or of a stratum.

    `kind` is "subjects", "label" or "stratum". `count` of the `subjects` of the part have it, `target` would be its
    share of all that have it; `least` is how near whole subjects can come to that. `low` and `high` are the Wilson
    95 % interval of `count` of `subjects`; for the subjects themselves, of the part's share of all.
    """

    kind: str
    name: str
    partition: str
    count: int
    subjects: int
    target: float
    least: float
    low: float
    high: float

    @property
    def off(self) -> float:
        """Distance from the target, in subjects."""
        return abs(self.count - self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """How near a split comes to the best there can be with the same subjects, groups and kept places.

    Args:
        distance: Sum of the squared distances from the targets, each over its target (chi-square), sizes counting more.
        bound: No split can have less; equal to `distance` where this one is proved to be a best one.
        proof: "integers" (whole subjects allow no less), "exact" (every other split was ruled out), or "bound"
            (nothing nearer was found, and nothing below the bound exists).
        nodes: Nodes of the branch and bound that was searched, 0 where none was.
        given: What was chosen before and is not covered by the proof: "with centres c1, c4 held out"; "" where all is.
    """

    distance: float
    bound: float
    proof: str
    nodes: int = 0
    given: str = ""

    @property
    def is_best(self) -> bool:
        """Whether it is proved that no split comes nearer."""
        return self.proof != "bound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What holds of a split, counted from its rows and not taken over from what made them.

    Args:
        cohort: Digest of who was there to be split, with sites, groups, labels and strata.
        places: Digest of who is where.
        subjects: Number of subjects that are there.
        groups: Number of groups that stay together.
        largest: Subjects of the largest group.
        subjects_twice: Subjects in two partitions.
        groups_divided: Groups in two partitions.
        cases_twice: Cases in two partitions.
        deviations: Of every part: its size, each label, each stratum.
        optimum: How near the best it is; None where the places were given or drawn, not chosen.
        obstacles: What stood in the way, with numbers.
    """

    cohort: str
    places: str
    subjects: int
    groups: int
    largest: int
    subjects_twice: int
    groups_divided: int
    cases_twice: int
    deviations: tuple[Deviation, ...] = ()
    optimum: Optimum | None = None
    obstacles: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nobody, no group and no case is in two partitions."""
        return not (self.subjects_twice or self.groups_divided or self.cases_twice)
