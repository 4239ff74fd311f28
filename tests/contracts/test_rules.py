"""Every rule of the catalogue keeps the contract: documented, quiet on clean data, unshaken by bare or odd data."""

import doctest
import math
import re
import typing
from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np
import pytest

from isocenter.base.options import options_of
from isocenter.model.annotation import Annotation, Consensus
from isocenter.model.attributes import Attribute
from isocenter.model.audited import AuditedImage, AuditedSplit
from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Series, Stack
from isocenter.model.split import Split, SplitRow
from isocenter.model.volume import Volume
from isocenter.rules.engine import CATALOGUE, Engine
from isocenter.rules.select import ScreenOptions
from isocenter.testing.audited import an_audited_split, twins
from isocenter.testing.rules import (
    a_case,
    a_nifti,
    a_series,
    a_split,
    a_stack,
    a_volume,
    clean_subjects,
    issues_of,
)

NAMES = CATALOGUE.names()
SCOPES = {Series, Stack, Volume, Annotation, Consensus, Case, Split, AuditedSplit}
HEADINGS = ["Why it matters:", "What to do:", "Examples:", "References:"]
# A rule is named after the bad pattern, so that "allow <name>" reads well; these words begin a remedy.
REMEDIES = {"check", "require", "ensure", "must", "valid", "correct", "fix", "has", "is", "no"}
SECRET = "DOE^JANE 4711"  # what hostile headers hold
KEYWORDS = {"unparsable", "attributes", "absent", "overlong", "repeated"}
TEXTS = {"image_type", "all_rescale_types", "all_transfer_syntaxes", "all_pet_units"}


@pytest.fixture(params=NAMES)
def rule(request: pytest.FixtureRequest):
    return CATALOGUE.get(request.param)


FAMILIES = {
    *("conformance", "identity", "header", "geometry", "affine", "content", "values", "duplicates"),
    *("annotation", "case", "split"),
}


def test_there_are_rules_for_every_scope_and_family() -> None:
    assert {CATALOGUE.get(n).scope for n in NAMES} == SCOPES
    assert {n.partition("/")[0] for n in NAMES} == FAMILIES


def test_there_are_fifty_rules_on_the_images_themselves() -> None:
    """On series, stacks and volumes; what each must say of itself is asked of every rule below."""
    assert sum(CATALOGUE.get(n).scope in {Series, Stack, Volume} for n in NAMES) >= 50


def test_the_name_is_the_path(rule) -> None:
    assert rule.name in NAMES
    assert re.fullmatch(r"[a-z]+/[a-z]+(-[a-z]+)*", rule.name)


def test_the_name_reads_well_after_allow(rule) -> None:
    assert rule.name.partition("/")[2].split("-")[0] not in REMEDIES


def test_the_docstring_has_its_headings_in_order(rule) -> None:
    lines = [line.strip() for line in rule.__doc__.splitlines()]
    assert [line for line in lines if line in HEADINGS] == HEADINGS
    assert rule.__doc__.splitlines()[0].endswith(".")


def test_every_heading_has_a_text(rule) -> None:
    for heading, following in zip(HEADINGS, [*HEADINGS[1:], None], strict=True):
        text = rule.__doc__.partition(heading)[2]
        assert len((text.partition(following)[0] if following else text).strip()) > 10


def test_one_example_is_clean_and_one_is_caught(rule) -> None:
    found = doctest.DocTestParser().get_examples(rule.__doc__)
    wanted = [e.want.strip() for e in found if e.source.startswith(f"issues_of({rule.check.__name__},")]
    assert "[]" in wanted
    assert any(w not in {"", "[]"} for w in wanted)


def test_the_rule_cites_a_clause_that_its_references_name(rule) -> None:
    assert rule.clause
    references = rule.__doc__.partition("References:")[2]
    words = [w for w in re.findall(r"[A-Z0-9][\w.]+", rule.clause) if w not in {"DICOM", "item"}]
    assert any(w in references for w in words)


def test_severity_and_scope_are_known(rule) -> None:
    assert isinstance(rule.severity, Severity)
    assert rule.scope in SCOPES


def test_every_option_has_a_help_text_and_a_default_of_its_type(rule) -> None:
    for option in rule.options:
        assert len(option.help) > 10, option.name
        assert not option.help.endswith("."), option.name
        plain = typing.get_origin(option.type) or option.type
        assert isinstance(option.default, (int, float) if plain is float else plain), option.name


def test_options_are_all_that_may_be_given(rule) -> None:
    assert [o.name for o in rule.options] == [o.name for o in options_of(rule.check)]
    with pytest.raises(TypeError):
        list(rule(next(s for s in clean_subjects() if type(s) is rule.scope), no_such_option=1))


def test_clean_subjects_raise_nothing(rule) -> None:
    for subject in clean_subjects():
        if type(subject) is rule.scope:
            assert issues_of(rule, subject) == []


def test_an_issue_carries_rule_target_severity_and_clause(rule) -> None:
    for issue in (i for subject in _odd(rule.scope) for i in rule(subject)):
        assert issue.rule == rule.name
        assert issue.severity in set(Severity)
        assert issue.clause == rule.clause
        assert issue.message
        assert not issue.message.endswith(".")
        assert issue.target == _id_of(rule.scope)


def test_no_message_repeats_a_text_of_the_header(rule) -> None:
    options = {"wanted": ("CHEST",)} if rule.name == "header/unexpected-body-part" else {}
    for issue in (i for subject in _odd(rule.scope) for i in rule(subject, **options)):
        for text in (issue.message, issue.measured, issue.expected, issue.unit):
            assert SECRET not in text
            assert SECRET.casefold() not in text.casefold()


def test_the_engine_runs_the_rules_of_a_scope_in_the_order_of_their_names() -> None:
    issues = Engine(ScreenOptions()).check(a_stack(has_pixels=False, multi_frame=True, affine=()))
    assert [i.rule for i in issues] == [
        "content/multi-frame-object",
        "content/without-pixels",
        "geometry/unknown-geometry",
    ]
    assert all(isinstance(i, Issue) for i in issues)


@pytest.mark.parametrize("subject", clean_subjects(), ids=lambda s: type(s).__name__)
def test_all_rules_together_pass_clean_subjects(subject: object) -> None:
    assert Engine(ScreenOptions()).check(subject) == []


def _id_of(scope: type) -> str:
    return {
        Series: "series-1",
        Stack: "stack-1",
        Volume: "stack-1",
        Annotation: "annotation-1",
        Consensus: "",
        Case: "case-1",
        Split: "split",
        AuditedSplit: "split",
    }[scope]


def _odd(scope: type) -> Iterator[object]:
    """Subjects of a scope with fields that are bare, hostile or beyond belief."""
    for subject in clean_subjects():
        if type(subject) is not scope:
            continue
        if scope in {Series, Stack}:
            yield from _spoiled(subject)
    if scope is Series:
        yield a_series(
            subject="", n_subjects=3, n_modalities=2, n_frames_of_reference=4, has_patient_id=False
        )
    if scope is Stack:
        yield a_stack(positions_mm=(), shape=(), spacing_mm=(), affine=(), orientation=(), files=())
        yield a_stack(positions_mm=(0, 0, 0))
        yield a_stack(positions_mm=(0,))
        yield a_stack(attributes=tuple(Attribute(name=n, value=SECRET) for n in ("body_part", "model")))
        yield a_stack(modality="MR", positions_mm=(0, 9, 20, 20, 47), shear_mm=30.0, affine_residual_mm=9.0)
        yield a_nifti(shape=(1, 1, 1), spacing_mm=(0.0, 0.0, 0.0), affine=(math.nan,) * 16)
    if scope is Volume:
        yield a_volume(np.full((1, 1, 1), -3024, np.int16))
        yield a_volume(np.full((2, 3, 4), np.inf, np.float32), unit="arbitrary", modality="MR")
        yield a_volume(valid=np.zeros((5, 32, 32), bool))
        yield a_volume(a_volume().array + 4000)
    if scope is Case:
        yield a_case(mask=None, labels=(), boxes=np.full((1, 6), np.nan))
        yield a_case(mask=np.ones((2, 5, 32, 32), np.uint8), valid=np.zeros((5, 32, 32), bool))
    if scope is Split:
        yield a_split(fractions={"train": 1.0})
        yield replace(a_split(), rows=())
        yield a_split(SplitRow(subject="a"), SplitRow(subject="a", partition="test", labels=("x",)))

    if scope is AuditedSplit:
        yield an_audited_split(is_independent=True, is_temporal=True)
        yield an_audited_split(AuditedImage(id="", subject=""), is_temporal=True)
        odd = AuditedImage(id="a", subject="a", partition="test", date="never", site="+", facts=(("x", ""),))
        yield an_audited_split(odd, odd, twins=twins("cropped", "a", "a"), is_temporal=True)


def _spoiled(subject: Series | Stack) -> Iterator[Series | Stack]:
    for field in fields(subject):
        value = getattr(subject, field.name)
        if field.name == "id":
            continue
        if isinstance(value, bool):
            yield replace(subject, **{field.name: not value})
            continue
        # ids, names of labels and keywords of attributes are ours; every other text comes from a header
        if isinstance(value, str) and field.name != "format":
            yield replace(subject, **{field.name: SECRET})
            yield replace(subject, **{field.name: ""})
        elif isinstance(value, float):
            yield from (replace(subject, **{field.name: v}) for v in (0.0, -1.0, math.nan, math.inf, 1e300))
        elif isinstance(value, int):
            yield from (replace(subject, **{field.name: v}) for v in (0, 1, 7))
        elif isinstance(value, tuple) and value and isinstance(value[0], float):
            yield from (
                replace(subject, **{field.name: v})
                for v in ((), (math.nan,) * len(value), (0.0,) * len(value))
            )
        elif value is None:
            yield from (replace(subject, **{field.name: v}) for v in (0, 1, -7))
        elif isinstance(value, tuple) and field.name not in KEYWORDS:
            yield replace(subject, **{field.name: ()})
            if field.name in TEXTS:
                yield from (replace(subject, **{field.name: (SECRET,) * n}) for n in (1, 2))
            elif value and isinstance(value[0], int):
                yield from (replace(subject, **{field.name: v}) for v in ((0,), (0, 1), (-1, 99)))
