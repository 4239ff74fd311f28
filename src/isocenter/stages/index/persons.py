"""Persons: what all headers of a subject and of a study say of age, sex, weight and names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from isocenter.base.database import Database
from isocenter.model.attributes import Attribute
from isocenter.model.device_terms import DeviceTerms
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.stages.index.attributes import (
    Person,
    agreed,
    attributes_of,
    gather,
    personal,
    without_identifiers,
)
from isocenter.stages.index.columns import Members
from isocenter.stages.index.identities import Claim, Identities
from isocenter.stages.index.radiograph import radiograph_attributes
from isocenter.stages.index.subjects import Identity
from isocenter.stages.index.used import SERIES_KEY, used_images

_CLAIM = Claim._fields
_PERSON = Person._fields


@dataclass(slots=True)
class _Told:
    """What the headers of one subject say, each value once."""

    identifiers: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    birth_dates: set[str] = field(default_factory=set)
    sexes: set[str] = field(default_factory=set)

    def add(self, claim: Claim, birth_date: str | None, sex: str | None) -> None:
        self.identifiers.update(i for i in (claim.patient_id, claim.patient_name, birth_date) if i)
        if name := re.sub(r"[\^\s]+", "", claim.patient_name or "").casefold():
            self.names.add(name)
        if birth_date and birth_date.strip():
            self.birth_dates.add(birth_date.strip())
        if sex and sex.strip():
            self.sexes.add(sex.strip().upper())

    @property
    def is_shared(self) -> bool:
        """Whether several people may go by one ID; two sexes of one name are an error in one header."""
        return len(self.birth_dates) > 1 or (len(self.names) > 1 and len(self.sexes) > 1)

    @property
    def measured(self) -> str:
        """How many of each there are, and nothing of what they are."""
        counts = (
            (len(self.names), "name", "names"),
            (len(self.birth_dates), "birth date", "birth dates"),
            (len(self.sexes), "sex", "sexes"),
        )
        return ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts)


class Persons:
    """What is known of subjects and studies from all their headers, and where these disagree.

    Args:
        database: With the views files, instances, annotations and told, and the table of dropped files.
        identities: Whose a file is.
    """

    def __init__(self, database: Database, identities: Identities) -> None:
        studies: dict[tuple[str, str | None], dict[str, set[str]]] = {}
        sexes: dict[str, dict[str, set[str]]] = {}
        for identity, study_uid, person in _persons(database, identities):
            for name, value in personal(person).items():
                studies.setdefault((identity.subject, study_uid), {}).setdefault(name, set()).add(value)
                if name == "sex" and identity.subject:
                    sexes.setdefault(identity.subject, {}).setdefault(name, set()).add(value)
        # age and weight may change from study to study, not within one
        conflicts = {(subject, n) for (subject, _), found in studies.items() for n in agreed(found)[1]}
        conflicts |= {(subject, n) for subject, found in sexes.items() for n in agreed(found)[1]}
        self._studies = {k: agreed(found)[0] for k, found in studies.items()}
        self._subjects = {k: agreed(found)[0] for k, found in sexes.items()}
        self._identifiers: dict[str, frozenset[str]] = {}
        self.issues = [
            because("index/conflicting-attribute", target=subject, measured=f"{name}: two values")
            for subject, name in sorted(conflicts)
            if subject
        ]
        self.issues += self._told(database, identities)
        self._terms = DeviceTerms(i for each in self._identifiers.values() for i in each)

    def _told(self, database: Database, identities: Identities) -> Iterator[Issue]:
        subjects: dict[str, _Told] = {}
        trusted: set[str] = set()
        for source, identity, claim, birth_date, sex in _headers(database, identities):
            subjects.setdefault(identity.subject, _Told()).add(claim, birth_date, sex)
            if identities.finders[source].trusts_headers and source not in identities.by_file:
                trusted.add(identity.subject)
        for subject, told in sorted(subjects.items()):
            self._identifiers[subject] = frozenset(told.identifiers)
            if told.is_shared and subject and subject in trusted:
                yield because(
                    "index/shared-subject", target=subject, measured=told.measured, expected="1 person"
                )

    def attributes_of(
        self, members: Members, identities: list[Identity], row: int = 0
    ) -> tuple[Attribute, ...]:
        """All attributes of a series, without what would name a person; those of the scan are of one row."""
        subject = identities[0].subject
        attributes = attributes_of(
            members.row(row),
            gather(Person(*each) for each in members.together(_PERSON))[0],
            self._studies.get((subject, members.value("study_uid")), {}),
            self._subjects.get(subject, {}),
            is_deidentified=any(members.distinct("identity_removed")),
        )
        clean = without_identifiers(attributes, self._identifiers_of(members, identities), self._terms)
        return (*clean, *radiograph_attributes(members, row))

    def _identifiers_of(self, members: Members, identities: list[Identity]) -> frozenset[str]:
        if subject := identities[0].subject:
            return self._identifiers[subject]
        own = {v for n in ("patient_id", "patient_name", "birth_date") for v in members.distinct(n) if v}
        return frozenset(own).union(*(self._identifiers[i.subject] for i in identities if i.subject))


def _persons(database: Database, identities: Identities) -> Iterator[tuple[Identity, str | None, Person]]:
    """What each series says of its person; it is of the study and subject of its first row."""
    said = ", ".join(f"i.{n}" for n in ("source", *_CLAIM, *_PERSON))
    by_file = _list(identities.by_file)
    order = "{'uid': coalesce(i.sop_instance_uid, ''), 'file_id': i.file_id}"
    place = f"CASE WHEN i.source IN ({by_file}) THEN {{'file_id': i.file_id, 'path': i.path}} END"
    # most rows of a series say the same
    told = used_images(
        f"i.site, i.format, {SERIES_KEY} AS series_key, {said},"
        f" min({order}) AS first_row, arg_min({place}, {order}) AS place"
    )
    packed = ", ".join(f"'{n}': {n}" for n in ("source", "place", *_CLAIM))
    fields = ", ".join(f"first.{n}" for n in _CLAIM)
    question = f"""
        WITH told AS MATERIALIZED ({told} GROUP BY ALL),
        firsts AS (
            SELECT site, format, series_key, arg_min({{{packed}}}, first_row) AS first FROM told
            GROUP BY site, format, series_key
        )
        SELECT DISTINCT first.source, coalesce(first.place.file_id, ''), coalesce(first.place.path, ''),
            {fields}, {", ".join(_PERSON)}
        FROM told JOIN firsts USING (site, format, series_key)
    """
    for source, file_id, path, *texts in database.rows(question):
        claim = Claim(*texts[:4])
        yield identities.find(source, file_id, path, claim), claim.study_uid, Person(*texts[4:])


def _headers(
    database: Database, identities: Identities
) -> Iterator[tuple[int, Identity, Claim, str | None, str | None]]:
    """What any header says, image or not, used or not; once for all files where the header decides."""
    by_file = _list(identities.by_file)
    studies = _list(
        [n for n, f in enumerate(identities.finders) if f.tag not in {"PatientID", "PatientName"}]
    )
    parts = []
    for table, sex in (("instances", "i.sex"), ("annotations", "NULL")):
        said = f"""
            i.patient_id, i.patient_id_issuer, i.patient_name,
            CASE WHEN i.source IN ({studies}) THEN i.study_uid END AS study_uid, i.birth_date, {sex} AS sex
            FROM {table} i
        """
        parts.append(f"SELECT DISTINCT i.source, '', '', {said} WHERE i.source NOT IN ({by_file})")
        parts.append(
            f"SELECT i.source, f.file_id, f.path, {said} JOIN files f ON f.file_id = i.file_id"
            f" WHERE i.source IN ({by_file})"
        )
    question = " UNION ALL ".join(parts)
    for source, file_id, path, *texts in database.rows(question):
        claim = Claim(*texts[:4])
        yield source, identities.find(source, file_id, path, claim), claim, texts[4], texts[5]


def _list(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers)) or "-1"
