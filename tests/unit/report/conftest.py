"""A synthetic workspace: every table that the report reads, as the stages would leave them."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from isocenter.base import tables
from isocenter.base.files import write_json
from isocenter.base.workspace import Workspace
from isocenter.model.attributes import Attribute, AttributeState
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import (
    AgreementRow,
    CaseRow,
    FileOutcome,
    FileRow,
    LabelState,
    PlannedCase,
    PlannedChannel,
    PreviewRow,
    Stack,
    ValueCount,
    VerdictRow,
)
from isocenter.model.split import SplitRow
from isocenter.model.task import Channel, Label, Task, TaskContract, Window
from isocenter.report.facts import ReportFacts, read_facts

SITES = ("aachen", "beijing", "córdoba")
SLICES = 4
LABELS = {"tumour": Label(value=1), "oedema": Label(value=2), "lymph node": Label(value=3)}
CONTRACT = TaskContract(
    task=Task.SEGMENTATION, labels=LABELS, channels={"ct": Channel(modality="CT")}, reference="ct"
)
WINDOWS = {"ct": Window(name="soft tissue", centre=40, width=400)}
REJECTING = ("volume/missing-slices", "file/truncated", "read/values", "enrol/missing-channel")


def make_workspace(root: Path, *, subjects: int = 12, size: int = 24, seed: int = 1) -> Workspace:
    """A finished run on some subjects; planes have `size` columns."""
    made = _Made(subjects, size, np.random.default_rng(seed))
    for n in range(subjects):
        made.subject(n)
    made.odds_and_ends()
    made.write(root)
    return Workspace(root)


class _Made:
    def __init__(self, subjects: int, size: int, random: np.random.Generator) -> None:
        self.n = subjects
        self.size = size
        self.random = random
        self.files: list[FileRow] = []
        self.outcomes: list[FileOutcome] = []
        self.stacks: list[Stack] = []
        self.verdicts: list[VerdictRow] = []
        self.issues: dict[str, list[Issue]] = {s: [] for s in ("index", "screen", "enrol", "build")}
        self.planned: list[PlannedCase] = []
        self.cases: list[CaseRow] = []
        self.agreements: list[AgreementRow] = []
        self.previews: list[PreviewRow] = []
        self.split: list[SplitRow] = []

    def subject(self, n: int) -> None:
        subject, site = f"subject-{n:016x}", SITES[n % 3 if n % 7 else 0]
        fate = {3: "gap", 5: "unwanted", 9: "not-preferred", 8: "no-channel", 10: "broken"}.get(
            n % 12, "used"
        )
        case = f"case-{n * 7919:016x}"
        spacing = (float(self.random.choice([1.0, 1.25, 2.5, 5.0])), *(2 * [0.6 + 0.1 * (n % 5)]))
        shape = (int(300 / spacing[0]), 512, 512)
        attributes = self._attributes(n, site)
        stack = self._stack(n, subject, site, spacing, shape, attributes, fate, case)
        if fate in {"used", "broken", "no-channel"}:
            lacks = fate == "no-channel"
            self.planned.append(
                PlannedCase(
                    id=case, subject=subject, site=site, timepoint="t0", shard=0, digest="d",
                    verdict="reject" if lacks else "keep", reason="enrol/missing-channel" if lacks else "",
                    bytes_estimated=1, channels=(PlannedChannel(name="ct", stack=stack.id),), annotations=(),
                )
            )  # fmt: skip
        if fate == "broken":
            self._issue("build", "read/values", case, Severity.REJECT, measured="NaN", expected="finite")
        if fate == "used":
            self._case(n, case, subject, site, spacing, shape, attributes)

    def _attributes(self, n: int, site: str) -> tuple[Attribute, ...]:
        def known(name: str, value: object, unit: str = "") -> Attribute:
            return Attribute(name=name, value=str(value), unit=unit)

        age = (
            Attribute(name="age_years", state=AttributeState.WITHHELD)
            if n % 9 == 4
            else known("age_years", f"0{35 + (n * 13) % 50}Y", "years")
        )
        sex = (
            Attribute(name="sex", state=AttributeState.MISSING) if n % 11 == 6 else known("sex", "FM"[n % 2])
        )
        maker = {"aachen": "SIEMENS", "beijing": "United Imaging", "córdoba": "GE MEDICAL SYSTEMS"}[site]
        kernel = {"aachen": "B30f", "beijing": "B_SOFT_B", "córdoba": "STANDARD"}[site]
        return (
            age, sex, known("manufacturer", maker), known("model", f"{maker.split()[0]} {60 + n % 2}"),
            known("convolution_kernel", kernel), known("kvp", (120, 100)[n % 5 == 0], "kV"),
        )  # fmt: skip

    def _stack(self, n, subject, site, spacing, shape, attributes, fate, case) -> Stack:
        ids = tuple(f"file-{n:06x}{k:04x}" for k in range(SLICES))
        for k, file in enumerate(ids):
            self.files.append(
                FileRow(
                    file_id=file,
                    source=0,
                    path=f"DOE_JANE_{n}/{k}.dcm",
                    size=1,
                    mtime_ns=0,
                    kind="dicom-image",
                )
            )
        stack = Stack(
            id=f"stack-{n:016x}", series=f"series-{n:016x}", study="study-1", subject=subject, site=site, source=0,
            timepoint="t0", format="dicom", modality="CT", files=ids, frames=tuple(range(SLICES)), shape=shape,
            spacing_mm=spacing, attributes=attributes,
        )  # fmt: skip
        self.stacks.append(stack)
        verdict, state, reason = "keep", "used", "image"
        if fate == "gap":
            verdict, state, reason = "reject", "excluded", "volume/missing-slices"
            self._issue(
                "screen", reason, stack.id, Severity.REJECT, measured="7.5", expected="2.5", unit="mm"
            )
        elif fate == "unwanted":
            state, reason = "excluded", "enrol/not-wanted"
            self._issue("enrol", reason, stack.id, Severity.NOTE)
        elif fate == "no-channel":
            state, reason = "excluded", "enrol/missing-channel"
            self._issue("enrol", reason, case, Severity.REJECT, message="channel pet is missing")
        elif fate == "not-preferred":
            state, reason = "excluded", "enrol/not-preferred"
            self._issue("enrol", reason, stack.id, Severity.NOTE)
        elif fate == "broken":
            state, reason = "excluded", "read/values"
        elif n % 12 == 1:
            verdict = "review"
            self._issue(
                "screen",
                "pixels/burned-in-text",
                stack.id,
                Severity.REVIEW,
                message="text is suspected in 3 planes",
            )
        self.verdicts.append(VerdictRow(target=stack.id, verdict=verdict))
        self.outcomes += [FileOutcome(file_id=f, state=state, reason=reason, target=stack.id) for f in ids]
        return stack

    def _case(self, n, case, subject, site, spacing, shape, attributes) -> None:
        is_held = n % 12 == 1
        labels = tuple(self._label(n, name) for name in LABELS)
        statistics = json.dumps(
            {"count": 1e6, "mean": 20.0 + self.random.normal(0, 15), "median": 31.0 + n % 5}
        )
        self.cases.append(
            CaseRow(
                id=case, subject=subject, site=site, timepoint="t0", shard=0, digest="d",
                verdict="review" if is_held else "keep", channels=("ct",), shape=shape, spacing_mm=spacing,
                labels=labels, raters=("reader-a", "reader-b"), attributes=attributes, statistics=(statistics,),
                pixel_digest="p", units=("HU",),
            )
        )  # fmt: skip
        if is_held:
            self._issue(
                "build", "annotation/low-agreement", case, Severity.REVIEW, message="raters disagree on tumour",
                measured="0.412", expected="at least 0.7",
            )  # fmt: skip
        for state in labels:
            if state.state == "positive":
                dice = 0.412 if is_held and state.label == "tumour" else float(self.random.beta(14, 2))
                self.agreements.append(
                    AgreementRow(
                        case=case, label=state.label, rater_a="reader-a", rater_b="reader-b", dice=dice,
                        volume_a_ml=state.volume_ml, volume_b_ml=state.volume_ml * 0.9,
                    )
                )  # fmt: skip
        self._planes(n, case)
        partition = "test" if site == "córdoba" or n % 6 == 0 else ("val" if n % 5 == 0 else "train")
        positive = tuple(s.label for s in labels if s.state == "positive")
        self.split.append(
            SplitRow(subject=subject, site=site, labels=positive, cases=(case,), partition=partition)
        )

    def _label(self, n: int, name: str) -> LabelState:
        if name == "lymph node" and n % 4 == 0:
            return LabelState(label=name, state="unknown")
        if name == "tumour" or (n + len(name)) % 3 == 0:
            return LabelState(
                label=name, state="positive", volume_ml=float(np.exp(self.random.normal(3, 1.2))), count=1
            )
        return LabelState(label=name, state="negative")

    def _planes(self, n: int, case: str) -> None:
        """A body, a spine, a tumour and its oedema, in three planes."""
        for plane in ("axial", "coronal", "sagittal"):
            rows = self.size if plane == "axial" else self.size * 3 // 4
            y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : self.size * 1j]
            body = (x / 0.9) ** 2 + (y / 0.7 if plane == "axial" else y / 1.6) ** 2 < 1
            image = np.where(body, 110, 6) + self.random.normal(0, 6, body.shape)
            for side in (-0.42, 0.42):
                image[((x - side) / 0.3) ** 2 + ((y + 0.05) / 0.45) ** 2 < 1] = 30
            image[(x / 0.13) ** 2 + ((y - 0.42) / (0.14 if plane == "axial" else 2)) ** 2 < 1] = 235
            mask = np.zeros(body.shape, np.uint8)
            cx, cy, r = -0.35 + 0.05 * (n % 9), -0.2 + 0.06 * (n % 5), 0.16 + 0.02 * (n % 4)
            if n % 3 == 0:
                mask[((x - cx) / (1.6 * r)) ** 2 + ((y - cy) / (1.4 * r)) ** 2 < 1] = 2
            mask[((x - cx) / r) ** 2 + ((y - cy) / r) ** 2 < 1] = 1
            image[mask > 0] += 60
            grey = np.clip(image, 0, 255).astype(np.uint8)
            self.previews.append(
                PreviewRow(
                    case=case, channel="ct", plane=plane, rows=rows, columns=self.size, pixel_mm=(1.5, 1.5),
                    image=grey.tobytes(), mask=mask.tobytes(),
                )
            )  # fmt: skip

    def _issue(
        self, stage: str, rule: str, target: str, severity: Severity, message: str = "", **facts: str
    ) -> None:
        text = message or f"seen by {rule}"
        self.issues[stage].append(Issue(rule=rule, target=target, severity=severity, message=text, **facts))

    def odds_and_ends(self) -> None:
        """Files that are no images, or broken ones; annotations; notes."""
        for n in range(7):
            self._file(f"file-text{n}", "text", "ignored", "text")
        self._file("file-link", "symlink", "ignored", "symlink")
        for n in range(3):
            self._file(f"file-cut{n}", "dicom-image", "excluded", "file/truncated")
            self._issue("index", "file/truncated", f"file-cut{n}", Severity.REJECT)
        for case in self.cases:
            self._file(f"file-rt-{case.id}", "dicom-rtstruct", "used", "annotation")
        self._file("file-rt-held", "dicom-rtstruct", "held", "enrol/ambiguous-annotation")
        self._issue("enrol", "enrol/ambiguous-annotation", "file-rt-held", Severity.REVIEW)
        self._issue(
            "enrol", "enrol/unmapped-label", "", Severity.NOTE, message="'GTV_old' is not in the vocabulary"
        )

    def _file(self, file: str, kind: str, state: str, reason: str) -> None:
        self.files.append(FileRow(file_id=file, source=0, path=f"x/{file}", size=1, mtime_ns=0, kind=kind))
        self.outcomes.append(FileOutcome(file_id=file, state=state, reason=reason))

    def write(self, root: Path) -> None:
        ws = Workspace(root)
        values = [
            ValueCount(attribute="modality", value="CT", count=self.n),
            ValueCount(attribute="manufacturer", value="SIEMENS", count=5),
            ValueCount(attribute="series_description", value="DOE^JANE chest", count=1),
        ]
        for stage, name, row_type, rows in (
            ("index", "files", FileRow, self.files),
            ("index", "stacks", Stack, self.stacks),
            ("index", "values", ValueCount, values),
            ("index", "issues", Issue, self.issues["index"]),
            ("screen", "verdicts", VerdictRow, self.verdicts),
            ("screen", "issues", Issue, self.issues["screen"]),
            ("enrol", "issues", Issue, self.issues["enrol"]),
            ("enrol", "cases", PlannedCase, self.planned),
            ("build", "issues", Issue, self.issues["build"]),
            ("build", "cases", CaseRow, self.cases),
            ("build", "files", FileOutcome, self.outcomes),
            ("build", "agreements", AgreementRow, self.agreements),
            ("build", "previews", PreviewRow, self.previews),
        ):
            tables.write(ws.stage(stage) / f"{name}.parquet", row_type, rows)
        splits = ws.stage("store/splits")
        tables.write(splits / "default.parquet", SplitRow, self.split)
        write_json(
            splits / "default.json",
            {
                "strategy": "site-holdout",
                "seed": 7,
                "fractions": {"train": 0.7, "val": 0.1, "test": 0.2},
                "notes": ["The prevalence of oedema differs by 12 points between train and test."],
            },
        )
        for stage in ("index", "screen", "enrol", "build", "split"):
            ws.finish(
                stage,
                key=f"{stage}0123456789abcdef",
                counts={"cases": len(self.cases)},
                files=len(self.files),
            )
        write_json(
            root / "run.json",
            {
                "isocenter": "0.1.0",
                "python": "3.11.2",
                "seed": 7,
                "config_digest": "9f86d081884c7d659a2feaa0c55ad015",
                "versions": {"numpy": "2.2.0", "pydicom": "3.0.2"},
                "folder": "/home/jane/secret",
            },
        )


class Parsed(HTMLParser):
    """Elements with their attribute names, ids, links, headings and picture texts, in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.images: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements[tag, tuple(sorted(name for name, _ in attrs))] += 1
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [v or "" for k, v in attrs if k in {"src", "href", "action", "xlink:href", "data"}]
        drawn = " ".join(v or "" for k, v in attrs if k in {"style", "clip-path", "fill", "mask", "filter"})
        self.links += re.findall(r"url\(([^)]*)\)", drawn)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.images.append(given)
        if tag not in {"meta", "img", "input"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"{tag} closes nothing"

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="session")
def parse() -> type[Parsed]:
    """Reads a page for its elements."""
    return Parsed


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run; tests must not change it."""
    return make_workspace(tmp_path_factory.mktemp("workspace"), size=12)


@pytest.fixture(scope="session")
def facts(finished: Workspace) -> ReportFacts:
    """What the report is told of the finished run."""
    return read_facts(finished, contract=CONTRACT, windows=WINDOWS)
