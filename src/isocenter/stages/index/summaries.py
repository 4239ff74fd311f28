"""Summaries: the rows of studies and subjects, and how often telling values occur, from series and stacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from isocenter.model.rows import Series, Stack, Study, SubjectRow, ValueCount

_TELLING = ("manufacturer", "model", "convolution_kernel", "body_part")


@dataclass(slots=True)
class _Count:
    """What is counted of the series of one study or subject."""

    modalities: set[str] = field(default_factory=set)
    n_studies: int = 0
    n_series: int = 0
    n_instances: int = 0
    is_dummy: bool = False

    def add(self, series: Series) -> None:
        if series.modality:
            self.modalities.add(series.modality)
        self.n_series += 1
        self.n_instances += series.n_instances
        self.is_dummy |= series.is_dummy_patient_id


class Summaries:
    """Counts that grow with every series."""

    def __init__(self) -> None:
        self._studies: dict[tuple[str, str, str], _Count] = {}
        self._subjects: dict[tuple[str, str], _Count] = {}
        self._values: Counter[tuple[str, str]] = Counter()

    def add(self, series: Series, stacks: Sequence[Stack]) -> None:
        """Count one series and its stacks."""
        study = (series.study, series.subject, series.site)
        subject = self._subjects.setdefault(study[1:], _Count())
        if study not in self._studies:
            self._studies[study] = _Count()
            subject.n_studies += 1
        self._studies[study].add(series)
        subject.add(series)
        for stack in stacks:
            self._values["modality", stack.modality] += 1
            found = {a.name: a.value for a in stack.attributes}
            for name in _TELLING:
                self._values[name, found.get(name, "")] += 1

    def studies(self) -> list[Study]:
        """The rows of all studies."""
        return [
            Study(
                id=study,
                subject=subject,
                site=site,
                modalities=tuple(sorted(c.modalities)),
                n_series=c.n_series,
                n_instances=c.n_instances,
            )
            for (study, subject, site), c in sorted(self._studies.items(), key=lambda item: item[0])
        ]

    def subjects(self) -> list[SubjectRow]:
        """The rows of all subjects."""
        return [
            SubjectRow(
                id=subject,
                site=site,
                modalities=tuple(sorted(c.modalities)),
                n_studies=c.n_studies,
                n_series=c.n_series,
                n_instances=c.n_instances,
                is_dummy=c.is_dummy,
            )
            for (subject, site), c in sorted(self._subjects.items(), key=lambda item: item[0])
        ]

    def values(self) -> list[ValueCount]:
        """How often each value of a telling attribute occurs, one count per stack."""
        return [ValueCount(attribute=a, value=v, count=n) for (a, v), n in sorted(self._values.items())]
