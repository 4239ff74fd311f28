"""How headers name the nuclides of PET."""

import pytest

from isocenter.imaging.nuclides import HALF_LIVES_SECONDS, nuclide_of


@pytest.mark.parametrize(
    ("names", "nuclide"),
    [
        (("C-111A1",), "F-18"),
        (("C-111A1", "^18^Fluorine"), "F-18"),
        (("18F",), "F-18"),
        (("F-18",), "F-18"),
        (("F18",), "F-18"),
        (("Fluorine-18",), "F-18"),
        (("Fluorodeoxyglucose F^18^",), "F-18"),
        (("FDG -- fluorodeoxyglucose",), "F-18"),
        (("Fluordesoxyglucose",), "F-18"),
        (("FDG",), "F-18"),
        (("^68^Gallium",), "Ga-68"),
        (("68Ga-PSMA",), "Ga-68"),
        (("PSMA Ga-68",), "Ga-68"),
        (("^89^Zirconium",), "Zr-89"),
        (("^11^Carbon",), "C-11"),
        (("O-15 water",), "O-15"),
        (("82-Rubidium",), "Rb-82"),
        (("Solution",), ""),
        (("PSMA-1007",), ""),
        ((), ""),
        (("99mTc",), ""),
        (("C-111A1", "^68^Gallium"), ""),
        (("18F", "68Ga"), ""),
    ],
)
def test_codes_and_names(names, nuclide):
    assert nuclide_of(*names) == nuclide


def test_half_lives_are_those_of_the_tables():
    """Minutes, hours and days as they are printed in the Decay Data Evaluation Project's tables, to three digits."""
    minutes = {"C-11": 20.36, "N-13": 9.97, "O-15": 2.04, "F-18": 109.77, "Ga-68": 67.83, "Rb-82": 1.273}
    hours, days = {"Cu-64": 12.70, "Zr-89": 78.41}, {"I-124": 4.176}
    seconds = (
        {n: v * 60 for n, v in minutes.items()}
        | {n: v * 3600 for n, v in hours.items()}
        | {n: v * 86_400 for n, v in days.items()}
    )
    assert pytest.approx(seconds, rel=2e-3) == HALF_LIVES_SECONDS
