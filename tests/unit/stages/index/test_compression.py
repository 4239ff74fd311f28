import pytest

from isocenter import index
from isocenter.stages.index.compression import compression_of
from isocenter.testing.rules import a_stack
from tests.contracts.files import ct_dataset, dicom_bytes

JPEG, J2K = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.91"


def attributes(**fields):
    stack = a_stack(**fields)
    told = {
        n: getattr(stack, n) for n in ("is_lossy", "all_transfer_syntaxes", "lossy_ratios", "lossy_methods")
    }
    return {a.name: a.value for a in compression_of(told)}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"lossy": "no"}),
        ({"lossy_ratios": ("8",), "lossy_methods": ("ISO_15444_1",)}, {"lossy": "no"}),
        ({"is_lossy": True}, {"lossy": "yes"}),
        ({"all_transfer_syntaxes": (JPEG,)}, {"lossy": "yes"}),
        ({"all_transfer_syntaxes": (J2K,)}, {"lossy": "no"}),
        (
            {"is_lossy": True, "lossy_ratios": ("8.0",), "lossy_methods": ("ISO_15444_1",)},
            {"lossy": "yes", "compression_ratio": "8", "compression_method": "ISO_15444_1"},
        ),
        (
            {
                "is_lossy": True,
                "lossy_ratios": ("10.5\\4", "8"),
                "lossy_methods": ("ISO_10918_1\\ISO_15444_1", "ISO_14495_1"),
            },
            {
                "lossy": "yes",
                "compression_ratio": "10.5 x 4, 8",
                "compression_method": "ISO_10918_1 x ISO_15444_1, ISO_14495_1",
            },
        ),
        # whatever somebody typed
        ({"is_lossy": True, "lossy_ratios": ("Doe",), "lossy_methods": ("DOE^JANE",)}, {"lossy": "yes"}),
        ({"is_lossy": True, "lossy_ratios": ("nan", "-3", "0", "inf", "")}, {"lossy": "yes"}),
    ],
)
def test_what_headers_say_of_loss(fields, expected):
    assert attributes(**fields) == expected


def test_from_files_to_stacks(tmp_path):
    for k in range(3):
        dataset = ct_dataset(k, LossyImageCompression="01" if k == 1 else "00")
        if k == 1:
            dataset.LossyImageCompressionRatio, dataset.LossyImageCompressionMethod = "12.5", "ISO_10918_1"
        (tmp_path / f"{k}.dcm").write_bytes(dicom_bytes(dataset))
    (stack,) = index(tmp_path, workspace=tmp_path / "work").stacks
    names = ("lossy", "compression_ratio", "compression_method")
    assert [stack.attribute(n) for n in names] == ["yes", "12.5", "ISO_10918_1"]
