"""Runs the large counts that an issue asks for: ordinary tests, with more of what they count."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A claim, the tests that prove it, and how many they must be; `environment` makes them as many."""

    claim: str
    tests: tuple[str, ...]
    least: int
    environment: dict[str, str] = field(default_factory=dict)


PROOFS: dict[str, tuple[Proof, ...]] = {
    "2": (
        Proof(
            claim="runs killed and run again end with the bytes of a run never killed",
            tests=("tests/properties/test_resume.py::test_killed_and_run_again_is_as_if_never_killed",),
            least=100,
            environment={"ISOCENTER_KILLS": "100"},
        ),
        Proof(
            claim="ways to start a loader (fork, spawn, forkserver; 0, 1, 2 workers) give the same bytes",
            tests=("tests/properties/test_loader_stream.py::test_streams_are_equal_to_the_byte",),
            least=9,
        ),
        Proof(
            claim="searches of what an archive of 30 patients leaves behind find no identifier",
            tests=("tests/end_to_end/test_identifiers.py",),
            least=6,
            environment={"ISOCENTER_PATIENTS": "30"},
        ),
        Proof(claim="tests on real data hold", tests=("tests/real",), least=100),
    ),
    "3": (
        Proof(
            claim="tests of broken headers hold for every mutant: nothing uncaught, no disagreement with pydicom",
            tests=("tests/properties/test_header_mutants.py",),
            least=1,
            environment={"ISOCENTER_MUTANTS": "20000"},
        ),
        Proof(
            claim="tests of the whole index on the hostile corpus hold: no death, no hang, no escape, every reason",
            tests=("tests/hostile/test_index.py",),
            least=370,
            environment={"ISOCENTER_HOSTILE": "all"},
        ),
        Proof(
            claim="tests of hostile archives hold",
            tests=("tests/hostile/test_archives.py",),
            least=14,
            environment={"ISOCENTER_HOSTILE": "all"},
        ),
        Proof(
            claim="tests of the index of real files hold: the account is that of find, every value that of pydicom",
            tests=("tests/real/test_index.py",),
            least=11,
        ),
        Proof(
            claim="indexes killed and begun again end with the bytes of one never killed",
            tests=(
                "tests/properties/test_index_resume.py::test_killed_and_begun_again_is_as_if_never_killed",
            ),
            least=50,
            environment={"ISOCENTER_KILLS": "50"},
        ),
    ),
    "4": (
        Proof(
            claim="faults and sound variants of series, of every modality they can happen to, in 4 sizes: told by rule, "
            "rebuilt ones with 0 voxels and at most 1e-3 mm wrong, no false alarm",
            tests=("tests/oracles/test_fault_matrix.py",),
            least=1180,
            environment={"ISOCENTER_FAULT_SEEDS": "4"},
        ),
        Proof(
            claim="tests of files of every format cut at 100 points hold: none is read as if it were whole",
            tests=("tests/contracts/test_images.py",),
            least=185,
        ),
        Proof(
            claim="tests of files of every format with 200 bits flipped hold: equal or refused, but where no one can know",
            tests=("tests/hostile/test_flips.py",),
            least=31,
        ),
        Proof(
            claim="tests of hostile pixels hold: no death, at most 1 GiB, every case with its reason",
            tests=("tests/hostile/test_pixels.py",),
            least=285,
        ),
        Proof(
            claim="real series equal their references, SimpleITK and dcm2niix in voxels, and within 1e-3 mm",
            tests=("tests/real/test_volumes.py", "tests/real/test_formats.py"),
            least=60,
        ),
    ),
    "6": (
        Proof(
            claim="shapes of the public contour suite, drawn on 512 x 512 x 200 voxels with inner contours and with "
            "keyholes, come out at Dice 0.995 or more",
            tests=("tests/oracles/test_contour_shapes.py",),
            least=14,
            environment={"ISOCENTER_CONFORMANCE": "all"},
        ),
        Proof(
            claim="tests of contours as they are found in the wild hold",
            tests=("tests/oracles/test_hard_contours.py",),
            least=25,
        ),
        Proof(
            claim="tests of 1,100 mismatches of masks and images hold: causes named right in 99 %, nothing wrong put right",
            tests=("tests/oracles/test_alignment.py",),
            least=4,
            environment={"ISOCENTER_MISMATCHES": "1100"},
        ),
        Proof(
            claim="tests of real masks hold: mirrored ones are told from those that lie right, of which none is reported",
            tests=("tests/real/test_mirror.py",),
            least=2,
        ),
        Proof(
            claim="tests of twelve real patients hold: structure sets equal the masks beside them in every voxel",
            tests=("tests/real/test_sarcoma.py",),
            least=20,
        ),
        Proof(
            claim="tests of segmentations hold: equal to their twins and to what highdicom and slicerio read, whatever is "
            "cropped, overlaps or is sparse",
            tests=(
                "tests/real/test_segmentations.py",
                "tests/oracles/test_segmentations.py",
                "tests/properties/test_segmentations.py",
            ),
            least=30,
        ),
        Proof(
            claim="tests of readers hold: Dice and consensus of 219 nodules on 60 scans equal pylidc's, statistics those of "
            "SimpleITK, scikit-learn, krippendorff and surface-distance",
            tests=(
                "tests/real/test_readers.py",
                "tests/oracles/test_agreement.py",
                "tests/oracles/test_surfaces.py",
            ),
            least=40,
        ),
    ),
    "7": (
        Proof(
            claim="blocks of 50 random cohorts hold: nobody in two parts, the certificate tells the truth, brute force agrees",
            tests=("tests/properties/test_split_cohorts.py",),
            least=200,
            environment={"ISOCENTER_COHORTS": "10000"},
        ),
        Proof(
            claim="tests of splits of real tables hold: whole sites held out, prevalence kept, nobody moves when 10 % come later",
            tests=("tests/real/test_split.py",),
            least=6,
        ),
        Proof(
            claim="planted leaks of foreign nnU-Net folders and tables are found, clean ones pass",
            tests=("tests/end_to_end/test_foreign_audit.py",),
            least=20,
        ),
        Proof(
            claim="the canary on 80 simulated patients, 20 seeds: slices tell random labels, subjects do not (50 % within 4)",
            tests=("tests/unit/stages/audit/test_canary.py",),
            least=8,
        ),
        Proof(
            claim="labels told by metadata: 200 of 200 cohorts with Zech's prevalences, at most 10 of 200 without",
            tests=("tests/unit/rules/test_shortcut.py",),
            least=6,
        ),
        Proof(
            claim="planted copies of real images are found, no false pair among twelve patients' CT, PET and MR",
            tests=("tests/real/test_near_duplicates.py", "tests/unit/imaging/test_likeness.py"),
            least=6,
        ),
    ),
    "8": (
        Proof(
            claim="data sets exported to nnU-Net pass its own verify_dataset_integrity: plain, two channels, regions, tilted",
            tests=("tests/unit/exports/targets/test_nnunet.py::test_nnunet_itself_finds_nothing_wrong",),
            least=4,
            environment={"ISOCENTER_PEERS": "1"},
        ),
        Proof(
            claim="tests of exports hold: every target voxel for voxel by nibabel, stopped ones end with the same bytes, and "
            "what is indexed and packed again is the same",
            tests=(
                "tests/contracts/test_exports.py",
                "tests/unit/exports",
                "tests/end_to_end/test_exports.py",
            ),
            least=350,
            environment={"ISOCENTER_PEERS": "1"},
        ),
    ),
}


def main() -> None:
    """Run the proofs of one issue; the exit code is 1 unless all hold."""
    if len(sys.argv) != 2 or sys.argv[1] not in PROOFS:
        sys.exit(f"usage: scripts/proof ISSUE, one of: {', '.join(PROOFS)}")
    proofs = PROOFS[sys.argv[1]]
    held = sum(holds(proof) for proof in proofs)
    print(f"{held} of {len(proofs)} proofs hold")
    sys.exit(held < len(proofs))


def holds(proof: Proof) -> bool:
    """Run one proof and print its line; what pytest said is shown where it does not hold."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "--numprocesses=auto",
            f"--junitxml={record}",
            *proof.tests,
        ]
        done = subprocess.run(  # noqa: S603 - our own tests
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | proof.environment,
        )
        passed, run, skipped = counts_of(record)
        counted = counted_in(record)
    is_held = done.returncode == 0 and passed == run >= proof.least
    word = "holds" if is_held else "NOT PROVEN"
    left_out = f", {skipped} skipped" if skipped else ""
    seconds = time.monotonic() - start
    print(
        f"{word:10}  {passed} of {max(run, proof.least)} {proof.claim}{left_out} ({seconds:.0f} s)",
        flush=True,
    )
    for what, count in counted.items():
        print(f"{'':10}  {count} {what}", flush=True)
    if not is_held:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
    return is_held


def counts_of(record: Path) -> tuple[int, int, int]:
    """Tests passed, run and skipped according to the record of pytest."""
    if not record.exists():
        return 0, 0, 0
    passed = run = skipped = 0
    for case in ET.parse(record).iter("testcase"):  # noqa: S314 - pytest's own record
        outcomes = {child.tag for child in case}
        skipped += "skipped" in outcomes
        run += "skipped" not in outcomes
        passed += not outcomes & {"skipped", "failure", "error"}
    return passed, run, skipped


def counted_in(record: Path) -> dict[str, str]:
    """What tests counted themselves (pytest's `record_property`): a name, and how many, of all tests together."""
    if not record.exists():
        return {}
    out: dict[str, str] = {}
    for one in ET.parse(record).iter("property"):  # noqa: S314 - pytest's own record
        name, value = one.get("name", ""), one.get("value", "")
        before = out.get(name, "")
        out[name] = str(int(before) + int(value)) if before.isdecimal() and value.isdecimal() else value
    return out


if __name__ == "__main__":
    main()
