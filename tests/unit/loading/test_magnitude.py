import pytest

from isocenter.loading.magnitude import no_signal
from isocenter.loading.normalise import CaseScale, Scaling
from isocenter.model.task import Window

SCALE = CaseScale(mean=300.0, std=100.0, marks=(50.0, 650.0))


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        (Scaling(name="t1", channel=0, kind="zscore"), -3.0),
        (Scaling(name="t1", channel=0, kind="percentile", percents=(0.5, 99.5)), -50 / 600),
        (Scaling(name="t1", channel=0, kind="window", window=Window(name="w", centre=300, width=400)), -0.25),
    ],
)
def test_a_stored_zero_on_the_scale_of_a_network_is_not_cut_off(scaling, expected):
    assert no_signal([scaling], [SCALE], ["MR"]) == pytest.approx((expected,))
    assert no_signal([scaling], [SCALE], ["CT"]) == (None,)
