from collections import Counter
from dataclasses import replace

import pytest

from isocenter.base import tables
from isocenter.base.progress import silent
from isocenter.base.workspace import Workspace
from isocenter.model.issue import Issue
from isocenter.model.rows import FileRow, Series, Stack, VerdictRow
from isocenter.model.task import Channel
from isocenter.rules.select import ScreenOptions
from isocenter.stages.screen import stage
from isocenter.stages.screen.stage import screen
from isocenter.testing.rules import a_series, a_stack

CT = {"ct": Channel(modality="CT")}


class Place:
    """A workspace whose index holds some stacks; each is of one file, `<id>.<format>`."""

    def __init__(self, folder):
        self.workspace = Workspace(folder)

    def put(self, *stacks, series=None, issues=()):
        index = self.workspace.stage("index")
        stacks = [replace(s, files=(f"f-{s.id}", *s.files[1:])) for s in stacks]
        files = [
            FileRow(file_id=s.files[0], source=0, path=f"{s.id}.{s.format}", size=1, mtime_ns=1, kind="x")
            for s in stacks
        ]
        ids = sorted({s.series for s in stacks})
        tables.write(index / "files.parquet", FileRow, files)
        tables.write(index / "stacks.parquet", Stack, stacks)
        tables.write(index / "series.parquet", Series, [replace(series or a_series(), id=i) for i in ids])
        tables.write(index / "issues.parquet", Issue, issues)
        self.workspace.finish("index", "k", digest="d", counts={})

    def screen(self, channels=CT, masks=(), **options):
        self.counts = screen(ScreenOptions(**options), channels, masks, self.workspace, progress=silent)
        rows = tables.read(self.workspace.table("screen", "verdicts"), VerdictRow)
        self.issues = list(tables.read(self.workspace.table("screen", "issues"), Issue))
        return {r.target: (r.verdict, r.reason, r.channels) for r in rows}


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_a_clean_stack_that_is_asked_for_is_kept(place):
    place.put(a_stack(id="a"))
    assert place.screen() == {"a": ("keep", "", ("ct",))}
    assert place.counts == {"stacks": 1, "wanted": 1, "keep": 1, "review": 0, "reject": 0, "defective": 0}


def test_what_nobody_asks_for_is_not_judged(place):
    place.put(a_stack(id="a", modality="MR", affine=()))
    assert place.screen() == {"a": ("reject", "enrol/not-wanted", ())}
    assert place.issues == []
    assert place.counts["wanted"] == place.counts["defective"] == 0


def test_a_mask_is_no_image_whatever_the_channels_are_called(place):
    place.put(a_stack(id="a", format="nifti", modality=""), a_stack(id="b", format="nifti", modality=""))
    channels = {
        "mask": Channel(modality="CT", path=("a.nifti",)),
        "?": Channel(modality="CT", path=("a.nifti",)),
    }
    found = place.screen(channels, ["b.nifti"])
    assert found["a"][2] == ("mask", "?")
    assert found["b"] == ("reject", "enrol/annotation-of-nothing", ())


def test_a_dicom_image_of_no_modality_is_judged_but_counts_for_nothing(place):
    place.put(a_stack(id="a", modality=""), series=a_series(modality=""))
    [(verdict, reason, channels)] = place.screen().values()
    assert (verdict, channels) == ("reject", ())
    assert reason == "header/missing-modality"
    assert place.counts["wanted"] == 0


def test_a_file_without_modality_is_judged_as_what_the_channel_takes_it_for(place):
    seen = []
    place.put(a_stack(id="a", format="nifti", modality=""))
    real = stage.Engine.check

    def check(self, subject):
        seen.append(subject.modality)
        return real(self, subject)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stage.Engine, "check", check)
        place.screen({"ct": Channel(modality="CT", path=("*",))})
    assert "CT" in seen


def test_the_rules_run_once_on_every_series_and_stack(place, monkeypatch):
    seen = Counter()
    real = stage.Engine.check
    monkeypatch.setattr(
        stage.Engine, "check", lambda self, s: seen.update([(type(s), s.id)]) or real(self, s)
    )
    place.put(
        *[a_stack(id=f"a{n}", series=f"s{n % 2}") for n in range(6)],
        a_stack(id="b", series="s9", modality="MR"),
    )
    place.screen()
    assert set(seen.values()) == {1}
    assert Counter(t for t, _ in seen) == {Stack: 6, Series: 2}


def test_what_is_wrong_with_a_series_or_was_seen_by_the_index_falls_on_its_stacks(place):
    issue = Issue(message="m", rule="index/lost-slices", target="a", severity="review")
    place.put(a_stack(id="a", series="s"), a_stack(id="b", series="s"), issues=[issue])
    assert place.screen()["a"][:2] == ("review", "index/lost-slices")
    place.put(
        a_stack(id="a", series="s"), a_stack(id="b", series="s"), series=a_series(is_dummy_patient_id=True)
    )
    place.workspace.finish("index", "k", digest="d2", counts={})
    assert {v[:2] for v in place.screen().values()} == {("reject", "identity/dummy-patient-id")}
    assert {i.target for i in place.issues} == {"a", "b"}
    assert place.counts["defective"] == 2


def test_content_that_is_no_defect_does_not_count_as_one(place):
    place.put(a_stack(id="a", image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")))
    [(verdict, reason, _)] = place.screen().values()
    assert (verdict, reason, place.counts["defective"]) == ("reject", "content/localizer", 0)


def test_options_make_it_stale_and_nothing_else(place):
    place.put(a_stack(id="a", affine=()))
    mark = place.workspace.root / "screen" / "done.json"
    place.screen()
    before = mark.stat().st_mtime_ns
    place.screen()
    assert mark.stat().st_mtime_ns == before
    place.screen(select=("values",))
    assert mark.stat().st_mtime_ns != before


@pytest.mark.parametrize(
    ("what", "of"),
    [("isocenter.stages.screen.stage", "__version__"), ("isocenter.rules.engine.Engine", "form")],
)
def test_other_rules_or_another_version_make_it_stale(place, monkeypatch, what, of):
    place.put(a_stack(id="a"))
    mark = place.workspace.root / "screen" / "done.json"
    place.screen()
    before = mark.read_bytes()
    monkeypatch.setattr(f"{what}.{of}", "another")
    place.screen()
    assert mark.read_bytes() != before
