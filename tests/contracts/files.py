"""Small good files of every format, as bytes; tests break them."""

import gzip
import io
import json
import struct
import zlib
from dataclasses import dataclass

import imagecodecs
import nibabel
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from isocenter.base import tables
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.formats.image import FORMATS
from isocenter.model.rows import Instance
from isocenter.stages.index.columns import Columns, Members
from isocenter.stages.index.rows import SeriesMembers, stacks_of
from isocenter.stages.index.subjects import Identity

NAME, PATIENT, DESCRIPTION = "Geheimrat^Person", "PID4711", "Nobody must read this"
SERIES, STUDY, FRAME = "2.25.47114711", "2.25.47114712", "2.25.47114713"
SECRETS = ("Geheimrat", PATIENT, "Nobody", "47114711", "47114712", "47114713", "47119", "hidden-folder")
SHAPE = (3, 6, 8)
TEXT_FILES = (b"", bytes(128), b"key,value\n1,2\n" * 99, b"{}", b"<x/>", b"%PDF-1.7" + bytes(500))


def stored(seed=0, dtype=np.int16):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=SHAPE).astype(dtype)
    return rng.integers(0, 100, SHAPE).astype(dtype)


def ct_dataset(k=0, **changes):
    out = Dataset()
    out.SOPClassUID, out.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"2.25.47119{k}"
    out.StudyInstanceUID, out.SeriesInstanceUID, out.FrameOfReferenceUID = STUDY, SERIES, FRAME
    out.Modality, out.PatientName, out.PatientID = "CT", NAME, PATIENT
    out.SeriesDescription, out.ImageType = DESCRIPTION, ["ORIGINAL", "PRIMARY", "AXIAL"]
    out.Rows, out.Columns, out.SamplesPerPixel = SHAPE[1], SHAPE[2], 1
    out.PhotometricInterpretation = "MONOCHROME2"
    out.BitsAllocated, out.BitsStored, out.HighBit, out.PixelRepresentation = 16, 16, 15, 1
    out.PixelSpacing, out.SliceThickness = ["0.5", "0.75"], "2"
    out.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    out.ImagePositionPatient = ["-10", "-20", str(2 * k)]
    out.RescaleSlope, out.RescaleIntercept = "1", "-1024"
    out.PixelData = stored()[k % SHAPE[0]].astype("<i2").tobytes()
    for keyword, value in changes.items():
        if value is None:
            delattr(out, keyword)
        else:
            setattr(out, keyword, value)
    return out


def dicom_bytes(dataset, syntax=ExplicitVRLittleEndian):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID, meta.ImplementationClassUID = syntax, "2.25.1"
    dataset.file_meta = meta
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


def ct_bytes(k=0, **changes):
    return dicom_bytes(ct_dataset(k, **changes))


def item(**attributes):
    out = Dataset()
    for keyword, value in attributes.items():
        setattr(out, keyword, value)
    return out


def contour(points, kind="CLOSED_PLANAR", count=None):
    flat = [f"{v:g}" for v in np.asarray(points, dtype=float).ravel()]
    return item(
        ContourGeometricType=kind,
        NumberOfContourPoints=len(flat) // 3 if count is None else count,
        ContourData=flat,
    )


def rectangle(k=1, x=(-9, -6), y=(-19.5, -18)):
    """Corners in LPS millimetres; on the grid of `affine` it holds voxel centres of one slice."""
    return [(x[0], y[0], 2 * k), (x[1], y[0], 2 * k), (x[1], y[1], 2 * k), (x[0], y[1], 2 * k)]


def rtstruct_dataset(rois=None):
    """`rois` maps a number to a name and contours."""
    given = rois or {7: ("Heart", [contour(rectangle())]), 3: ("Geheimrat lesion", [])}
    out = Dataset()
    out.SOPClassUID, out.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.3", "2.25.471199"
    out.StudyInstanceUID, out.SeriesInstanceUID, out.Modality = STUDY, "2.25.4", "RTSTRUCT"
    out.PatientName, out.PatientID = NAME, PATIENT
    out.StructureSetROISequence = Sequence(
        item(ROINumber=n, ROIName=name, ReferencedFrameOfReferenceUID=FRAME) for n, (name, _) in given.items()
    )
    out.ROIContourSequence = Sequence(
        item(ReferencedROINumber=n, ContourSequence=Sequence(contours))
        for n, (_, contours) in sorted(given.items())
    )
    return out


def seg_dataset(frames, names=("Heart", "Geheimrat lesion"), kind="BINARY", **changes):
    """A segmentation of frames (segment, slice, plane (J, I)) on the grid of `affine`, in the order they are given."""
    bits = 1 if kind == "BINARY" else 8
    out = ct_dataset(0, SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4", SOPInstanceUID="2.25.471198")
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(out, keyword)
    del out.RescaleSlope, out.RescaleIntercept
    out.Modality, out.SeriesInstanceUID, out.SegmentationType = "SEG", "2.25.5", kind
    out.BitsAllocated, out.BitsStored, out.HighBit, out.PixelRepresentation = bits, bits, bits - 1, 0
    out.NumberOfFrames = len(frames)
    codes = {"Heart": "80891009", "Geheimrat lesion": "52988006"}
    out.SegmentSequence = Sequence(
        item(
            SegmentNumber=n,
            SegmentLabel=name,
            SegmentAlgorithmType="AUTOMATIC",
            SegmentAlgorithmName="net",
            SegmentedPropertyTypeCodeSequence=[code_item("SCT", codes.get(name, "1"))],
        )
        for n, name in enumerate(names, 1)
    )
    out.ReferencedSeriesSequence = [
        item(
            SeriesInstanceUID=SERIES,
            ReferencedInstanceSequence=[
                item(ReferencedSOPInstanceUID=f"2.25.47119{k}") for k in range(SHAPE[0])
            ],
        )
    ]
    measures = item(PixelSpacing=["0.5", "0.75"], SliceThickness="2", SpacingBetweenSlices="2")
    axes = item(ImageOrientationPatient=["1", "0", "0", "0", "1", "0"])
    out.SharedFunctionalGroupsSequence = [
        item(PixelMeasuresSequence=[measures], PlaneOrientationSequence=[axes])
    ]
    out.PerFrameFunctionalGroupsSequence = [_seg_frame(kind, n, k) for n, k, _ in frames]
    if kind == "FRACTIONAL":
        out.MaximumFractionalValue, out.SegmentationFractionalType = 200, "PROBABILITY"
    planes = np.stack([np.asarray(plane, np.uint8) for _, _, plane in frames])
    data = np.packbits(planes, bitorder="little").tobytes() if bits == 1 else planes.tobytes()
    out.PixelData = data + bytes(len(data) % 2)
    out["PixelData"].VR = "OB"
    for keyword, value in changes.items():
        setattr(out, keyword, value)
    return out


def code_item(scheme, value, *modifiers):
    out = item(CodingSchemeDesignator=scheme, CodeValue=value, CodeMeaning=DESCRIPTION)
    if modifiers:
        out.SegmentedPropertyTypeModifierCodeSequence = list(modifiers)
    return out


def _seg_frame(kind, number, k):
    out = item(PlanePositionSequence=[item(ImagePositionPatient=["-10", "-20", str(2 * k)])])
    if kind != "LABELMAP":
        out.SegmentIdentificationSequence = [item(ReferencedSegmentNumber=number)]
    return out


def seg_masks(seed=0, count=2):
    """Masks (count, K, J, I) that overlap, and leave slices empty."""
    masks = np.random.default_rng(seed).random((count, *SHAPE)) < 0.4
    masks[0, 1], masks[-1, 0] = False, False
    return masks


def seg_frames(masks):
    """The frames of masks that are not empty, last slice first."""
    found = [(n, k, m[k]) for n, m in enumerate(masks, 1) for k in range(SHAPE[0]) if m[k].any()]
    return found[::-1]


def fraction_dataset(**changes):
    """A fractional segmentation of random values up to 200."""
    values = np.random.default_rng(1).integers(0, 201, (2, *SHAPE))
    return seg_dataset(
        [(n + 1, k, values[n, k]) for n in range(2) for k in range(SHAPE[0])], kind="FRACTIONAL", **changes
    )


def labelmap_frames(values):
    return [(0, k, values[k]) for k in range(SHAPE[0])]


def layered_nrrd_bytes(masks, encoding="gzip", **changes):
    """A .seg.nrrd of masks (L, K, J, I), each in a layer of its own."""
    fields = {
        "dimension": "4",
        "sizes": " ".join(map(str, (len(masks), *masks.shape[:0:-1]))),
        "space_directions": "none (0.75,0,0) (0,0.5,0) (0,0,2)",
        "kinds": "list domain domain domain",
    }
    for n in range(len(masks)):
        fields |= {f"Segment{n}_ID": f"Segment_{n + 1}", f"Segment{n}_Name": f"part {n}"}
        fields |= {f"Segment{n}_LabelValue": "1", f"Segment{n}_Layer": str(n)}
    body = np.ascontiguousarray(np.moveaxis(masks, 0, -1), np.uint8).tobytes()
    body = gzip.compress(body, mtime=0) if encoding == "gzip" else body
    return nrrd_bytes(np.zeros(SHAPE, np.uint8), encoding, tail=body, **{**fields, **changes})


def coded(value, meaning=DESCRIPTION, scheme="DCM"):
    return Sequence([item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)])


def content(kind, concept=("1", DESCRIPTION), children=(), **more):
    """A content item of a structured report."""
    out = item(ValueType=kind, ConceptNameCodeSequence=coded(*concept), RelationshipType="CONTAINS", **more)
    if children:
        out.ContentSequence = Sequence(children)
    return out


def in_space(kind, points, frame=FRAME):
    """Coordinates in the patient, of points in LPS millimetres."""
    flat = np.asarray(points, dtype=float).ravel().tolist()
    return content("SCOORD3D", GraphicType=kind, GraphicData=flat, ReferencedFrameOfReferenceUID=frame)


def measurement_group(*children, name="Geheimrat lesion", finding=("52988006", "Lesion", "SCT")):
    """A measurement group with a tracking identifier and a finding."""
    told = [content("TEXT", ("112039", "Tracking Identifier"), TextValue=name)] if name else []
    if finding:
        told.append(content("CODE", ("121071", "Finding"), ConceptCodeSequence=coded(*finding)))
    return content("CONTAINER", ("125007", "Measurement Group"), [*told, *children])


def report_dataset(*groups):
    """A report of measurements (TID 1500)."""
    out = Dataset()
    out.SOPClassUID, out.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.34", "2.25.471197"
    out.StudyInstanceUID, out.SeriesInstanceUID, out.Modality = STUDY, "2.25.6", "SR"
    out.PatientName, out.PatientID, out.ValueType = NAME, PATIENT, "CONTAINER"
    out.ConceptNameCodeSequence = coded("126000", "Imaging Measurement Report")
    measured = content("CONTAINER", ("126010", "Imaging Measurements"), list(groups))
    out.ContentSequence = Sequence([content("CODE", ("121049", "Language")), measured])
    return out


MARKUPS_SCHEMA = "https://raw.githubusercontent.com/Slicer/Slicer/main/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#"
POINT_LIST = """\
# Markups fiducial file version = 4.11
# CoordinateSystem = LPS
# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID
1,-8.5,-19,2,0,0,0,1,1,1,0,Geheimrat tip,,
2,-7,-18.5,2,0,0,0,1,1,1,0,base,,
"""


def markups_bytes(*markups):
    return json.dumps({"@schema": MARKUPS_SCHEMA, "markups": list(markups)}).encode()


def _sample_markups():
    points = [{"label": "Geheimrat tip", "position": [-8.5, -19, 2]}]
    points.append({"label": "not set", "position": [0, 0, 0], "positionStatus": "undefined"})
    region = {"type": "ROI", "name": "box", "center": [-8, -19, 2], "size": [2, 2, 3]}
    return markups_bytes({"type": "Fiducial", "coordinateSystem": "LPS", "controlPoints": points}, region)


def lidc_bytes(*readers):
    """An LIDC file of what readers marked: a function of this module's, `lidc_nodule` or `lidc_other`, each."""
    sessions = "".join(f"<readingSession>{''.join(marked)}</readingSession>" for marked in readers)
    header = f"<ResponseHeader><SeriesInstanceUid>{SERIES}</SeriesInstanceUid></ResponseHeader>"
    return f'<?xml version="1.0"?><LidcReadMessage xmlns="http://www.nih.gov">{header}{sessions}</LidcReadMessage>'.encode()


def lidc_nodule(*outlines, name="Geheimrat 1"):
    """A nodule of outlines (z, pixels (column, row), whether they include)."""
    rois = []
    for z, pixels, is_in in outlines:
        edges = "".join(f"<edgeMap><xCoord>{x}</xCoord><yCoord>{y}</yCoord></edgeMap>" for x, y in pixels)
        place = f"<imageZposition> {z} </imageZposition><imageSOP_UID>{SERIES}</imageSOP_UID>"
        rois.append(f"<roi>{place}<inclusion>{str(is_in).upper()}</inclusion>{edges}</roi>")
    return f"<unblindedReadNodule><noduleID>{name}</noduleID>{''.join(rois)}</unblindedReadNodule>"


def lidc_other(z, x, y):
    """What a reader took for no nodule."""
    place = f"<imageZposition>{z}</imageZposition><locus><xCoord>{x}</xCoord><yCoord>{y}</yCoord></locus>"
    return f"<nonNodule><nonNoduleID>2</nonNoduleID>{place}</nonNodule>"


SQUARE = [(1, 1), (6, 1), (6, 4), (1, 4)]


def voc_bytes(*objects, size=(SHAPE[2], SHAPE[1]), name="hidden-folder.png"):
    """A VOC file of objects (name, xmin, ymin, xmax, ymax)."""
    borders = ("xmin", "ymin", "xmax", "ymax")
    told = "".join(
        f"<object><name>{what}</name><bndbox>{''.join(f'<{b}>{v}</{b}>' for b, v in zip(borders, box, strict=True))}"
        "</bndbox></object>"
        for what, *box in objects
    )
    of = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    return f"<annotation><filename>{name}</filename>{of}{told}</annotation>".encode()


def coco_bytes(boxes, **changes):
    """A COCO file of boxes (picture, category, [left, upper, width, height])."""
    document = {
        "images": [{"id": n, "file_name": f"{n}.png", "width": SHAPE[2], "height": SHAPE[1]} for n in (7, 5)],
        "annotations": [
            {"id": n, "image_id": i, "category_id": c, "bbox": b} for n, (i, c, b) in enumerate(boxes)
        ],
        "categories": [{"id": 1, "name": "Geheimrat"}, {"id": 2, "name": "wart"}],
    }
    return json.dumps(document | changes).encode()


def aim_bytes(*shapes, name="Geheimrat lesion", code=("RID3874", "RadLex", "wart"), person=PATIENT):
    """An AIM file (version 4) of one annotation with shapes (type, image, points (x, y) or (x, y, z), include)."""
    told = "".join(_aim_shape(n, *shape) for n, shape in enumerate(shapes))
    of = f'<typeCode code="{code[0]}" codeSystemName="{code[1]}"><iso:displayName value="{code[2]}"/></typeCode>'
    image = f'<ImageReferenceEntity><imageStudy><imageSeries><instanceUid root="{SERIES}"/></imageSeries></imageStudy></ImageReferenceEntity>'
    return (
        '<?xml version="1.0"?><ImageAnnotationCollection xmlns="gme://caCORE.caCORE/4.4/edu.northwestern.radiology.AIM" '
        'xmlns:iso="uri:iso.org:21090" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" aimVersion="AIMv4_0">'
        f'<user><name value="{NAME}"/><loginName value="geheim"/></user><person><name value="{NAME}"/><id value="{person}"/></person>'
        f'<imageAnnotations><ImageAnnotation>{of}<name value="{name}"/>'
        f"<markupEntityCollection>{told}</markupEntityCollection>{image}</ImageAnnotation></imageAnnotations>"
        "</ImageAnnotationCollection>"
    ).encode()


def _aim_shape(number, kind, image, points, include=True):
    is_flat = len(points[0]) == 2
    coordinate = "TwoDimensionSpatialCoordinate" if is_flat else "ThreeDimensionSpatialCoordinate"
    reference = f'<imageReferenceUid root="{image}"/><referencedFrameNumber value="1"/>'
    reference = reference if is_flat else f'<frameOfReferenceUid root="{image}"/>'
    rows = "".join(
        f'<{coordinate}><coordinateIndex value="{n}"/>'
        + "".join(f'<{axis} value="{v}"/>' for axis, v in zip("xyz", point, strict=False))
        + f"</{coordinate}>"
        for n, point in enumerate(points)
    )
    return (
        f'<MarkupEntity xsi:type="{kind}"><shapeIdentifier value="{number}"/>'
        f'<includeFlag value="{str(include).lower()}"/>{reference}'
        f"<spatialCoordinateCollection>{rows}</spatialCoordinateCollection></MarkupEntity>"
    )


def affine():
    return np.array([[-0.75, 0, 0, 10], [0, -0.5, 0, 20], [0, 0, 2, 0], [0, 0, 0, 1.0]])


def nifti_bytes(array=None, change=None, kind=nibabel.Nifti1Image, matrix=None):
    """A NIfTI file of an array (K, J, I); `change` alters the header's raw record before it is written."""
    values = stored() if array is None else array
    image = kind(values.T, affine() if matrix is None else matrix, dtype=values.dtype)
    image.header.set_xyzt_units("mm")
    data = bytearray(image.to_bytes())
    if change is not None:
        size = image.header.sizeof_hdr
        header = type(image.header)(bytes(data[:size]), check=False)
        change(header.structarr)
        data[:size] = header.structarr.tobytes()
    return bytes(data)


def nrrd_bytes(array=None, encoding="raw", tail=None, **changes):
    """An NRRD file of an array (K, J, I); a field that is None is left out."""
    values = stored() if array is None else array
    names = {"i2": "short", "u1": "uint8", "f4": "float", "f8": "double", "i4": "int"}
    fields = {
        "type": names[values.dtype.str[1:]],
        "dimension": "3",
        "space": "left-posterior-superior",
        "sizes": " ".join(map(str, values.shape[::-1])),
        "space directions": "(0.75,0,0) (0,0.5,0) (0,0,2)",
        "kinds": "domain domain domain",
        "endian": "little",
        "encoding": encoding,
        "space origin": "(-10,-20,0)",
        "content": DESCRIPTION,
        **{k.replace("_", " "): v for k, v in changes.items()},
    }
    pairs = {k: fields.pop(k) for k in list(fields) if k.startswith("Segment")}
    lines = ["NRRD0004", *(f"{k}: {v}" for k, v in fields.items() if v is not None)]
    lines += [f"{k.replace(' ', '_')}:={v}" for k, v in pairs.items() if v is not None]
    body = values.tobytes()
    body = gzip.compress(body, mtime=0) if encoding == "gzip" else body
    return "\n".join(lines).encode() + b"\n\n" + (body if tail is None else tail)


def metaimage_bytes(array=None, tail=None, **changes):
    """A MetaImage file of an array (K, J, I); a field that is None is left out."""
    values = stored() if array is None else array
    names = {"i2": "MET_SHORT", "u1": "MET_UCHAR", "f4": "MET_FLOAT", "f8": "MET_DOUBLE", "i4": "MET_INT"}
    is_packed = changes.get("CompressedData") == "True"
    body = zlib.compress(values.tobytes()) if is_packed else values.tobytes()
    fields = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        "CompressedDataSize": str(len(body)) if is_packed else None,
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "-10 -20 0",
        "ElementSpacing": "0.75 0.5 2",
        "DimSize": " ".join(map(str, values.shape[::-1])),
        "ElementType": names[values.dtype.str[1:]],
        "Comment": DESCRIPTION,
        "ElementDataFile": "LOCAL",
    } | changes
    fields["ElementDataFile"] = fields.pop("ElementDataFile")
    lines = [f"{k} = {v}\n" for k, v in fields.items() if v is not None]
    return "".join(lines).encode("latin-1") + (body if tail is None else tail)


@dataclass(frozen=True)
class Sample:
    """A good file of a format: its name there, and its bytes; `beside` is a second file that holds its voxels."""

    format: str
    name: str
    data: bytes
    beside: tuple[str, bytes] | None = None

    def write(self, folder, data=None):
        """Put it into a folder, with other bytes if they are given."""
        path = folder / self.name
        path.write_bytes(self.data if data is None else data)
        if self.beside is not None:
            (folder / self.beside[0]).write_bytes(self.beside[1])
        return path


def nifti_pair(array=None, kind=nibabel.Nifti1Pair):
    """The bytes of a header and of its voxels."""
    values = stored() if array is None else array
    image = kind(values.T, affine(), dtype=values.dtype)
    image.header.set_xyzt_units("mm")
    made = {n: nibabel.FileHolder(fileobj=io.BytesIO()) for n in ("header", "image")}
    image.to_file_map(made)
    return made["header"].fileobj.getvalue(), made["image"].fileobj.getvalue()


def _pairs(array):
    """Headers with their voxels in another file."""
    header, voxels = nifti_pair(array)
    second, _ = nifti_pair(array, nibabel.Nifti2Pair)
    plain = array.tobytes()
    packed = gzip.compress(plain, mtime=0)
    zlibbed = zlib.compress(plain)
    return [
        Sample("nifti", "pair.hdr", header, ("pair.img", voxels)),
        Sample("nifti", "PAIR.HDR", second, ("PAIR.IMG", voxels)),
        Sample("nifti", "packed.hdr", header, ("packed.img.gz", gzip.compress(voxels, mtime=0))),
        Sample("nrrd", "pair.nhdr", nrrd_bytes(array, tail=b"", data_file="pair.raw"), ("pair.raw", plain)),
        Sample(
            "nrrd",
            "packed.nhdr",
            nrrd_bytes(array, encoding="gzip", tail=b"", data_file="./packed.raw.gz"),
            ("packed.raw.gz", packed),
        ),
        Sample(
            "metaimage",
            "pair.mhd",
            metaimage_bytes(array, tail=b"", ElementDataFile="pair.raw"),
            ("pair.raw", plain),
        ),
        Sample(
            "metaimage",
            "packed.mhd",
            metaimage_bytes(array, tail=b"", ElementDataFile="packed.zraw", CompressedData="True"),
            ("packed.zraw", zlibbed),
        ),
    ]


def encapsulated_bytes(syntax, encode, k=1):
    """A CT slice whose plane was compressed by an encoder of our choice."""
    plane = stored()[k % SHAPE[0]].astype("<i2")
    dataset = ct_dataset(k, PixelData=encapsulate([encode(plane)]))
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return dicom_bytes(dataset, syntax)


def run_lengths(plane):
    """A plane as RLE Lossless (PS3.5 Annex G): literal runs only, the high bytes first."""
    planes = plane.view(np.uint8).reshape(*plane.shape, 2)[..., ::-1]
    parts = []
    for n in range(2):
        rows = (row.tobytes() for row in planes[..., n])
        part = b"".join(bytes([len(row) - 1]) + row for row in rows)
        parts.append(part + bytes(len(part) % 2))
    starts = [64, 64 + len(parts[0])]
    return struct.pack("<16I", 2, *starts, *[0] * 13) + b"".join(parts)


def wavelets(plane):
    """A plane as reversible JPEG 2000."""
    return bytes(imagecodecs.jpeg2k_encode(plane, level=0, reversible=True, codecformat="J2K"))


def image_samples():
    packed = encapsulated_bytes(RLELossless, run_lengths)
    return [
        Sample("dicom", "slice.dcm", ct_bytes(1)),
        Sample("dicom", "runs.dcm", packed),
        Sample("dicom", "wavelets.dcm", encapsulated_bytes(JPEG2000Lossless, wavelets)),
        Sample("dicom", "runs.dcm.gz", gzip.compress(packed, mtime=0)),
        Sample("dicom", "deflated.dcm", dicom_bytes(ct_dataset(1), DeflatedExplicitVRLittleEndian)),
        Sample("dicom", "slice.dcm.gz", gzip.compress(ct_bytes(1), mtime=0)),
        Sample("nifti", "image.nii", nifti_bytes()),
        Sample("nifti", "image.nii.gz", gzip.compress(nifti_bytes(), mtime=0)),
        Sample("nifti", "second.nii", nifti_bytes(kind=nibabel.Nifti2Image)),
        Sample("nrrd", "image.nrrd", nrrd_bytes()),
        Sample("nrrd", "packed.nrrd", nrrd_bytes(encoding="gzip")),
        Sample("nrrd", "image.nrrd.gz", gzip.compress(nrrd_bytes(), mtime=0)),
        Sample("metaimage", "image.mha", metaimage_bytes()),
        Sample("metaimage", "packed.mha", metaimage_bytes(CompressedData="True")),
        Sample("metaimage", "image.mha.gz", gzip.compress(metaimage_bytes(), mtime=0)),
        *_pairs(stored()),
    ]


def annotation_samples():
    mask = (stored() % 3).astype(np.uint8)
    names = {"Segment0_Name": "Heart", "Segment0_LabelValue": "1"}
    return [
        Sample("rtstruct", "set.dcm", dicom_bytes(rtstruct_dataset())),
        Sample("nifti", "mask.nii.gz", gzip.compress(nifti_bytes(mask), mtime=0)),
        Sample("nifti", "mask.nii", nifti_bytes(mask)),
        Sample("nrrd", "mask.nrrd", nrrd_bytes(mask)),
        Sample("nrrd", "mask.seg.nrrd", nrrd_bytes(mask, encoding="gzip", **names)),
        Sample("nrrd", "layers.seg.nrrd", layered_nrrd_bytes(seg_masks())),
        Sample("metaimage", "mask.mha", metaimage_bytes(mask, CompressedData="True")),
        Sample("dicom-seg", "bits.dcm", dicom_bytes(seg_dataset(seg_frames(seg_masks())))),
        Sample("dicom-seg", "fractions.dcm", dicom_bytes(fraction_dataset())),
        Sample("dicom-seg", "map.dcm", dicom_bytes(seg_dataset(labelmap_frames(mask), kind="LABELMAP"))),
        Sample("slicer-markups", "points.mrk.json", _sample_markups()),
        Sample("slicer-markups", "points.fcsv", POINT_LIST.encode()),
        Sample(
            "dicom-report", "report.dcm", dicom_bytes(report_dataset(measurement_group(_sample_region())))
        ),
        Sample(
            "aim", "drawn.xml", aim_bytes(("TwoDimensionPolyline", SERIES, [(1, 1), (6, 1), (6, 4), (1, 4)]))
        ),
        Sample("lidc-xml", "read.xml", lidc_bytes([lidc_nodule((2, SQUARE, True))], [lidc_other(0, 2, 3)])),
        Sample("voc", "boxes.xml", voc_bytes(("wart", 2, 2, 5, 4), ("Geheimrat", 1, 1, 1, 1))),
        Sample("coco", "boxes.json", coco_bytes([(7, 2, [1, 1, 3, 2]), (5, 1, [0, 0, 2, 2])])),
        *_pairs(mask),
    ]


def _sample_region():
    return in_space("POLYGON", [*rectangle(), rectangle()[0]])


def mutants(data, count, seed=0):
    """Copies with flipped bytes, extreme numbers, spans cut out or doubled."""
    rng = np.random.default_rng(seed)
    extremes = [n.to_bytes(4, "little") for n in (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x00010000)]
    for n in range(count):
        out = bytearray(data)
        # headers are small, and that is where harm is done
        at = int(rng.integers(0, len(data) if n % 4 == 0 else min(len(data), 1200)))
        match n % 5:
            case 0 | 1:
                out[at] ^= 1 << int(rng.integers(8))
            case 2:
                out[at : at + 4] = extremes[int(rng.integers(len(extremes)))]
            case 3:
                del out[at : at + int(rng.integers(1, 64))]
            case 4:
                out[at:at] = out[at : at + int(rng.integers(1, 64))]
        yield bytes(out)


def stack_of(format_name, paths, modality=""):
    """The one stack of some files, as the index makes it."""
    found = [FORMATS.get(format_name).scan(p, str(n), 0, "").instance for n, p in enumerate(paths)]
    found.sort(key=lambda r: (r.sop_instance_uid or "", r.file_id))
    columns = Columns(tables.table_of_rows(Instance, found))
    members = SeriesMembers(
        rows=Members(columns, 0, len(found)),
        identities=[Identity("sub-1", "", is_dummy=False)],
        attributes=(),
    )
    (stack,) = stacks_of(members, Pseudonyms(b"0123456789abcdef")).stacks
    return stack


def read_files(format_name, paths):
    """Scan and read files as one volume."""
    stack = stack_of(format_name, paths)
    return FORMATS.get(format_name).read(stack, [paths[int(n)] for n in stack.files])
