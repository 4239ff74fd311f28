"""A loader whose worker fails, dies or hangs ends with an error that names the sample; it never waits for ever."""

import os

import pytest

from isocenter.loading.dataset import dataset
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case
from tests.properties.hostile import FAILURES, STRUCK, strike

STARTS = os.environ.get("ISOCENTER_LOADER_STARTS", "fork").split()
DYING = {"leaves", "exits", "killed", "crashes"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("faults") / "store"
    return Store(build(root, [make_case(n) for n in range(6)]))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("failure", sorted(FAILURES))
def test_every_failure_of_a_worker_ends_the_loader_and_names_the_sample(store, failure, start):
    data = strike(dataset(store, "train", patch=(2, 4, 4), per_case=3), failure)
    case = data.samples.selection.ids[STRUCK // 3]
    patience = 5 if start == "fork" else 40  # others import all libraries before their first sample
    loader = data.loader(
        1, shuffle=False, workers=2, start=start, timeout_seconds=patience if failure == "hangs" else 100
    )
    seen = []
    with pytest.raises(RuntimeError, match=case) as told:
        seen.extend(batch["case"] for batch in loader)
    assert type(told.value) is RuntimeError
    assert len(seen) <= STRUCK
    assert "secret" not in str(told.value).partition("Traceback")[0]
    if failure in DYING or failure == "hangs":
        assert f"sample {STRUCK} of epoch 0" in str(told.value)


@pytest.mark.parametrize("failure", sorted(set(FAILURES) - DYING - {"hangs", "exits"}))
def test_without_workers_it_is_the_same(store, failure):
    data = strike(dataset(store, "train", patch=(2, 4, 4), per_case=3), failure)
    with pytest.raises(RuntimeError, match=r"^case case-0001: ") as told:
        list(data.loader(1, shuffle=False))
    assert "secret" not in str(told.value)
