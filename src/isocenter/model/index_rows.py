"""The tables of the index: files, instances, annotation objects, series and stacks.

`work/index` alone may hold identifiers: `FileRow.path`, `Instance` and `AnnotationObject`. Every other
table names things by pseudonym.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocenter.model.attributes import Attribute
from isocenter.model.grid import Grid
from isocenter.model.suv import SuvFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """`index/files.parquet`: one row per file found, and what it is.

    `kind` is "dicom-image", "dicom-rtstruct", "dicom-seg", "dicom-<other>", "nifti", "nrrd", "table",
    or a kind that is ignored ("text", "folder-settings", "symlink", ...). A file inside an archive has the
    path `archive.zip!/member`, and `archive` is the file id of the archive; `data_file` is that of
    the file beside a header that holds its voxels. The digests are there where they were asked for.
    """

    file_id: str
    source: int
    path: str
    size: int
    mtime_ns: int
    kind: str
    device: int = 0
    inode: int = 0
    archive: str = ""
    data_file: str = ""
    content_digest: str = ""
    pixel_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """`index/instances.parquet`: one SOP Instance, or one image file of another format.

    Geometry is RAS+ millimetres already. None means that the attribute is absent or empty; `unparsable`
    names the attributes whose value could not be understood, `overlong`
    those whose numbers are written with more characters than the standard allows, `repeated` those that are there
    several times with one value. Of a file that cannot be used
    ("dicom-unreadable") there is no more than its identity. `pixel_offset` is where the value of the pixel
    data begins in the file and `pixel_bytes` its length, None where it is encapsulated or deflated.
    `pet` holds what a PET says of its tracer, times and scale as "Name=value".
    `data_name` is the file beside a header without voxels (.hdr, .nhdr, .mhd) that holds them.
    """

    file_id: str
    source: int
    site: str
    format: str
    path: str = ""
    kind: str = ""
    sop_class_uid: str | None = None
    sop_instance_uid: str | None = None
    series_uid: str | None = None
    study_uid: str | None = None
    frame_of_reference_uid: str | None = None
    transfer_syntax_uid: str | None = None
    patient_id: str | None = None
    patient_id_issuer: str | None = None
    patient_name: str | None = None
    birth_date: str | None = None
    identity_removed: bool = False
    burned_in_annotation: str | None = None
    accession_number: str | None = None
    study_date: str | None = None
    acquisition_time: str | None = None
    series_number: int | None = None
    modality: str | None = None
    image_type: tuple[str, ...] = ()
    manufacturer: str | None = None
    model: str | None = None
    device_serial: str | None = None
    software: str | None = None
    institution: str | None = None
    body_part: str | None = None
    study_description: str | None = None
    series_description: str | None = None
    protocol_name: str | None = None
    convolution_kernel: str | None = None
    kvp: float | None = None
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    inversion_time_ms: float | None = None
    b_value: float | None = None
    contrast_agent: str | None = None
    field_strength_t: float | None = None
    acquisition_number: int | None = None
    temporal_position: int | None = None
    temporal_positions: int | None = None
    trigger_time_ms: float | None = None
    content_time: str | None = None
    gradient: tuple[float, ...] = ()
    images_in_acquisition: int | None = None
    instance_number: int | None = None
    age: str | None = None
    sex: str | None = None
    weight_kg: float | None = None
    rows: int | None = None
    columns: int | None = None
    frames: int = 1
    samples: int = 1
    photometric: str | None = None
    bits_allocated: int | None = None
    bits_stored: int | None = None
    pixel_representation: int | None = None
    pixel_spacing_mm: tuple[float, ...] = ()
    orientation: tuple[float, ...] = ()
    position_mm: tuple[float, ...] = ()
    slice_thickness_mm: float | None = None
    spacing_between_slices_mm: float | None = None
    gantry_tilt_deg: float | None = None
    rescale_slope: float | None = None
    rescale_intercept: float | None = None
    rescale_type: str | None = None
    has_modality_lut: bool = False
    pixel_padding: int | None = None
    pixel_padding_limit: int | None = None
    is_lossy: bool = False
    lossy_ratio: str | None = None
    lossy_method: str | None = None
    has_pixels: bool = True
    pixel_offset: int | None = None
    pixel_bytes: int | None = None
    data_name: str = ""
    high_bit: int | None = None
    presentation_intent: str | None = None
    imager_spacing_mm: tuple[float, ...] = ()
    spacing_calibration: str | None = None
    magnification: float | None = None
    source_to_detector_mm: float | None = None
    source_to_patient_mm: float | None = None
    view_position: str | None = None
    view_code: str | None = None
    image_laterality: str | None = None
    laterality: str | None = None
    patient_orientation: tuple[str, ...] = ()
    voi_centre: tuple[str, ...] = ()
    voi_width: tuple[str, ...] = ()
    voi_function: str | None = None
    has_voi_lut: bool = False
    pet_units: str | None = None
    pet: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    affine: tuple[float, ...] = ()
    orientation_code: str = ""
    affine_conflict_mm: float = 0.0
    dtype: str = ""
    unparsable: tuple[str, ...] = ()
    overlong: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRow:
    """`index/frames.parquet`: one frame of an object whose frames differ (functional groups, PS3.3 C.7.6.16).

    `frame` counts from 0; geometry is RAS+ millimetres; a group that all frames share is written into each.
    `image_type` ends with the Complex Image Component and the ASL Context where these say more than it.
    A mosaic's tiles are frames: `window` is the first row, the first column, and how many rows and columns
    of the picture a tile has; empty where a frame is a whole picture.
    """

    file_id: str
    frame: int
    orientation: tuple[float, ...] = ()
    position_mm: tuple[float, ...] = ()
    pixel_spacing_mm: tuple[float, ...] = ()
    slice_thickness_mm: float | None = None
    spacing_between_slices_mm: float | None = None
    rescale_slope: float | None = None
    rescale_intercept: float | None = None
    rescale_type: str | None = None
    stack_id: str | None = None
    in_stack_position: int | None = None
    temporal_position: int | None = None
    dimension_index: tuple[int, ...] = ()
    image_type: tuple[str, ...] = ()
    acquisition_time: str | None = None
    acquisition_number: int | None = None
    trigger_time_ms: float | None = None
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    inversion_time_ms: float | None = None
    b_value: float | None = None
    gradient: tuple[float, ...] = ()
    convolution_kernel: str | None = None
    kvp: float | None = None
    segment_number: int | None = None
    window: tuple[int, ...] = ()
    unparsable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutRow:
    """`index/layout.parquet`: what a known data-set layout says of one of its files.

    `role` is "image" or "mask"; `values[n]` of a mask stands for `labels[n]`.
    """

    file_id: str
    role: str
    channel: str
    case: str
    subject: str
    partition: str = ""
    values: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationObject:
    """`index/annotations.parquet`: one annotation file that names what is in it (RTSTRUCT, DICOM SEG, .seg.nrrd, COCO...).

    `labels` are the free-text names in it, `numbers` their keys inside the object, `codes` and `ids` what else they
    are known by and `shapes` what they are (mask, contours, ...), all of one length or empty; `samples_mm` are some
    points of its contours or planes (RAS+ x, y, z each), to tell on which of several grids it was drawn. `raters` name
    who drew each, where the file tells several apart, and `pictures` the single image that each was drawn on: its SOP
    Instance UID (with `#` and the number of its frame, where it is one of several) or the name of its file; `looked_at`
    names all single images that were looked at, where the file lists them.
    """

    file_id: str
    source: int
    site: str
    format: str
    patient_id: str | None = None
    patient_id_issuer: str | None = None
    patient_name: str | None = None
    birth_date: str | None = None
    subject: str = ""
    sop_instance_uid: str | None = None
    study_uid: str | None = None
    frame_of_reference_uid: str | None = None
    referenced_series_uids: tuple[str, ...] = ()
    referenced_instance_uids: tuple[str, ...] = ()
    samples_mm: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    raters: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    looked_at: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """`index/series.parquet`: one DICOM series (or one file of another format), by pseudonym.

    `n_*` count distinct values over its instances; frames of reference, bits, matrices, spacings and
    photometrics are counted among planes of one orientation, and the highest count is given: a localizer or
    a second view in the series is no mixture.
    """

    id: str
    study: str
    subject: str
    site: str
    format: str
    modality: str
    n_instances: int
    n_stacks: int
    n_subjects: int = 1
    n_modalities: int = 1
    n_frames_of_reference: int = 1
    n_bits_stored: int = 1
    n_matrices: int = 1
    n_pixel_spacings: int = 1
    n_photometrics: int = 1
    has_patient_id: bool = True
    is_dummy_patient_id: bool = False
    has_manufacturer: bool = True
    has_model: bool = True
    identity_removed: bool = False
    burned_in_annotation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """`index/stacks.parquet`: frames of one series that share an orientation, in order along the normal.

    `files[n]` and `frames[n]` are the nth slice; `positions_mm` are their distances along the normal;
    `affine` (16 numbers, row by row) takes (i, j, k, 1) of voxel centres to RAS+ millimetres, empty where
    the geometry is not known; `shear_mm` is how far the last slice is displaced within its plane;
    `affine_residual_mm` is the largest distance of a slice's origin from where the affine puts it,
    `lateral_residual_mm` that within its plane from the line along which the affine stacks them, and
    `orientation_residual` the largest difference of a slice's direction cosines from the stack's.
    Stacks that differ only in time, echo, ... are one `group`: `axis` names it, `axis_index` of `axis_count`
    is this one's place on it and `axis_value` what the headers say there, None where they only tell the order.
    `all_*` hold the distinct values over the slices, texts with "" where only some slices have one, `absent` the keywords of what the standard asks for and
    a slice lacks, `first_number` and `last_number` the lowest and highest Instance Number; the numbers of images
    in the acquisition and of temporal positions are what the headers say. `n_in_series` counts the images of its
    series, whatever stacks they are in (0: not counted), `group_slices` the slices of each stack of its group;
    `overlong` names attributes whose decimal strings are longer than the standard allows, `repeated` those that some
    header holds several times with one value; `lossy_*` are what the headers say of compression with loss.
    """

    id: str
    series: str
    study: str
    subject: str
    site: str
    source: int
    timepoint: str
    format: str
    modality: str
    files: tuple[str, ...]
    frames: tuple[int, ...]
    instances: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    spacing_mm: tuple[float, ...] = ()
    affine: tuple[float, ...] = ()
    orientation: tuple[float, ...] = ()
    orientation_code: str = ""
    affine_conflict_mm: float = 0.0
    affine_residual_mm: float = 0.0
    lateral_residual_mm: float = 0.0
    shear_mm: float = 0.0
    positions_mm: tuple[float, ...] = ()
    slice_distance_mm: float | None = None
    slice_thickness_mm: float | None = None
    gantry_tilt_deg: float | None = None
    frame_of_reference: str = ""
    sop_class_uid: str = ""
    transfer_syntax_uid: str = ""
    image_type: tuple[str, ...] = ()
    multi_frame: bool = False
    samples: int = 1
    photometric: str = ""
    bits_allocated: int | None = None
    bits_stored: int | None = None
    dtype: str = ""
    n_without_rescale: int = 0
    rescale_slopes: tuple[float, ...] = ()
    rescale_intercepts: tuple[float, ...] = ()
    rescale_type: str = ""
    pet_units: str = ""
    is_lossy: bool = False
    has_pixels: bool = True
    presentation_intent: str = ""
    burned_in_annotation: str = ""
    has_modality_lut: bool = False
    layout_role: str = ""
    layout_channel: str = ""
    layout_case: str = ""
    partition: str = ""
    unparsable: tuple[str, ...] = ()
    axis: str = ""
    axis_index: int = 0
    axis_count: int = 1
    axis_value: float | None = None
    group: str = ""
    all_bits_stored: tuple[int, ...] = ()
    all_signs: tuple[int, ...] = ()
    all_rescale_types: tuple[str, ...] = ()
    all_pet_units: tuple[str, ...] = ()
    all_transfer_syntaxes: tuple[str, ...] = ()
    orientation_residual: float = 0.0
    first_number: int | None = None
    last_number: int | None = None
    images_in_acquisition: int | None = None
    temporal_positions: int | None = None
    n_in_series: int = 0
    group_slices: tuple[int, ...] = ()
    absent: tuple[str, ...] = ()
    overlong: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    lossy_ratios: tuple[str, ...] = ()
    lossy_methods: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    suv: SuvFacts | None = None

    @property
    def grid(self) -> Grid:
        """Where the stack's voxels are; a stack of unknown geometry has none and must have been rejected."""
        k, j, i = self.shape
        affine = np.array(self.affine, dtype=np.float64).reshape(4, 4)
        return Grid((k, j, i), affine, self.frame_of_reference, self.orientation_code != "none")

    def attribute(self, name: str) -> str:
        """Value of an attribute as text, "" where it has none."""
        return next((a.value for a in self.attributes if a.name == name), "")
