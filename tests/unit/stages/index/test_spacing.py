"""Which spacing of a radiograph is taken, and what it is (PS3.3 10.7.1), worked out by hand."""

import pytest

from isocenter.stages.index.spacing import spacing_of

NOTHING = {
    "pixel_spacing_mm": (),
    "imager_spacing_mm": (),
    "spacing_calibration": None,
    "magnification": None,
    "source_to_detector_mm": None,
    "source_to_patient_mm": None,
}
OWN, IMAGER = {"pixel_spacing_mm": (0.12, 0.11)}, {"imager_spacing_mm": (0.15, 0.14)}
SAME = {"pixel_spacing_mm": (0.15, 0.14)}


@pytest.mark.parametrize(
    ("said", "kind", "spacing_mm"),
    [
        ({}, "", None),
        (OWN, "", (0.12, 0.11)),
        (OWN | {"spacing_calibration": "fiducial "}, "calibrated", (0.12, 0.11)),
        (OWN | {"spacing_calibration": "GEOMETRY"}, "geometry", (0.12, 0.11)),
        (OWN | IMAGER, "calibrated", (0.12, 0.11)),
        (OWN | IMAGER | {"spacing_calibration": "GEOMETRY", "magnification": 1.5}, "geometry", (0.12, 0.11)),
        (SAME | IMAGER, "detector", (0.15, 0.14)),
        (SAME | IMAGER | {"magnification": 1.25}, "magnified", (0.12, 0.112)),
        (SAME | IMAGER | {"spacing_calibration": "GEOMETRY"}, "geometry", (0.15, 0.14)),
        (IMAGER, "detector", (0.15, 0.14)),
        (IMAGER | {"magnification": 1.25}, "magnified", (0.12, 0.112)),
        (
            IMAGER | {"source_to_detector_mm": 1500.0, "source_to_patient_mm": 1200.0},
            "magnified",
            (0.12, 0.112),
        ),
        # what is stated comes before what is computed; what cannot be is not believed
        (
            IMAGER | {"magnification": 1.0, "source_to_detector_mm": 1500.0, "source_to_patient_mm": 1200.0},
            "magnified",
            (0.15, 0.14),
        ),
        (IMAGER | {"magnification": 0.5}, "detector", (0.15, 0.14)),
        (IMAGER | {"magnification": 100.0}, "detector", (0.15, 0.14)),
        (IMAGER | {"source_to_detector_mm": 1500.0, "source_to_patient_mm": 0.0}, "detector", (0.15, 0.14)),
        ({"pixel_spacing_mm": (0.0, 0.0)} | IMAGER, "detector", (0.15, 0.14)),
        ({"imager_spacing_mm": (0.15,)}, "", None),
    ],
)
def test_the_spacing_and_its_kind(said, kind, spacing_mm):
    found = spacing_of(NOTHING | said)
    assert found.kind == kind
    assert found.spacing_mm == (None if spacing_mm is None else pytest.approx(spacing_mm))
