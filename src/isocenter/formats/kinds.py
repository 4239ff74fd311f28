"""What a file is when it is no image: told from its first bytes, each kind with a line that says what it means."""

from __future__ import annotations

import re
from pathlib import Path

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import opening
from isocenter.formats.bytes import GZIP, inflate_head
from isocenter.formats.magic import binary_kind, is_text
from isocenter.formats.nifti import is_analyze, is_pair
from isocenter.formats.text_kinds import decoded, text_kind

KINDS: dict[str, str] = {
    "7z": "An archive (7-Zip), which is not looked into.",
    "aim": "What readers drew on images (AIM).",
    "arrow": "A table (Arrow).",
    "audio": "A sound recording.",
    "bmp": "A picture (BMP).",
    "bruker-parameters": "Parameters of a Bruker scan (JCAMP-DX).",
    "bzip2": "A file compressed with bzip2, which is not looked into.",
    "cabinet": "An archive (Windows cabinet), which is not looked into.",
    "coco": "Boxes on pictures (COCO).",
    "compressed": "A file compressed with compress, which is not looked into.",
    "data-set-description": "A description of a data set: dataset.json, a list of data, or that of BIDS.",
    "device": "A device, which is not opened.",
    "dicom-directory": "A list of DICOM files (DICOMDIR).",
    "dicom-document": "A document inside DICOM.",
    "dicom-image": "A DICOM image.",
    "dicom-json": "A DICOM header written as JSON.",
    "dicom-other": "A DICOM object without an image.",
    "dicom-presentation": "A DICOM presentation state: how to show an image.",
    "dicom-radiotherapy": "A DICOM object of radiotherapy.",
    "dicom-raw": "Raw data inside DICOM.",
    "dicom-registration": "A DICOM registration or fiducials.",
    "dicom-report": "A DICOM structured report or key object selection.",
    "dicom-rtdose": "A radiotherapy dose.",
    "dicom-rtplan": "A radiotherapy plan.",
    "dicom-rtstruct": "Contours (RT Structure Set).",
    "dicom-seg": "A DICOM segmentation.",
    "dicom-unreadable": "A DICOM file that was refused.",
    "dicom-waveform": "A DICOM waveform.",
    "ecat": "A PET image (ECAT 7), which is not read.",
    "empty": "A file without a byte.",
    "encrypted": "A member of an archive that a password locks.",
    "executable": "A program.",
    "fifo": "A named pipe, which is not opened.",
    "folder-settings": "What a desktop keeps about a folder or a file.",
    "ge-genesis": "An image of an old GE scanner (Genesis), which is not read.",
    "gif": "A picture (GIF).",
    "gzip": "A file compressed with gzip, of no kind that is known.",
    "hardlink": "A member of an archive that only points to another one.",
    "hdf5": "An HDF5 file (also ISMRMRD raw data).",
    "heif": "A picture (HEIF or AVIF).",
    "html": "A web page.",
    "image-data": "The voxels of the header beside it.",
    "image-sidecar": "A description beside an image (JSON as BIDS and dcm2niix write it).",
    "interfile": "A header of a nuclear medicine image (Interfile), which is not read.",
    "jpeg": "A picture (JPEG).",
    "jpeg2000": "A picture (JPEG 2000).",
    "json": "A JSON file.",
    "left-out": "A file that the options of its source leave out.",
    "lidc-xml": "Nodules that readers marked (LIDC).",
    "lmdb": "A database (LMDB).",
    "lz4": "A file compressed with LZ4, which is not looked into.",
    "matlab": "A MATLAB file.",
    "mesh": "A surface.",
    "metaimage": "A MetaImage file, or the header of one.",
    "metaimage-object": "A shape or scene of MetaImage, no image.",
    "metaimage-unreadable": "A MetaImage file that was refused.",
    "mgh": "An image of FreeSurfer (MGH), which is not read.",
    "minc": "A MINC image, which is not read.",
    "mrtrix": "An image of MRtrix, which is not read.",
    "nested-archive": "An archive in an archive, which is not looked into.",
    "netcdf": "A NetCDF file.",
    "nifti": "A NIfTI image or label map, or the header of one.",
    "nifti-unreadable": "A NIfTI or Analyze file that was refused.",
    "npy": "An array (NumPy).",
    "npz": "Several arrays (NumPy).",
    "nrrd": "An NRRD image, label map or 3D Slicer segmentation, or the header of one.",
    "nrrd-unreadable": "An NRRD file that was refused.",
    "office-document": "A document, table or presentation of an office program.",
    "parquet": "A table (Parquet).",
    "pdf": "A document (PDF).",
    "philips-par": "A header of a Philips image (PAR/REC), which is not read.",
    "pickle": "Python objects, which are never loaded: that could run a program.",
    "png": "A picture (PNG).",
    "postscript": "A document (PostScript).",
    "pytorch": "Weights or tensors (PyTorch), which are never loaded.",
    "rar": "An archive (RAR), which is not looked into.",
    "rich-text": "A document (RTF).",
    "script": "A program as text.",
    "slicer-markups": "Points, lines or regions marked in 3D Slicer.",
    "slicer-scene": "A scene of 3D Slicer.",
    "socket": "A socket, which is not opened.",
    "sparse": "A member of an archive whose zeros are left out (sparse), which is not read.",
    "sqlite": "A database (SQLite).",
    "symlink": "A symbolic link, which is not followed.",
    "table": "A table: lines with one number of tabs, commas or semicolons.",
    "tar": "An archive (tar).",
    "tar-gzip-unreadable": "An archive (tar, compressed with gzip) that was refused.",
    "tar-unreadable": "An archive (tar) that was refused.",
    "text": "A text of no other kind.",
    "tiff": "A picture (TIFF).",
    "tractography": "Nerve fibres.",
    "transform": "A transform between images (ITK).",
    "unknown": "Bytes of no kind that is known.",
    "unreadable": "A file or folder that cannot be opened.",
    "video": "A video.",
    "voc": "Boxes on a picture (Pascal VOC).",
    "vtk": "A surface or grid (VTK).",
    "webp": "A picture (WebP).",
    "windows-link": "A shortcut of Windows.",
    "xml": "An XML file.",
    "xz": "A file compressed with xz, which is not looked into.",
    "zip": "An archive (zip).",
    "zip-unreadable": "An archive (zip) that was refused.",
    "zstd": "A file compressed with Zstandard, which is not looked into.",
}
_PACKED = "-gzip"
# Kinds of file that a DICOM preamble may make the file look like to another program (CVE-2019-11687).
_DISGUISES = {"executable", "gif", "html", "jpeg", "pdf", "png", "postscript", "script", "tiff", "xml", "zip"}
_PREAMBLE_BYTES, _HEADER_BYTES = 128, 4096
# How a file of voxels and the header beside it are named.
_DATA_NAME = re.compile(r"(.+)\.(img|raw|zraw)(\.gz)?", re.IGNORECASE)
_HEADERS = {"img": (".hdr", ".hdr.gz"), "raw": (".mhd", ".nhdr"), "zraw": (".mhd",)}
_NAMED = re.compile(rb"(?im)^[ \t]*(?:data ?file|ElementDataFile)[ \t]*[=:][ \t]*(?:\./)?([^\r\n]*)")


def kind_of(head: bytes) -> str:
    """One word for a file that begins with these bytes: "pdf", "table", "tar-gzip", "unknown", ..."""
    if not head.startswith(GZIP):
        return _kind_of(head)
    inside = inflate_head(head, _HEADER_BYTES)
    kind = _kind_of(inside) if inside else "unknown"
    return "gzip" if kind in {"unknown", "gzip"} else kind + _PACKED


def _kind_of(head: bytes) -> str:
    if kind := binary_kind(head):
        return kind
    text = decoded(head)
    return text_kind(text) if is_text(text) else "unknown"


def kind_of_file(path: Path, head: bytes) -> str:
    """As `kind_of`; "image-data" where the header of the same name beside it says that its voxels are in this file."""
    named = _DATA_NAME.fullmatch(path.name)
    if named is not None:
        endings = _HEADERS[named[2].lower()]
        if any(_is_data_of(path, named[1] + (e if named[2].islower() else e.upper())) for e in endings):
            return "image-data"
    return kind_of(head)


def _is_data_of(path: Path, header: str) -> bool:
    try:
        with opening(path.with_name(header)) as file:
            head = inflate_head(file.read(_HEADER_BYTES), _HEADER_BYTES)
    except FormatError:
        return False
    if path.name.lower().endswith((".img", ".img.gz")):
        return is_pair(head) or is_analyze(head)
    return any(name == path.name.encode(errors="surrogateescape") for name in _NAMED.findall(head))


def preamble_kind(head: bytes) -> str:
    """What else a DICOM file claims to be in the 128 bytes before its magic (PS3.10 7.1): "executable"; "": nothing."""
    preamble = head[:_PREAMBLE_BYTES]
    if not preamble.strip(b"\0") or head[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] != b"DICM":
        return ""
    kind = binary_kind(preamble) or _kind_of(preamble.rstrip(b"\0"))
    return kind if kind in _DISGUISES else ""


def meaning_of(kind: str) -> str:
    """What a kind means, in one sentence; "" for a kind that is not known."""
    plain = kind.removesuffix(_PACKED)
    meaning = KINDS.get(plain, "")
    return f"{meaning[:-1]}, compressed with gzip." if meaning and plain != kind else meaning
