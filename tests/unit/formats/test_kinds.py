import gzip
import io
import tarfile
import zipfile

import h5py
import nibabel
import numpy as np
import pytest
import SimpleITK

from isocenter.base.archives.catalogue import KINDS as MEMBER_KINDS
from isocenter.formats.image import FORMATS, format_of
from isocenter.formats.kinds import KINDS, kind_of, kind_of_file, meaning_of, preamble_kind
from tests.contracts.files import ct_bytes, metaimage_bytes, nifti_pair, nrrd_bytes, stored

BMP = b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0" + bytes(40)


def archive(kind, *names):
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w") as made:
            for name in names:
                made.writestr(name, b"content")
        return out.getvalue()
    with tarfile.open(fileobj=out, mode="w", format=kind) as made:
        for name in names:
            made.addfile(tarfile.TarInfo(name))
    return out.getvalue()


def saved(write):
    out = io.BytesIO()
    write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n", "pdf"),
        (b"PK\x03\x04rest", "zip"),
        (archive("zip", "a/b.dcm"), "zip"),
        (archive("zip", "[Content_Types].xml"), "office-document"),
        (archive("zip", "model/data.pkl"), "pytorch"),
        (saved(lambda f: np.savez(f, a=stored())), "npz"),
        (saved(lambda f: np.save(f, stored())), "npy"),
        (archive(tarfile.USTAR_FORMAT, "a.dcm"), "tar"),
        (archive(tarfile.GNU_FORMAT, "a.dcm"), "tar"),
        (archive(tarfile.PAX_FORMAT, "a.dcm"), "tar"),
        (b"a,b\n1,2\n3,4\n", "table"),
        (b"\xef\xbb\xbfa;b\n1;2\n3;4\n", "table"),
        ("﻿a\tb\n1\t2\n3\t4\n".encode("utf-16-le"), "table"),
        (b"Dear colleague,\nthanks\n", "text"),
        (b"MZ is no program\n", "text"),
        (b"BM, ID3 and GIF8 neither\n", "text"),
        (b"MZ\x90\0\x03\0\0\0", "executable"),
        (b"\x7fELF\x02", "executable"),
        (b"#!/bin/sh\n", "script"),
        (b'  {"a": 1}', "json"),
        (
            b'{"@schema": "https://host/Markups/Resources/Schema/markups-schema-v1.0.3.json#"',
            "slicer-markups",
        ),
        (b'{"$id": "https://host/markups-schema-v1.0.3.json", "title": "a schema"', "json"),
        (b'{"info": {"year": 2026}, "images": [{"id": 1, "file_name": "a.png"', "coco"),
        (b'{"annotations": [ {"id": 1, "bbox": [1, 2, 3, 4], "image_id" : 7}', "coco"),
        (b'{"images": [{"id": 1, "url": "a.png"}]', "json"),
        (b'<?xml version="1.0" encoding="UTF-8"?>\n<LidcReadMessage uid="1.2"', "lidc-xml"),
        (b"<annotation>\n<folder>a</folder><size><width>3", "voc"),
        (b"<annotation>\n<text>no picture</text></annotation>", "xml"),
        (b"<annotations><size>", "xml"),
        (b'{"channel_names": {"0": "CT"}', "data-set-description"),
        (b'{"numTraining": 3, "training": []', "data-set-description"),
        (b'{"Name": "x", "BIDSVersion": "1.8"', "data-set-description"),
        (b'{"Modality": "MR", "EchoTime": 0.03', "image-sidecar"),
        (b'{"Modality": "my own"', "json"),
        (b'{"00080016": {"vr": "UI"', "dicom-json"),
        (b"{\\rtf1\\ansi", "rich-text"),
        (b"<html>", "html"),
        (b"\n<!-- a --><!DOCTYPE html>", "html"),
        (b'<?xml version="1.0"?><root>', "xml"),
        (b'<MRML  version="Slicer4.4.0">', "slicer-scene"),
        (b"# Markups fiducial file version = 4.11\n", "slicer-markups"),
        (b"# Fiducial List file /x/midsag.fcsv\n", "slicer-markups"),
        (b"# Annotation file R.acsv\n# Name = R\n", "slicer-markups"),
        (b"ObjectType = Scene\nNDims = 3\n", "metaimage-object"),
        (b"#Insight Transform File V1.0\n", "transform"),
        (b"# === DATA DESCRIPTION FILE ====\n", "philips-par"),
        (b"##TITLE=Parameter List\n", "bruker-parameters"),
        (b"!INTERFILE  :=\n", "interfile"),
        (b"solid part\nfacet normal 0 0 1\n", "mesh"),
        (b"solid ground\n", "text"),
        (b"BZh91AY&SY\xff", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07\x01\0", "rar"),
        (BMP, "bmp"),
        (b"\0\0\0\x18ftypmp42", "video"),
        (b"\0\0\0\x18ftypheic", "heif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"SQLite format 3\0", "sqlite"),
        (bytes(16) + b"\xde\xc0\xef\xbe\x01\0\0\0", "lmdb"),
        (b"\x80\x04\x95\0\0", "pickle"),
        (b"MATLAB 5.0 MAT-file, Platform", "matlab"),
        (b"\0\0\0\x01Bud1", "folder-settings"),
        (b"\x00\x01\x02", "unknown"),
        (bytes(4096), "unknown"),
        (b"", "text"),
    ],
)
def test_kinds(head, kind):
    assert kind_of(head[:4096]) == kind
    assert format_of(head[:4096]) is None
    assert meaning_of(kind)


def test_kinds_that_other_libraries_write(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["dataset"] = [1]
    nibabel.save(nibabel.MGHImage(stored().astype(np.float32), np.eye(4)), tmp_path / "a.mgz")
    image = SimpleITK.GetImageFromArray(stored()[0].astype(np.uint8))
    for ending in ("png", "jpg", "tif", "bmp"):
        SimpleITK.WriteImage(image, str(tmp_path / f"a.{ending}"))
    found = {p.suffix: kind_of(p.read_bytes()[:4096]) for p in tmp_path.iterdir()}
    pictures = {".png": "png", ".jpg": "jpeg", ".tif": "tiff", ".bmp": "bmp"}
    assert found == {".h5": "hdf5", ".mgz": "mgh-gzip", **pictures}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (archive(tarfile.USTAR_FORMAT, "a.dcm"), "tar-gzip"),
        (b"a,b\n1,2\n3,4\n", "table-gzip"),
        (bytes(99), "gzip"),
        (gzip.compress(b"text", mtime=0), "gzip"),
    ],
)
def test_what_is_inside_gzip(content, kind):
    assert kind_of(gzip.compress(content)) == kind
    assert meaning_of(kind)
    assert kind_of(b"\x1f\x8b nonsense") == "gzip"


def test_it_never_raises():
    rng = np.random.default_rng(0)
    for n in range(0, 4096, 7):
        noise = rng.bytes(n)
        assert isinstance(kind_of(noise), str)
        assert isinstance(preamble_kind(noise), str)
        assert isinstance(kind_of(b"\x1f\x8b\x08" + noise), str)


def test_old_tar_is_known_by_its_sum():
    header = bytearray(archive(tarfile.GNU_FORMAT, "a.dcm")[:512])
    header[257:265] = bytes(8)
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:]) + 256)
    assert kind_of(bytes(header)) == "tar"
    header[0] ^= 1
    assert kind_of(bytes(header)) == "unknown"


def test_every_kind_means_something():
    assert list(KINDS) == sorted(KINDS)
    for name in FORMATS.names():
        assert meaning_of(f"{name}-unreadable")
    for name in ("zip", "tar", "tar-gzip"):
        assert "refused" in meaning_of(f"{name}-unreadable")
    assert {*MEMBER_KINDS, "nested-archive"} - set(KINDS) == {"file"}
    assert all(meaning.endswith(".") for meaning in KINDS.values())
    assert meaning_of("tar-gzip") == "An archive (tar), compressed with gzip."
    assert meaning_of("nonsense") == meaning_of("nonsense-gzip") == ""


@pytest.mark.parametrize(
    ("preamble", "kind"),
    [
        (b"", ""),
        (b"MZ", "executable"),
        (b"MZ\x90\0" + b"\x01" * 124, "executable"),
        (b"\x7fELF\x02\x01\x01", "executable"),
        (b"\xcf\xfa\xed\xfe\x07", "executable"),
        (b"\xca\xfe\xba\xbe", "executable"),
        (b"II*\0\x08", "tiff"),
        (b"<html><script>1</script>", "html"),
        (b"<script>", "html"),
        (b"%PDF-1.4", "pdf"),
        (b"PK\x03\x04\x14", "zip"),
        (b"#!/bin/sh\nexit\n#", "script"),
        (b"made by a scanner", ""),
        (b"\x01" * 128, ""),
    ],
)
def test_preambles(preamble, kind):
    data = preamble.ljust(128, b"\0") + ct_bytes()[128:]
    assert format_of(data) == "dicom"
    assert preamble_kind(data) == kind
    assert preamble_kind(data[:128]) == ""


HEADER, VOXELS = nifti_pair()


@pytest.mark.parametrize(
    ("names", "header"),
    [
        (("a.img", "a.hdr"), HEADER),
        (("A.IMG", "A.HDR"), HEADER),
        (("a.img.gz", "a.hdr"), HEADER),
        (("a.img.gz", "a.hdr.gz"), gzip.compress(HEADER, mtime=0)),
        (("a.raw", "a.nhdr"), nrrd_bytes(tail=b"", data_file="./a.raw")),
        (("a.raw", "a.mhd"), metaimage_bytes(tail=b"", ElementDataFile="a.raw")),
        (("a.zraw", "a.mhd"), metaimage_bytes(tail=b"", ElementDataFile="a.zraw")),
    ],
)
def test_voxels_beside_their_header(names, header, tmp_path):
    voxels, other = (tmp_path / n for n in names)
    voxels.write_bytes(VOXELS)
    plain = kind_of(VOXELS)
    assert kind_of_file(voxels, VOXELS) == plain
    other.write_bytes(b"something else")
    assert kind_of_file(voxels, VOXELS) == plain
    other.write_bytes(header)
    assert kind_of_file(voxels, VOXELS) == "image-data"
    other.unlink()
    other.symlink_to(tmp_path)
    assert kind_of_file(voxels, VOXELS) == plain
