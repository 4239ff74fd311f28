"""The engine runs the selected rules of a scope with their options, and weighs issues as the config says."""

import sys

import pytest

from isocenter.base.plugins import Plugins
from isocenter.model.issue import Severity
from isocenter.rules import engine
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.testing.rules import a_series, a_stack

THICK = a_stack(
    modality="MR",
    slice_distance_mm=6.5,
    slice_thickness_mm=6.5,
    sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
    is_lossy=True,
)


def rules_of(**options) -> list[str]:
    return [i.rule for i in Engine(ScreenOptions(**options)).check(THICK)]


def test_all_rules_run_by_default() -> None:
    assert rules_of() == ["content/lossy-compression", "geometry/wide-slice-spacing"]


def test_families_and_rules_can_be_selected_and_ignored() -> None:
    assert rules_of(select=("geometry",)) == ["geometry/wide-slice-spacing"]
    assert rules_of(select=("content/lossy-compression",)) == ["content/lossy-compression"]
    assert rules_of(ignore={"geometry": "the protocol is thick"}) == ["content/lossy-compression"]
    assert rules_of(select=("identity",)) == []


def test_options_reach_their_rule() -> None:
    assert rules_of(options={"geometry/wide-slice-spacing": {"limit_mm": 7.0}}) == [
        "content/lossy-compression"
    ]


@pytest.mark.parametrize("severity", list(Severity))
def test_a_configured_severity_overrides_that_of_the_issue(severity: Severity) -> None:
    name = "identity/missing-patient-id"
    engine = Engine(ScreenOptions(select=(name,), severity={name: severity}))
    for subject in ("", "subject-1"):
        found = engine.check(a_series(has_patient_id=False, subject=subject))
        assert [i.severity for i in found] == [severity]


def test_rules_of_another_scope_do_not_run() -> None:
    assert Engine(ScreenOptions()).check("a text") == []


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    """A catalogue of two rules, in a folder that can be written to."""
    folder = tmp_path / "some_rules" / "family"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    for path in (folder / "__init__.py", folder / "one.py", folder / "two.py"):
        path.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(engine, "CATALOGUE", Plugins("some_rules", symbol=""))
    yield folder
    for name in [n for n in sys.modules if n.startswith("some_rules")]:
        del sys.modules[name]


def test_an_edited_rule_makes_another_form_if_it_is_selected(catalogue) -> None:
    def form(*names: str) -> str:
        return Engine(ScreenOptions(select=names)).form

    first, other, everything = form("family/one"), form("family/two"), form("all")
    assert len({first, other, everything}) == 3
    (catalogue / "one.py").write_text("# edited")
    assert form("family/one") != first
    assert form("all") != everything
    assert form("family/two") == other


def test_an_installed_rule_makes_another_form_and_so_does_its_next_version(
    catalogue, tmp_path, monkeypatch
) -> None:
    def form() -> str:
        """Of another process: what is installed is looked for once."""
        monkeypatch.setattr(engine, "CATALOGUE", Plugins("some_rules", symbol=""))
        return Engine(ScreenOptions()).form

    forms = [form()]
    info = tmp_path / "guest-1.dist-info"
    info.mkdir()
    (tmp_path / "guest.py").write_text("rule = None")
    (info / "entry_points.txt").write_text("[some_rules]\nfamily/guest = guest:rule\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: guest\nVersion: 1\n")
    forms.append(form())
    (tmp_path / "guest.py").write_text("rule = 1")
    forms.append(form())
    info.rename(tmp_path / "guest-2.dist-info")
    (tmp_path / "guest-2.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: guest\nVersion: 2\n")
    forms.append(form())
    assert len(set(forms)) == 4
