from pydicom.tag import Tag

from isocenter.formats.dicom import mosaic, native, slots, tracer
from isocenter.formats.dicom.frames import DOSE_KEYWORDS
from isocenter.formats.dicom.once import name_of, tag_of, tags_once
from isocenter.formats.dicom.structures import REFERENCE_KEYWORDS


def test_all_that_is_looked_for_may_be_there_once_only():
    known = set(tags_once().tolist())
    assert known == set(slots.TAGS[:-1].tolist())
    assert set(native._TAGS[:-1].tolist()) <= known
    assert {
        int(Tag(k)) for k in (*DOSE_KEYWORDS, *REFERENCE_KEYWORDS, *tracer.PLAIN, tracer.SEQUENCE)
    } <= known
    # private ones in the block that their makers reserve
    private = [*tracer._PRIVATE.values(), mosaic._COUNT, mosaic._CSA]
    assert {group << 16 | 0x1000 | number for group, _, number in private} <= known


def test_names_and_tags():
    assert tag_of("Rows") == tag_of("00280010") == 0x00280010
    assert [name_of(t) for t in (0x00280010, 0x0019100C)] == ["Rows", "(0019,100C)"]
