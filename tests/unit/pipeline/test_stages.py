"""How stages are wired: whose rules are whose, and what a stale stage leaves."""

from types import SimpleNamespace

import pytest

import isocenter
from isocenter.base.workspace import Workspace
from isocenter.model.issue import Severity
from isocenter.pipeline.stages import STAGES, forget_after, rules_of
from isocenter.rules.select import ScreenOptions
from isocenter.stages.build.options import GapPolicy, Standardise
from tests.properties.tiny import write_cohort, write_patient


def context(*, standardise=None, **screen):
    config = SimpleNamespace(
        screen=ScreenOptions(**screen),
        standardise=standardise or Standardise(),
        split=SimpleNamespace(min_external_share=0.3),
        agreement=SimpleNamespace(min_dice=0.8, min_f1=0.6),
    )
    return SimpleNamespace(config=config)


def test_rules_on_splits_are_told_apart_from_those_on_images():
    one = context(
        select=("geometry", "split/empty-partition"),
        ignore={"split/fractions-off-target": "few", "geometry/gantry-tilt": "all are tilted"},
        severity={"split": Severity.NOTE, "header": Severity.NOTE},
    )
    images, splits = rules_of(one), rules_of(one, is_split=True)
    assert (images.select, splits.select) == (("geometry",), ("split/empty-partition",))
    assert (set(images.ignore), set(splits.ignore)) == (
        {"geometry/gantry-tilt"},
        {"split/fractions-off-target"},
    )
    assert (set(images.severity), set(splits.severity)) == ({"header"}, {"split"})


def test_all_is_all_of_both():
    assert rules_of(context()).select == rules_of(context(), is_split=True).select == ("all",)


def test_limits_of_the_config_are_the_rules_own():
    assert rules_of(context()).options == {
        "annotation/low-agreement": {"min_dice": 0.8, "min_f1": 0.6},
        "values/unconvertible-pet": {"wanted": "suvbw"},
    }
    assert rules_of(context(), is_split=True).options == {
        "split/too-few-external-subjects": {"min_share": 0.3}
    }


def test_a_rule_that_was_given_a_limit_keeps_it():
    own = {"annotation/low-agreement": {"min_dice": 0.5}, "values/unconvertible-pet": {"wanted": "suvbsa"}}
    low = {"min_dice": 0.5, "min_f1": 0.6}
    assert rules_of(context(options=own)).options == own | {"annotation/low-agreement": low}


def test_what_is_resampled_is_for_review():
    policies = Standardise(gaps=GapPolicy.RESAMPLE)
    assert rules_of(context(standardise=policies)).severity == {"geometry/missing-slices": Severity.REVIEW}
    assert rules_of(context(standardise=policies), is_split=True).severity == {}


def test_the_share_that_stops_a_run_is_no_rule():
    assert rules_of(context(stop_at_rejected_share=0.1)) == rules_of(context(stop_at_rejected_share=0.9))


@pytest.fixture
def workspace(tmp_path):
    place = Workspace(tmp_path)
    for stage in STAGES[:-1]:
        (place.stage(stage) / "issues.parquet").touch()
        place.finish(stage, f"key of {stage}", counts={})
    (place.stage("enrol") / "frozen.json").touch()
    (tmp_path / "build" / "shards" / "00000").mkdir(parents=True)
    (tmp_path / "build" / "shards" / "00000" / "cases.parquet").touch()
    return place


def test_later_stages_are_forgotten_and_their_shards_kept(workspace):
    forget_after("screen", workspace)
    assert [s for s in STAGES if workspace.done(s)] == ["index", "screen"]
    assert (workspace.root / "enrol" / "frozen.json").exists()
    left = {p.relative_to(workspace.root).as_posix() for p in workspace.root.rglob("*.parquet")}
    assert left == {"index/issues.parquet", "screen/issues.parquet", "build/shards/00000/cases.parquet"}


def test_nothing_comes_after_the_audit(workspace):
    forget_after("audit", workspace)
    assert [s for s in STAGES if workspace.done(s)] == list(STAGES[:-1])


@pytest.mark.parametrize(
    ("what", "of"),
    [
        ("isocenter.pipeline.stages", "__version__"),
        ("isocenter.rules.engine.Engine", "form"),
        ("isocenter.agreement.consensus.Plugins", "form"),
    ],
)
def test_another_version_rule_or_method_builds_every_case_again(tmp_path, monkeypatch, what, of):
    write_patient(tmp_path / "archive", "north", "p0")
    (tmp_path / "archive" / "south").mkdir()
    config = write_cohort(tmp_path, tmp_path / "archive")
    assert isocenter.run(config, until="build").stages[-1].counts["built"] == 1
    assert isocenter.run(config, until="build").is_fresh
    other = (lambda *_: "another") if what.endswith("Plugins") else "another"
    monkeypatch.setattr(f"{what}.{of}", other)
    assert isocenter.run(config, until="build").stages[-1].counts["built"] == 1
