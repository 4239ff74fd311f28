import pytest

from isocenter.model.normalisation import FITTED, Normalisation
from isocenter.model.task import Channel


def test_every_word_has_its_meaning():
    assert [Normalisation.of(w).kind for w in ("none", "zscore", *FITTED)] == ["none", "zscore", *FITTED]
    assert Normalisation.of("percentile").percents == (0.5, 99.5)
    assert Normalisation.of("percentile:0-100").percents == (0.0, 100.0)
    assert Normalisation.of("window:lung").windows == ("lung",)


@pytest.mark.parametrize(
    "word",
    [
        "",
        "zscores",
        "window",
        "window:",
        "nyul:3",
        "percentile:",
        "percentile:5",
        "percentile:-1-9",
        "percentile:9-101",
    ],
)
def test_every_other_word_is_refused(word):
    with pytest.raises(ValueError, match=r"none of none|a lower and a higher"):
        Normalisation.of(word)


def test_a_channel_is_scaled_in_one_way():
    assert Channel(modality="MR", normalise="nyul").normalise == "nyul"
    with pytest.raises(ValueError, match="two ways"):
        Channel(modality="CT", normalise="zscore", windows=("lung",))
    with pytest.raises(ValueError, match="named in windows"):
        Channel(modality="CT", normalise="window:lung")
    with pytest.raises(ValueError, match="none of none"):
        Channel(modality="MR", normalise="nyúl")
