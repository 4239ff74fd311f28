"""Tables of the index that sum up: studies, subjects, and how often values occur."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """`index/studies.parquet`: the series of one study, by pseudonym."""

    id: str
    subject: str
    site: str
    modalities: tuple[str, ...]
    n_series: int
    n_instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRow:
    """`index/subjects.parquet`: the studies of one subject, by pseudonym; "" gathers what names nobody."""

    id: str
    site: str
    modalities: tuple[str, ...]
    n_studies: int
    n_series: int
    n_instances: int
    is_dummy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCount:
    """`index/values.parquet`: how often a value of a header attribute occurs among image series."""

    attribute: str
    value: str
    count: int
