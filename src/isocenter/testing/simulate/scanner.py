"""The simulated scanner: a whole multi-centre archive in one call."""

from __future__ import annotations

from pathlib import Path

from isocenter.base.errors import ConfigError, ConfigProblem
from isocenter.testing.simulate.archive import READERS, VOCABULARY, Archive
from isocenter.testing.simulate.ct import Patient
from isocenter.testing.simulate.faults import files, identity, masks, series
from isocenter.testing.simulate.kinds import (
    ct_boxes,
    ct_rtstruct,
    layouts,
    nifti_masks,
    nrrd_masks,
    other_modalities,
    xray_labels,
)
from isocenter.testing.simulate.truth import TrueSite, Truth

SITE_KINDS = ("ct-rtstruct", "nifti-masks", "nrrd-masks")
KINDS = (*SITE_KINDS, "mr", "pet", "xray-labels", "ct-boxes", "nnunet", "decathlon")

# Of a centre's patients, the share that has a lesion, and its share of all patients.
_PREVALENCE = (0.8, 0.65, 0.5)
_SIZES = (4, 3, 3)
_TEMPLATES = {
    "ct-rtstruct": ("{person}/study/CT/*", "{person}/study/{reader}/RS.*.dcm"),
    "nifti-masks": ("{subject}/ct.nii.gz", "{subject}/reader{reader}.nii.gz"),
    "nrrd-masks": ("{subject}/ct.nrrd", "{subject}/reader{reader}-label.nrrd"),
    "xray-labels": ("images/*.dcm", ""),
    "ct-boxes": ("scans/{subject}/*.dcm", ""),
    "nnunet": ("imagesTr/{subject}_0000.nii.gz", "labelsTr/{subject}.nii.gz"),
    "decathlon": ("imagesTr/{subject}.nii.gz", "labelsTr/{subject}.nii.gz"),
}
_FOLDERS = {
    "xray-labels": "xray",
    "ct-boxes": "nodules",
    "nnunet": "Dataset001_Phantom",
    "decathlon": "Task01_Phantom",
}
# Pixels of a coarser matrix would be larger than any scanner makes them.
MIN_MATRIX, MIN_SLICES = 40, 8


def simulate(
    folder: Path,
    *,
    patients: int = 30,
    sites: int = 3,
    seed: int = 0,
    matrix: int = 112,
    slices: int = 28,
    faults: bool = True,
    identifiers: bool = True,
    special_files: bool = False,
    kinds: tuple[str, ...] = KINDS,
    truth: Path | None = None,
) -> Truth:
    """Write a simulated archive and the truth about it.

    The same arguments write the same bytes, on any day and under any path.

    Args:
        folder: Where to; must be empty or absent.
        patients: Good patients of all centres together; every fault brings a patient of its own besides.
        sites: Centres; they take turns with those of `kinds` that are ways of keeping CT and masks.
        seed: Another seed is another archive.
        matrix: Pixels along each side of a CT slice.
        slices: Slices of a CT.
        faults: Whether to plant faults.
        identifiers: Whether to plant names, birth dates and the like.
        special_files: Whether to add a symbolic link and a pipe (with faults only).
        kinds: Which parts to write, see `KINDS`.
        truth: Where to write the truth as JSON; by default beside the folder, `<folder>.truth.json`.

    Raises:
        ConfigError: An argument is out of range, or the folder is not empty.
    """
    _check(folder, patients, sites, matrix, slices, kinds)
    archive = Archive(
        root=folder,
        seed=seed,
        matrix=matrix,
        slices=slices,
        has_identifiers=identifiers,
        has_special_files=special_files,
    )
    folder.mkdir(parents=True, exist_ok=True)
    centres = [kind for kind in SITE_KINDS if kind in kinds]
    for index in range(sites if centres else 0):
        name = f"site-{chr(ord('a') + index)}"
        archive.sites.append(_site(name, centres[index % len(centres)], name))
    for kind, place in _FOLDERS.items():
        if kind in kinds:
            archive.sites.append(_site(kind, kind, place))
    written = _write_centres(archive, patients)
    _write_modalities(archive, written, kinds)
    _write_tasks(archive, patients)
    if faults:
        _plant_faults(archive, written, kinds)
    out = Truth(
        seed=seed,
        sites=tuple(archive.sites),
        cases=tuple(archive.cases),
        faults=tuple(archive.faults),
        identifiers=archive.identifiers,
        readers=READERS,
        vocabulary=VOCABULARY,
    )
    out.write(truth or folder.with_name(f"{folder.name}.truth.json"))
    return out


def _check(folder: Path, patients: int, sites: int, matrix: int, slices: int, kinds: tuple[str, ...]) -> None:
    """Every argument that is wrong, at once."""
    problems = [
        ConfigProblem("kinds", f"there is no kind {kind!r}", hint=f"there are {', '.join(KINDS)}")
        for kind in kinds
        if kind not in KINDS
    ]
    for name, value, low, high in (
        ("patients", patients, sites, 900),
        ("sites", sites, 1, 26),
        ("matrix", matrix, MIN_MATRIX, 1024),
        ("slices", slices, MIN_SLICES, 1024),
    ):
        if not low <= value <= high:
            problems.append(ConfigProblem(name, f"{value} is not between {low} and {high}"))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        problems.append(ConfigProblem("folder", "is not an empty folder"))
    if problems:
        raise ConfigError(problems, source="simulate")


def _site(name: str, kind: str, folder: str) -> TrueSite:
    images, masks_ = _TEMPLATES[kind]
    return TrueSite(name=name, kind=kind, folder=folder, images=images, masks=masks_)


def _write_centres(archive: Archive, patients: int) -> dict[str, list[Patient]]:
    """Write all centres; returns the patients of each that keeps DICOM."""
    centres = [site for site in archive.sites if site.kind in SITE_KINDS]
    sizes = [_SIZES[n % len(_SIZES)] for n in range(len(centres))]
    written: dict[str, list[Patient]] = {}
    done = 0
    for n, site in enumerate(centres):
        until = round(patients * sum(sizes[: n + 1]) / sum(sizes))
        count, done = until - done, until
        positives = max(1, round(count * _PREVALENCE[n % 3]))
        if site.kind == "ct-rtstruct":
            written[site.name] = ct_rtstruct.write(archive, site, count, positives)
        elif site.kind == "nifti-masks":
            nifti_masks.write(archive, site, count, positives)
        else:
            written[site.name] = nrrd_masks.write(archive, site, count, positives)
    return written


def _write_modalities(archive: Archive, written: dict[str, list[Patient]], kinds: tuple[str, ...]) -> None:
    """MR and PET for the first patients of the last centre that keeps DICOM."""
    chosen = [p for p in list(written.values())[-1] if p.series] if written else []
    for patient in chosen[:2]:
        if "mr" in kinds:
            archive.cases.extend(other_modalities.write_mr(archive, patient))
        if "pet" in kinds:
            archive.cases.append(other_modalities.write_pet(archive, patient))


def _write_tasks(archive: Archive, patients: int) -> None:
    """The folders of the other tasks and layouts."""
    for site in archive.sites:
        if site.kind == "xray-labels":
            xray_labels.write(archive, site, max(4, patients // 3))
        elif site.kind == "ct-boxes":
            ct_boxes.write(archive, site, max(3, patients // 5))
        elif site.kind in layouts.LAYOUTS:
            layouts.LAYOUTS[site.kind](archive, site, max(2, patients // 8), max(1, patients // 16))


def _plant_faults(archive: Archive, written: dict[str, list[Patient]], kinds: tuple[str, ...]) -> None:
    """Plant every fault for which the archive has a place."""
    first = {site.kind: site for site in reversed(archive.sites)}
    series.plant_all(archive)
    if site := first.get("ct-rtstruct"):
        files.plant_all(archive, site, written[site.name][0])
        if other := first.get("nrrd-masks"):
            identity.plant_shared_id(archive, site, other)
    if site := first.get("nifti-masks"):
        masks.plant_all(archive, site)
    if "mr" in kinds and (site := first.get("nrrd-masks") or first.get("ct-rtstruct")):
        identity.plant_thick_mr(archive, site)
    for site in archive.sites:
        if site.kind in SITE_KINDS:
            masks.plant_disagreement(archive, site)
