"""Asking what became of a thing: by path, folder, file name, id or UID."""

from dataclasses import replace

import pytest

from isocenter.base import tables
from isocenter.base.errors import ConfigError, StaleArtefact
from isocenter.base.workspace import Workspace
from isocenter.model.rows import Stack
from isocenter.pipeline.explain import explain
from isocenter.pipeline.run import run
from tests.unit.pipeline.archives import write_ct, write_rtstruct


@pytest.fixture
def workspace(cohort):
    """A CT, structures of nothing, and a text, screened and enrolled."""
    write_ct(cohort.folder / "north" / "ct", "p1", slices=6, series="1.2.826.7")
    write_rtstruct(cohort.folder / "south" / "rs", "p1", ["GTV"])
    (cohort.folder / "north" / "notes.txt").write_text("hello\nthere\n")
    return run(cohort.write(), until="enrol").workspace


def test_a_file_by_its_path_its_name_and_its_absolute_path(workspace, cohort):
    for what in ("ct/3.dcm", "3.dcm", str(cohort.folder / "north" / "ct" / "3.dcm")):
        (one,) = explain(workspace, what)
        assert (one.target, one.kind) == ("ct/3.dcm", "file")
        assert "It is slice 4 of 6 of stack stk-" in " ".join(one.lines)


def test_a_folder_is_every_file_below_it(workspace, cohort):
    assert len(explain(workspace, "ct")) == len(explain(workspace, f"{cohort.folder / 'north' / 'ct'}/")) == 6
    assert len(explain(workspace, str(cohort.folder / "north"))) == 7


def test_a_stack_and_the_ids_that_name_it(workspace):
    (one,) = explain(workspace, "1.2.826.7")
    assert one.kind == "stack"
    words = " ".join(one.lines).replace(",", " ").replace(".", " ").split()
    for name in ("stk-", "ser-", "sub-"):
        (identifier,) = {w.rstrip(":") for w in words if w.startswith(name)}
        assert explain(workspace, identifier) == (one,)


def test_what_is_ignored_and_what_belongs_to_nothing(workspace):
    (text,) = explain(workspace, "notes.txt")
    assert (text.state, text.reason) == ("ignored", "text")
    (structures,) = explain(workspace, "rs.dcm")
    assert (structures.state, structures.reason) == ("excluded", "enrol/annotation-of-nothing")
    assert [i.rule for i in structures.issues] == ["enrol/annotation-of-nothing"]


def test_a_name_nearly_right_is_offered(workspace):
    with pytest.raises(ConfigError, match=r"nothing is known of 'ct/33.dcm'; did you mean 'ct/3.dcm'\?"):
        explain(workspace, "ct/33.dcm")


def test_a_workspace_that_was_never_indexed_says_so(tmp_path):
    with pytest.raises(StaleArtefact, match="index has not been run"):
        explain(tmp_path, "x")


def test_a_volume_of_a_set_and_a_file_of_many_slices_are_told_as_what_they_are(workspace):
    table = Workspace(workspace).table("index", "stacks")
    [stack] = tables.read(table, Stack)
    first = stack.files[0]
    several = replace(
        stack, files=(first,) * 6, axis="time", axis_index=1, axis_count=3, axis_value=2.5, group="g"
    )
    tables.write(table, Stack, [several])
    (one,) = explain(workspace, stack.id)
    assert "1 file, 6 x 4 x 4 voxels" in one.lines[0]
    assert (
        "It is volume 2 of 3 along time (2.5); where: {axis_index: '1'} in a channel asks for it alone."
        in one.lines
    )
    (file,) = explain(workspace, first)
    assert f"It holds 6 of 6 slices of stack {stack.id}." in file.lines
    tables.write(table, Stack, [replace(several, format="nifti", files=(first,), frames=(1,))])
    (file,) = explain(workspace, first)
    assert f"It holds volume 2 of 3 along time (2.5): stack {stack.id}." in file.lines


def test_a_modality_that_is_no_term_is_not_repeated(cohort):
    write_ct(cohort.folder / "north" / "ct", "p1", slices=6, series="1.2.826.7", modality="SECRETNAME")
    (one,) = explain(run(cohort.write(), until="index").workspace, "1.2.826.7")
    assert "SECRETNAME" not in " ".join((*one.lines, *(i.message + i.measured for i in one.issues)))
    assert ": other, 6 files" in one.lines[0]
