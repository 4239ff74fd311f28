"""A preview draws what training would draw, on one page, and refuses what training would refuse."""

import re

import numpy as np
import pytest

from isocenter.augment.policy import policy_of
from isocenter.base.errors import ConfigError
from isocenter.loading.augmented import augmented
from isocenter.loading.dataset import dataset
from isocenter.loading.sampler import LabelCentred
from isocenter.pipeline.preview import preview
from isocenter.report.facts import ReportFacts
from isocenter.report.section import SECTIONS
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case

PATCH = (8, 24, 24)
POLICY = {"rotation_deg": 8, "contrast": 0.1, "noise_sigma": 0.01}


@pytest.fixture
def store(tmp_path):
    return build(tmp_path / "store", [make_case(n) for n in range(6)])


def drawn(store, policy, **options):
    return augmented(Store(store), policy_of(policy), patch=PATCH, cases=2, draws=2, **options)


def test_what_is_drawn_is_what_a_loader_draws(store):
    data = dataset(
        store, "train", patch=PATCH, augment=POLICY, sampler=LabelCentred(share=1.0), framework="numpy"
    )
    loaded = {
        (s["case"], number): s["augmentation"]
        for number in range(2)
        for s in (data.samples.sample(n, number) for n in range(len(data)))
    }
    found = drawn(store, POLICY)
    assert len(found) == 4
    assert all(one.parameters == loaded[one.case, one.number - 1] for one in found)


def test_before_is_the_patch_as_it_is_and_after_is_not(store):
    for one in drawn(store, POLICY):
        assert [p.plane for p in one.before] == [p.plane for p in one.after]
        assert any(b.image != a.image for b, a in zip(one.before, one.after, strict=True))
        assert 0 <= one.invented < 0.5
    for one in drawn(store, {}):
        assert one.before == one.after
        assert one.invented == 0


def test_grey_means_the_same_before_and_after(store):
    """Contrast alone changes the grey of a plane about its middle: what is lighter than grey becomes lighter."""
    found = [one for one in drawn(store, {"contrast": 0.15}) if one.parameters["contrast"]["factor"] > 1.03]
    assert found
    for one in found:
        before, after = (
            np.frombuffer(rows[0].image, np.uint8).astype(int) for rows in (one.before, one.after)
        )
        assert before.std() < after.std()


def test_the_page_has_a_card_for_each_draw_and_no_script(store, tmp_path):
    page = preview(store, POLICY, out=tmp_path / "page.html", patch=PATCH, cases=2, draws=3)
    text = page.read_text()
    assert len(re.findall(r"draw [123]\b", text)) >= 6
    assert "<script" not in text
    assert "data:image/png" in text
    assert page.read_bytes() == preview(store, POLICY, out=page, patch=PATCH, cases=2, draws=3).read_bytes()


def test_a_policy_is_read_from_a_file_and_refused_beyond_its_limits(store, tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("augment:\n  rotation_deg: 5\n")
    assert preview(store, path, out=tmp_path / "a.html", patch=PATCH, cases=1, draws=1).exists()
    path.write_text("rotation_deg: 15\n")
    with pytest.raises(ConfigError, match="outside the limit"):
        preview(store, path)
    path.write_text("- 3\n")
    with pytest.raises(ConfigError, match="holds no policy"):
        preview(store, path)


def test_the_report_points_to_the_preview():
    (prose,) = SECTIONS.get("augmentation").render(ReportFacts())
    assert "isocenter preview" in prose.text
