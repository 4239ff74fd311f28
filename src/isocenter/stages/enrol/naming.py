"""Naming: from the names in annotation files to labels, with an account of every name that was met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.model.annotation import Part
from isocenter.model.issue import Issue
from isocenter.model.name_rows import NameRow
from isocenter.model.reasons import because
from isocenter.model.rows import AnnotationObject, Stack
from isocenter.model.vocabulary import Vocabulary, scrub
from isocenter.stages.enrol.inputs import Inputs

# Of a name that is longer than this only the beginning is told.
MAX_NAME = 64
# Place of the origin, format, name, code and label -> how often.
Met = Counter[tuple[int, str, str, str, str]]


class Naming:
    """The vocabulary at work; all names are kept in `met`.

    Args:
        inputs: The tables.
        vocabulary: The labels.
        names: The workspace's pseudonyms.
        issues: Where names of no label are told.
    """

    def __init__(
        self, inputs: Inputs, vocabulary: Vocabulary, names: Pseudonyms, issues: list[Issue]
    ) -> None:
        self._inputs = inputs
        self.vocabulary = vocabulary
        self._names = names
        self.issues = issues
        self.met: Met = Counter()
        self.source = 0

    def read(
        self, file_id: str, parts: Iterable[Part], identifiers: Iterable[str], *, form: str
    ) -> tuple[dict[int, str], list[str]]:
        """Key to label, and labels of which several keys fit a pattern; names of no label are told, scrubbed.

        Args:
            file_id: The file that the names are in.
            parts: What is in it.
            identifiers: What its subject goes by.
            form: Format of the file.
        """
        known = set(identifiers)
        out: dict[int, str] = {}
        by_pattern, seen = set(), set()
        told: set[str] = set()
        for part in parts:
            label, is_exact = self.vocabulary.match_part(part)
            text = scrub(part.name, known)[:MAX_NAME]
            seen.add((self.source, form, text, part.code, label or ""))
            if label is not None:
                out[part.key] = label
                by_pattern |= set() if is_exact else {label}
            elif part.picture == "" or text not in told:  # one of many pictures tells it for all
                told.add(text)
                target = self._names.of("ann", file_id)
                self.issues.append(because("enrol/unmapped-label", target=target, measured=text))
        self.met.update(seen)
        counts = Counter(out.values())
        several = [f"{n} for {label}" for label, n in counts.items() if n > 1 and label in by_pattern]
        return out, sorted(several)

    def identifiers(self, subjects: Iterable[str]) -> set[str]:
        """What some subjects go by in their own headers."""
        return {i for s in subjects for i in self._inputs.identifiers.get(s, ())}

    def identifiers_of(self, found: AnnotationObject, stacks: Iterable[Stack]) -> set[str]:
        """What the subjects of an object and of its images go by."""
        own = {i for i in (found.patient_id, found.patient_name, found.birth_date) if i}
        return self.identifiers({found.subject, *(s.subject for s in stacks)}) | own


def parts_of(found: AnnotationObject) -> list[Part]:
    """What is in an object."""
    count = len(found.numbers)
    columns = (found.labels, found.codes, found.ids, found.shapes, found.raters, found.pictures)
    texts: list[Sequence[str]] = [c or ("",) * count for c in columns]
    return [
        Part(key=k, name=n, code=c, id=i, shape=s, rater=r, picture=p)
        for k, n, c, i, s, r, p in zip(found.numbers, *texts, strict=True)
    ]


def name_rows(met: Met) -> list[NameRow]:
    """What became of every name, sorted."""
    return [
        NameRow(source=source, format=form, name=name, code=code, label=label, count=count)
        for (source, form, name, code, label), count in sorted(met.items())
    ]
