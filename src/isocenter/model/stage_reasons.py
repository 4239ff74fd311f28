"""Reasons of stages: what indexing, enrolling, building, splitting and auditing tell."""

from __future__ import annotations

from isocenter.model.issue import Severity
from isocenter.model.reason import Reason

_NOTE, _REVIEW, _REJECT = Severity.NOTE, Severity.REVIEW, Severity.REJECT

STAGES: dict[str, Reason] = {
    "index/foreign-preamble": Reason(
        _NOTE,
        "The bytes in front of the DICOM header are the beginning of another kind of file.",
        "Nothing: they are never read or written. If they are those of a program, find out who put them there.",
    ),
    "index/duplicate-object": Reason(
        _NOTE, "The same object was found twice; one copy is used.", "Nothing, or remove the copy."
    ),
    "index/conflicting-object": Reason(
        _REJECT, "Two files claim one SOP Instance UID but differ.", "Find out which one is right."
    ),
    "index/duplicate-pixels": Reason(
        _NOTE,
        "Another file has the same pixels at the same place in the same units; one of them is used.",
        "Nothing, or remove the copy.",
    ),
    "index/same-pixels": Reason(
        _REVIEW,
        "The same pixel data occur under another SOP Instance UID.",
        "Find out whether it is a copy; keep its subject on one side of the split.",
    ),
    "index/shared-subject": Reason(
        _REVIEW,
        "One ID carries several names, birth dates or sexes: it may stand for several people.",
        "Set sources[].subject to a tag, pattern or table that tells people apart.",
    ),
    "index/no-subject": Reason(
        _REJECT,
        "No subject could be found for this file.",
        "Set sources[].subject to a tag, pattern or table.",
    ),
    "index/series-split": Reason(
        _NOTE, "One series held several stacks; they were separated.", "Nothing: each stack is judged alone."
    ),
    "index/no-series-uid": Reason(
        _REVIEW,
        "The files name no series; those of one folder that fit together were taken as one.",
        "Check that the folder holds one examination, or restore the Series Instance UIDs.",
    ),
    "index/time-by-number": Reason(
        _NOTE,
        "Slices repeat and nothing but Instance Numbers, which run evenly, tells their times apart; the headers"
        " speak of as many.",
        "Nothing, or compare the number of times with what the scanner was set to.",
    ),
    "index/unconfirmed-time-by-number": Reason(
        _REVIEW,
        "Slices repeat and were taken as times in the order of Instance Numbers, which no other attribute confirms.",
        "Compare the number of times with what the scanner was set to; they may be something else than times.",
    ),
    "index/contradicting-attributes": Reason(
        _REJECT,
        "Slices repeat, and attributes that should tell them apart contradict each other.",
        "Find out which of the attributes is right at the slices that differ, and correct the other at the source.",
    ),
    "index/lost-slices": Reason(
        _REVIEW, "Files of this series could not be used, so slices may be missing.", "Copy the series again."
    ),
    "index/conflicting-attribute": Reason(
        _NOTE,
        "An attribute of the subject has two values.",
        "Correct the header; the image's own value is used.",
    ),
    "enrol/accepted-by-person": Reason(
        _NOTE,
        "A person looked at what this case waited for and accepted it.",
        "Nothing. `isocenter review reopen` takes it back.",
    ),
    "enrol/rejected-by-person": Reason(
        _REJECT,
        "A person looked at this case and rejected it.",
        "Nothing. `isocenter review reopen` takes it back.",
    ),
    "enrol/not-wanted": Reason(
        _NOTE, "No channel of the cohort asks for this image.", "Add a channel, or leave it."
    ),
    "enrol/not-preferred": Reason(
        _NOTE,
        "Another candidate for the channel was preferred.",
        "Change channels.*.prefer to choose otherwise.",
    ),
    "enrol/several-candidates": Reason(
        _REVIEW,
        "Several images fit one channel and nothing says which.",
        "Add channels.*.prefer; of one set in time, echo or b-value name the volume in channels.*.where, as in"
        " {axis: b-value, axis_value: '1000'} or {axis_index: '0'}; several of them are several channels.",
    ),
    "enrol/missing-channel": Reason(
        _REJECT, "A case lacks one of the channels.", "Add the data, or mark the channel as optional."
    ),
    "enrol/other-frame-of-reference": Reason(
        _REJECT,
        "A channel lies in another frame of reference than the case's reference image.",
        "Register the images, or set channels.*.assume_registered with its reason.",
    ),
    "enrol/no-annotation": Reason(
        _REJECT, "Nothing was annotated on this image.", "Add the annotation, or set annotations[].absent."
    ),
    "enrol/annotation-of-nothing": Reason(
        _NOTE,
        "This annotation belongs to no image of the cohort.",
        "Nothing, if it was drawn on an image that no channel asks for; else check its references or the template.",
    ),
    "enrol/ambiguous-annotation": Reason(
        _REVIEW, "This annotation fits several images.", "Name the image by a path template."
    ),
    "enrol/unreadable-annotation": Reason(
        _REVIEW, "An annotation of this image cannot be read.", "Export it again."
    ),
    "enrol/unmapped-label": Reason(
        _NOTE, "A label is not in the vocabulary.", "Add it to labels.*.aliases, or leave it out on purpose."
    ),
    "enrol/same-label-twice": Reason(
        _REVIEW,
        "One label was marked in two files by nobody who is named.",
        "Set annotations[].rater if they are two readers.",
    ),
    "enrol/no-image": Reason(
        _NOTE, "Rows of a table name no image of the cohort.", "Check the key column and its values."
    ),
    "enrol/mixed-intents": Reason(
        _REVIEW,
        "One channel holds radiographs for processing and for presentation, which differ in contrast and often in sign.",
        "Choose one: channels.*.where: {presentation_intent: presentation}, or processing.",
    ),
    "enrol/mixed-units": Reason(
        _REVIEW,
        "One channel holds PET images in several units, which have no scale in common.",
        "Ask for one unit (standardise.pet: suvbw), or choose by channels.*.where: {pet_units: BQML}, {pet_units: GML}, {format: nifti}, ...",
    ),
    "enrol/other-subject": Reason(
        _REVIEW,
        "An annotation refers to the image of another subject than its own header names.",
        "Find out whose annotation it is; correct the Patient ID or the references.",
    ),
    "enrol/unusable-registration": Reason(
        _NOTE,
        "A registration object connects no frames of reference: it is deformable, or no matrix of it can be applied.",
        "Nothing, if no annotation needs it; else register the images with a matrix.",
    ),
    "enrol/several-regions": Reason(
        _REVIEW,
        "Several regions of one file fit a pattern of one label; they are united.",
        "Name each region that is meant in labels.*.aliases, in full, or narrow the pattern.",
    ),
    "enrol/unknown-value": Reason(
        _NOTE,
        "Fields of a table are neither yes nor no, nor empty; they count as unknown.",
        "Write 1 or 0 (yes, no), and leave the field empty where it is not known.",
    ),
    "build/too-large": Reason(
        _REJECT, "The packed arrays of the case are larger than allowed.", "Raise standardise.max_case_bytes."
    ),
    "build/tied-labels": Reason(
        _REVIEW, "As many raters say yes as no; the label is unknown.", "Ask another rater."
    ),
    "build/contradicted-mask": Reason(
        _REVIEW,
        "No voxel of a label is marked, yet a box, a point or a class label says that it is there.",
        "Look whether the outline is missing; where the label may be is not known.",
    ),
    "build/silent-rater": Reason(
        _REVIEW,
        "The rater named in agreement.rater says nothing of the case, and others do; its labels are unknown.",
        "Look at how the name is written in agreement.rater, or let this rater annotate the case.",
    ),
    "build/hidden-instance": Reason(
        _REVIEW,
        "A lesion lies wholly under another one, so that the map of lesions shows no voxel of it.",
        "Look whether one was drawn twice; its box, and its mask by label, are kept.",
    ),
    "build/staple-inverted": Reason(
        _REVIEW,
        "STAPLE took inside and outside for each other; a majority of the raters was taken instead.",
        "Look at the raters' masks: they hardly overlap.",
    ),
    "build/failed": Reason(
        _REJECT, "Building this case met a condition that was not foreseen.", "Please report it; see the log."
    ),
    "build/worker-died": Reason(
        _REJECT,
        "The process that built this case was killed.",
        "Look for the system's out-of-memory messages.",
    ),
    "split/source-divided": Reason(
        _REVIEW,
        "The source puts a subject, or subjects that belong together, in several partitions; all went to one.",
        "Correct the source; results on its own partitions cannot be trusted.",
    ),
    "split/one-name-at-two-sites": Reason(
        _REVIEW,
        "One name occurs at several sites; it is taken for different people.",
        "If it is one person everywhere, say so in the table of split.links: subject and alias, as name@site.",
    ),
    "split/one-name-for-a-site": Reason(
        _REVIEW,
        "All cases of a site are of one subject: the name may stand for everybody there.",
        "Ask the site for names that differ from person to person.",
    ),
    "split/dummy-subject": Reason(
        _REJECT,
        "A placeholder that many people may share is taken for a subject.",
        "Take the subject from the path or a table (sources[].subject); nobody can be kept apart otherwise.",
    ),
    "split/near-duplicates": Reason(
        _NOTE,
        "Subjects whose images nearly are the same stay together.",
        "Find out whether they are one person under two names; split.near_duplicates: apart lets them come apart if they are two.",
    ),
    "split/shared-study": Reason(
        _REVIEW,
        "One study is filed under several subjects; they stay together.",
        "Find out whose study it is, and correct the Patient ID.",
    ),
    "split/kept-places": Reason(
        _REVIEW,
        "The options of the split were changed, but all subjects keep the places of an earlier split.",
        "Set split.append_only: false to divide all subjects anew, or change the options back.",
    ),
    "audit/unread-images": Reason(
        _REVIEW,
        "Images could not be read, so nobody knows what they show; names and tables alone were compared.",
        "Look at the reasons; give the folder of the images, or export them again.",
    ),
    "audit/unread-masks": Reason(
        _REVIEW,
        "Masks could not be read, so the labels that they hold are not known; their images were compared.",
        "Look at the reasons; give the folder of the masks, or export them again.",
    ),
    "audit/fingerprint-of-all-folds": Reason(
        _NOTE,
        "nnU-Net measures its fingerprint over all of imagesTr by design, so over the validation cases of folds, too.",
        "Report results on a test part that was never in imagesTr; folds are for choosing among models.",
    ),
    "audit/pairs-not-compared": Reason(
        _REVIEW,
        "There are so many images that only the most alike pairs were compared closely; copies may be left among others.",
        "Compare the images in smaller sets, such as one modality or centre at a time.",
    ),
    "audit/no-canary": Reason(
        _NOTE,
        "There are too few subjects or slices to show what leakage is worth: ten subjects with two slices each are needed.",
        "Nothing, or give more images.",
    ),
    "augment/forbidden": Reason(
        _REJECT,
        "A transform does what augmentation of medical images must not do.",
        "Take it out.",
    ),
    "augment/beyond-limit": Reason(
        _REJECT,
        "A transform changes the image by more than the contract allows.",
        "Set the argument to the limit or below, also where the framework's own default is beyond it.",
    ),
    "augment/outside-contract": Reason(
        _REVIEW,
        "A transform does what the contract does not speak of.",
        "Decide whether the diagnosis survives it, and say so; rotation, mirror, elastic, contrast and noise are bounded.",
    ),
    "augment/mirror-undeclared": Reason(
        _REVIEW,
        "A transform mirrors the image, and nothing says that the task does not tell the sides apart.",
        "Mirror only where it does not, along anatomical axes, and let labels of sides change places.",
    ),
    "augment/unread-argument": Reason(
        _REVIEW,
        "An argument is computed when the text is run, so nobody knows whether it is within the limit.",
        "Write it as a number, or look it up yourself.",
    ),
    "augment/unknown-step": Reason(
        _REVIEW,
        "A transform of that framework, or one of its own, is not known here.",
        "Look up what it does: cropping, scaling, cut-out and low resolution are forbidden.",
    ),
}
