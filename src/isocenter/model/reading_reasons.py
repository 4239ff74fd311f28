"""Reasons of reading: what is wrong with a file, and what was seen or done while it was read."""

from __future__ import annotations

from isocenter.model.issue import Severity
from isocenter.model.reason import Reason

_NOTE, _REVIEW, _REJECT = Severity.NOTE, Severity.REVIEW, Severity.REJECT

READING: dict[str, Reason] = {
    "file/unreadable": Reason(_REJECT, "The file cannot be opened.", "Check permissions and the disk."),
    "file/empty": Reason(_REJECT, "The file has no bytes.", "Copy it again from its source."),
    "file/truncated": Reason(
        _REJECT, "The file ends before its header says it should.", "Copy it again from its source."
    ),
    "file/corrupt": Reason(
        _REJECT, "The file's structure or check sum is broken.", "Copy it again from its source."
    ),
    "file/unsupported": Reason(
        _REJECT, "The file is of a kind that cannot be read here.", "Convert it, or see the formats page."
    ),
    "file/too-large": Reason(
        _REJECT, "The content is larger than the limit for one file.", "Check that the file is what it says."
    ),
    "file/limit": Reason(
        _REJECT,
        "The header reached a limit: elements, depth, items, length of a value, bytes or seconds.",
        "Check the file; if it is sound, raise the limit (limits.*).",
    ),
    "file/decoder-died": Reason(
        _REJECT,
        "The decoder of the compressed pixels died of them, twice.",
        "Copy it again from its source; if the file is sound, please report it.",
    ),
    "file/outside": Reason(
        _REJECT,
        "The header names a file outside its own folder, or one that is no regular file.",
        "Put the data beside the header.",
    ),
    "file/encrypted": Reason(_REJECT, "The content is encrypted.", "Decrypt it first."),
    "file/several-volumes": Reason(
        _REJECT,
        "The file holds several volumes or layers where one is read.",
        "Split it into single volumes.",
    ),
    "file/changed": Reason(
        _REJECT, "The file changed between being indexed and being read.", "Run again when it is at rest."
    ),
    "file/reader-failed": Reason(
        _REJECT, "The reader stopped on this file for a reason it did not foresee.", "Please report it."
    ),
    "file/not-an-image": Reason(
        _NOTE,
        "Files that are no images were left out.",
        "Nothing; if they should be images, copy them again from their source.",
    ),
    "read/other-grid": Reason(
        _REJECT, "A mask lies on another grid than its image.", "Export it on the image's grid."
    ),
    "read/grid-rounding": Reason(
        _NOTE, "A mask's header differs from its image's by rounding; the image's grid is used.", "Nothing."
    ),
    "read/grid-reordered": Reason(
        _NOTE,
        "A mask was stored in another axis order; its voxels were put in the image's order.",
        "Nothing.",
    ),
    "read/grid-part": Reason(
        _NOTE,
        "A mask covers a part of its image's grid; it was put in its place, and nothing was interpolated.",
        "Nothing.",
    ),
    "read/grid-turn": Reason(
        _REVIEW,
        "By its header a mask was stored in another axis order; that x and y were negated (RAS+ taken for LPS) explains"
        " as much. It lies where the header says.",
        "Look at the picture; accept turn or negated in annotations[].accept, or export the mask in its image's order.",
    ),
    "read/grid-half-voxel": Reason(
        _REVIEW,
        "A mask lies half a voxel beside its image: a voxel's corner was probably taken for its centre.",
        "Look at the picture; accept half-voxel in annotations[].accept, or export the mask again.",
    ),
    "read/grid-negated": Reason(
        _REVIEW,
        "A mask would fit its image if x and y were negated: RAS+ was probably taken for LPS.",
        "Look at the picture; accept negated in annotations[].accept, or export the mask again.",
    ),
    "read/grid-unit": Reason(
        _REVIEW,
        "A mask would fit its image if its lengths were in another unit.",
        "Look at the picture; accept unit in annotations[].accept, or export the mask again.",
    ),
    "read/grid-without-position": Reason(
        _REVIEW,
        "A mask is as large as its image, but its header does not say where it is.",
        "Look at the picture; accept no-position in annotations[].accept, or export the mask again.",
    ),
    "read/grid-shifted": Reason(
        _REVIEW,
        "A mask is as large as its image and lies beside it; it was resampled where it says it is.",
        "Look at the picture; accept shifted in annotations[].accept if it is right there.",
    ),
    "read/grid-resampled": Reason(
        _REVIEW,
        "A mask has other voxels than its image; it was resampled, and is given before and after.",
        "Look at the picture; set annotations[].align: resample to take such masks unseen, or reject.",
    ),
    "read/registered": Reason(
        _NOTE,
        "An annotation of another frame of reference was brought to its image by a spatial registration object.",
        "Nothing, if the registration is right; look at the picture.",
    ),
    "read/other-frame": Reason(
        _REJECT,
        "A mask lies in another frame of reference than its image: its millimetres mean other places.",
        "Find the image that it was drawn on, or a spatial registration object that connects the two frames.",
    ),
    "read/planes-off-lattice": Reason(
        _REJECT,
        "The planes of a segmentation lie on no one regular grid.",
        "Export it on the grid of its image.",
    ),
    "read/fraction-threshold": Reason(
        _NOTE,
        "A fractional segmentation was made a mask: voxels from a part of the maximum on.",
        "Nothing, or set annotations[].fraction.",
    ),
    "read/derived-voxels": Reason(
        _NOTE,
        "The voxels of a segmentation were made from a surface, which is what was drawn.",
        "Nothing, or look at the picture.",
    ),
    "read/no-volume": Reason(
        _NOTE, "Points and open contours make no volume and were left out.", "Nothing, or close the contours."
    ),
    "read/in-pixels": Reason(
        _REVIEW,
        "An annotation is given in pixels of single images only; it was not placed in the patient.",
        "Export it with coordinates in the patient.",
    ),
    "read/contours-left-out": Reason(
        _NOTE,
        "Contours were left out of the mask: they fit no slice of the image, lie outside it, or repeat another.",
        "Look at the picture; export the structure set again if they are missed.",
    ),
    "read/contours-cut": Reason(
        _NOTE,
        "Contours were cut at the border of the image, or hold no voxel's centre.",
        "Nothing, or crop less.",
    ),
    "read/contours-overlap": Reason(
        _NOTE,
        "Contours of one structure cross in a plane, or one itself; what lies in two counts as outside.",
        "Look at the picture.",
    ),
    "read/contours-oblique": Reason(
        _NOTE,
        "Contours lie in planes that are not the image's; each filled what is nearest to its plane.",
        "Look at the picture; nothing, if they were drawn on an oblique view.",
    ),
    "read/contour-gaps": Reason(
        _NOTE,
        "Slices between contours have none; nothing was filled in there.",
        "Nothing, or interpolate where the contours were drawn.",
    ),
    "read/not-a-label-map": Reason(
        _REJECT, "A mask's values are not those of a label map.", "Export the labels as whole numbers."
    ),
    "read/bits": Reason(
        _REVIEW, "Stored values lie beyond the bits that the header says are used.", "Look at the picture."
    ),
    "read/values": Reason(
        _REJECT, "The voxel values cannot be brought to their unit.", "Check the rescale tags."
    ),
    "read/decoders-disagree": Reason(
        _REJECT,
        "Two independent decoders read different values from one compressed frame.",
        "Copy it again from its source; if the file is sound, please report it.",
    ),
    "read/box-outside": Reason(
        _REVIEW, "A box lies outside its image.", "Check the axes of the table (LPS or RAS) and its image."
    ),
    "read/saturated": Reason(
        _REVIEW, "Values beyond 16-bit integers were set to the nearest end.", "Check the rescale tags."
    ),
    "read/clipped": Reason(
        _NOTE, "Values beyond the HU range were clipped.", "Set standardise.hu_range: null to keep them."
    ),
    "read/padding-masked": Reason(
        _NOTE, "Padding voxels were masked before the values were brought to their unit.", "Nothing."
    ),
    "read/resampled-gaps": Reason(
        _NOTE,
        "Slices were interpolated onto even spacing; the slice table marks those that are synthetic.",
        "Nothing, if that is what standardise.gaps or uneven was set for; masks hold nothing on slices that nobody saw.",
    ),
    "read/resampled-tilt": Reason(
        _NOTE, "Slices of a tilted gantry were brought onto a rectangular grid.", "Nothing."
    ),
    "read/suv": Reason(
        _NOTE,
        "PET values were multiplied by the factor that makes them standardised uptake values.",
        "Nothing.",
    ),
    "read/suv-assumed": Reason(
        _REVIEW,
        "Something was taken for granted of a PET header: another unit of a number that makes sense in no other, or what a "
        "decay factor counts to.",
        "Compare it with the site's records.",
    ),
    "read/no-suv": Reason(
        _REVIEW,
        "The PET could not be turned into standardised uptake values and stays as it is stored.",
        "Get what is missing from the site, or ask for stored values (standardise.pet: stored).",
    ),
    "read/bias-corrected": Reason(
        _NOTE,
        "The bias field of an MR image was estimated and divided out; the factors in its foreground are given.",
        "Nothing, if that is what standardise.bias_field was set for; factors far from 1 are worth a look.",
    ),
    "read/no-bias-field": Reason(
        _REVIEW,
        "No bias field could be estimated: hardly any voxel of the MR image is foreground. It was left as it was.",
        "Look at the picture; it may be empty, or not be an MR image.",
    ),
    "read/too-many-gaps": Reason(
        _REJECT,
        "More slices are missing than are there: most of the volume would be made up.",
        "Fetch the missing images, or look for two acquisitions in one series.",
    ),
    "read/overlay-bits": Reason(
        _NOTE,
        "An overlay lay in bits of the pixels that hold no value; it was taken out before the values were used.",
        "Nothing; it may show text or drawings that were made on the picture.",
    ),
    "read/monochrome1-kept": Reason(
        _NOTE,
        "The picture is to be shown inverted (MONOCHROME1); its values have a meaning and were left as they are.",
        "Nothing.",
    ),
    "read/inverted": Reason(
        _NOTE, "A MONOCHROME1 radiograph was inverted in its stored range.", "Nothing: bright is dense again."
    ),
    "read/label-intent": Reason(
        _NOTE, "The header says that the values are labels; they are read as an image.", "Nothing."
    ),
    "read/left-handed": Reason(
        _NOTE,
        "The axes of the file are those of a mirror; its affine says so, and voxels lie where it puts them.",
        "Nothing, if what reads the data uses the affine.",
    ),
    "read/measurement-frame": Reason(
        _NOTE,
        "The header turns vectors by a measurement frame; an image of numbers has none.",
        "Nothing; apply it to gradient directions that are kept beside the image.",
    ),
    "read/singleton-axis": Reason(_NOTE, "Axes of length one beyond the third were dropped.", "Nothing."),
    "read/trailing-bytes": Reason(
        _NOTE,
        "There are bytes behind the last voxel that the header does not account for.",
        "Nothing where they are zeros; else check the sizes of the axes.",
    ),
    "read/two-affines": Reason(
        _REVIEW,
        "The header holds two affines that place the image differently; the sform is used.",
        "Find out which one is right and write it to both.",
    ),
    "read/uncounted-axes": Reason(
        _REVIEW,
        "The header gives lengths of more axes than it says there are.",
        "Check the sizes of the axes at the source.",
    ),
    "read/unit-assumed": Reason(
        _NOTE,
        "The header does not give lengths in a unit that is known; millimetres are assumed.",
        "Compare the voxel size with the protocol.",
    ),
    "read/unit-converted": Reason(_NOTE, "Lengths of the header were converted to millimetres.", "Nothing."),
    "read/voxel-sizes": Reason(
        _REVIEW,
        "The voxel sizes of the header contradict its affine, which is used.",
        "Find out which is right: other tools use the sizes.",
    ),
    "read/voxel-type": Reason(
        _REVIEW,
        "The header gives voxels another number of bits than its data type has; the type is used.",
        "Compare the values with what another tool shows.",
    ),
}
