"""Every starter that `config init` writes runs as it is, on the kind of folder it was written for."""

from pathlib import Path

import pytest

import isocenter as iso
from isocenter.pipeline.config_init import starter_for
from isocenter.testing.simulate import simulate

_KINDS = ("ct-rtstruct", "nifti-masks", "xray-labels", "ct-boxes", "nnunet", "decathlon")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("starters") / "archive"
    simulate(folder, patients=15, sites=3, matrix=40, slices=10, faults=False, kinds=_KINDS)
    return folder


@pytest.mark.parametrize(
    ("folder", "kind", "task"),
    [
        ("site-a", "dicom-rtstruct", "segmentation"),
        ("site-b", "masks", "segmentation"),
        ("xray", "classification", "classification"),
        ("nodules", "detection", "detection"),
        ("Dataset001_Phantom", "nnunet", "segmentation"),
        ("Task01_Phantom", "decathlon", "segmentation"),
    ],
)
def test_a_starter_runs_as_it_is(archive: Path, tmp_path: Path, folder: str, kind: str, task: str):
    source = archive / folder
    if not source.is_dir():
        pytest.fail(f"the simulator wrote no {folder}: {sorted(p.name for p in archive.iterdir())}")
    config = tmp_path / "cohort.yaml"
    found, text = starter_for([source], config)
    config.write_text(text, encoding="utf-8")
    run = iso.run(config, jobs=1)
    assert found == kind
    assert run.gate is None
    assert run.counts["cases_packed"] > 0
    assert run.counts["files"] == sum(1 for p in source.rglob("*") if p.is_file())
    store = iso.open(run.store)
    assert store.manifest.task.task == task
    assert any(s.state == "positive" for row in store.cases for s in row.labels)
