"""What may be asked for, and what may not."""

import pytest

from isocenter.rules.select import ScreenOptions


def test_an_ignore_needs_its_reason() -> None:
    with pytest.raises(ValueError, match="every ignore needs its reason: geometry, values"):
        ScreenOptions(ignore={"geometry": " ", "values": "", "content": "we know"})


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_the_gate_is_a_share(share: float) -> None:
    with pytest.raises(ValueError, match="stop_at_rejected_share"):
        ScreenOptions(stop_at_rejected_share=share)


def test_ignore_wins_over_select() -> None:
    options = ScreenOptions(select=("geometry",), ignore={"geometry/gantry-tilt": "all are tilted"})
    assert options.is_selected("geometry/missing-slices")
    assert not options.is_selected("geometry/gantry-tilt")
    assert not options.is_selected("content/localizer")
