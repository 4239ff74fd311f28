"""SUV of headers as vendors write them, against factors worked out by hand: grams over becquerels that are left.

Unless a case says otherwise a man of 70 kg and 1.75 m got 370 MBq of F-18 (half-life 6586.2 s) at 9:00:00 and was scanned
at 10:00:00, so that 2 ** (-3600 / 6586.2) = 0.6846329195720 of it is left and SUVbw is Bq/ml times
70000 / (370e6 * 0.6846329195720) = 2.763366817e-4.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

import isocenter as iso
from isocenter.formats.dicom.tracer import tracer_texts
from isocenter.imaging.bodies import Refusal
from isocenter.imaging.suv import Suv, decide
from isocenter.stages.index.tracer import facts_of
from isocenter.testing.simulate.scanner import simulate

PHILIPS, GE = (0x7053, "Philips PET Private Group"), (0x0009, "GEMS_PETD_01")
HOUR = 70_000 / (370e6 * 0.6846329195720)
# 180 s of F-18 average at 89.857923 s; a frame that begins 900 s after the start is multiplied by exp(ln 2 * 989.857923 / 6586.2).
IN_FRAME, AFTER_15_MINUTES = "1.00950172", "1.10979463"
BED = {"ActualFrameDuration": "180000"}
NO_DECAY = ["ATTN", "SCAT"]
NOTHING = {"RadiopharmaceuticalStartTime": None, "RadiopharmaceuticalStartDateTime": None}


@dataclass(frozen=True)
class Header:
    """Changes to the header that the module speaks of; None takes an attribute away."""

    name: str
    image: dict = field(default_factory=dict)
    tracer: dict = field(default_factory=dict)
    private: dict = field(default_factory=dict)
    more: tuple = ()
    wanted: str = "suvbw"
    factor: float = math.nan
    assumed: str = ""
    refused: str = ""

    def __str__(self):
        return self.name.replace(" ", "-")


def changed(dataset, changes):
    for keyword, value in changes.items():
        if value is not None:
            setattr(dataset, keyword, value)
        elif keyword in dataset:
            delattr(dataset, keyword)
    return dataset


def coded(value, meaning):
    out = Dataset()
    out.CodeValue, out.CodingSchemeDesignator, out.CodeMeaning = value, "SRT", meaning
    return [out]


def dosed():
    out = Dataset()
    out.RadionuclideTotalDose, out.RadiopharmaceuticalStartTime = "370000000", "090000"
    return out


def slices_of(header):
    """One data set for the changes of the header, and one more for each of `more`."""
    out = []
    for own in ({}, *header.more):
        tracer = Dataset()
        tracer.Radiopharmaceutical = "Fluorodeoxyglucose"
        tracer.RadiopharmaceuticalStartTime = "090000.00"
        tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife = "370000000", "6586.2"
        tracer.RadionuclideCodeSequence = coded("C-111A1", "^18^Fluorine")
        one = Dataset()
        one.Units, one.DecayCorrection = "BQML", "START"
        one.CorrectedImage = ["DECY", "ATTN", "SCAT", "DTIM", "NORM"]
        one.SeriesDate = one.AcquisitionDate = "20240311"
        one.SeriesTime = one.AcquisitionTime = "100000.00"
        one.PatientWeight, one.PatientSize, one.PatientSex = "70", "1.75", "M"
        one.RadiopharmaceuticalInformationSequence = [changed(tracer, header.tracer)]
        for (group, creator), elements in header.private.items():
            block = one.private_block(group, creator, create=True)
            for number, (vr, value) in elements.items():
                block.add_new(number, vr, value)
        out.append(changed(changed(one, header.image), own))
    return out


def decided(header):
    objects = slices_of(header)
    texts = [dict(t.split("=", 1) for t in tracer_texts(one)) for one in objects]
    units = sorted({one.get("Units") or "" for one in objects})
    return decide(facts_of(units, texts, texts), header.wanted)


CONVERTED = [
    Header(
        "GE counts a long frame from its beginning too",
        image={"ActualFrameDuration": "600000", "AcquisitionTime": "101500", "FrameReferenceTime": "900000"},
        factor=HOUR,
    ),
    # 45.5 + 0.91 * (175 - 152) = 66.43
    Header(
        "SUV by ideal weight of a woman",
        image={"Units": "GML", "SUVType": "IBW", "PatientSex": "F"},
        factor=70 / 66.43,
    ),
    # when the injection was
    Header("start time", factor=HOUR),
    Header("start date and time", tracer={**NOTHING, "RadiopharmaceuticalStartDateTime": "20240311090000"}, factor=HOUR),
    Header("both agree", tracer={"RadiopharmaceuticalStartDateTime": "20240311090000.00"}, factor=HOUR),
    Header("over midnight without a date", image={"SeriesDate": "20240312", "AcquisitionDate": "20240312",
        "SeriesTime": "003000", "AcquisitionTime": "003000"}, tracer={"RadiopharmaceuticalStartTime": "233000"}, factor=HOUR),
    Header("over midnight with a date", image={"SeriesDate": "20240312", "AcquisitionDate": "20240312",
        "SeriesTime": "003000", "AcquisitionTime": "003000"},
        tracer={**NOTHING, "RadiopharmaceuticalStartDateTime": "20240311233000"}, factor=HOUR),
    Header("over new year", image={"SeriesDate": "20240101", "AcquisitionDate": "20240101",
        "SeriesTime": "003000", "AcquisitionTime": "003000"}, tracer={"RadiopharmaceuticalStartTime": "233000"}, factor=HOUR),
    Header("time zone of both", image={"TimezoneOffsetFromUTC": "+0100"},
        tracer={**NOTHING, "RadiopharmaceuticalStartDateTime": "20240311090000+0100"}, factor=HOUR),
    Header("injection in UTC", image={"TimezoneOffsetFromUTC": "+0100"},
        tracer={**NOTHING, "RadiopharmaceuticalStartDateTime": "20240311080000+0000"}, factor=HOUR),
    Header("times without dates", image={"SeriesDate": None, "AcquisitionDate": None}, factor=HOUR),
    # what moment the values are corrected to
    Header("series time rewritten", image={"SeriesTime": "153000"}, factor=HOUR),
    Header("series date rewritten", image={"SeriesDate": "20240402", "SeriesTime": "080000"}, factor=HOUR),
    Header("no series time", image={"SeriesTime": None, "SeriesDate": None}, factor=HOUR),
    # 2 ** (-3480 / 6586.2) = 0.6933340329309625
    Header("series time before the first slice that GE confirms", image={"SeriesTime": "095800"},
        private={GE: {0x0D: ("DT", "20240311095800.00")}}, factor=70_000 / (370e6 * 0.6933340329310)),
    # 90 s are 0.95% of activity: 2 ** (-3510 / 6586.2) = 0.6911484418615
    Header("series time hardly before the first slice", image={"SeriesTime": "095830"},
        factor=70_000 / (370e6 * 0.6911484418615)),
    Header("first slice that GE confirms against series time", image={"SeriesTime": "094000"},
        private={GE: {0x0D: ("DT", "20240311100000.00")}}, factor=HOUR),
    Header("GE scan time where series time is rewritten", image={"SeriesTime": "153000", "Manufacturer": "GE"},
        private={GE: {0x0D: ("DT", "20240311095800.00")}}, factor=70_000 / (370e6 * 0.6933340329310)),
    Header("GE scan time later than the slices", image={"SeriesTime": "153000"},
        private={GE: {0x0D: ("DT", "20240311110000.00")}}, factor=HOUR),
    Header("two beds", image={**BED, "DecayFactor": IN_FRAME},
        more=({"AcquisitionTime": "101500", "DecayFactor": AFTER_15_MINUTES},), factor=HOUR),
    Header("two beds and rewritten series time", image={"SeriesTime": "153000"},
        more=({"AcquisitionTime": "101500"},), factor=HOUR),
    Header("only the sixth bed, by decay factor", image={**BED, "SeriesTime": "153000",
        "AcquisitionTime": "101500", "DecayFactor": AFTER_15_MINUTES}, factor=HOUR),
    # one whole frame and 900 s after the start: its average lies 989.857923 s after it
    Header("only the sixth bed, by frame reference time", image={**BED, "SeriesTime": "153000",
        "AcquisitionTime": "101500", "FrameReferenceTime": "989857.923"}, factor=HOUR),
    Header("GE counts frame reference time to the beginning", image={**BED, "AcquisitionTime": "101500",
        "FrameReferenceTime": "900000"}, factor=HOUR),
    Header("decay factor against series time", image={**BED, "SeriesTime": "094000", "DecayFactor": IN_FRAME}, factor=HOUR),
    # the average of 20 minutes lies 593.686 s after their beginning; a factor for the 900 s before alone is 2 ** (900 / 6586.2)
    Header("decay factor up to the beginning of a long frame", image={"ActualFrameDuration": "1200000",
        "AcquisitionTime": "101500", "DecayFactor": "1.09934892"}, factor=HOUR),
    Header("decay factor of a long frame, nothing to compare it with", image={"ActualFrameDuration": "1200000", "SeriesTime": None,
        "AcquisitionTime": "101500", "DecayFactor": "1.17022854"}, factor=HOUR, assumed="Decay Factor is taken to count"),
    Header("decay factor that two times fit", image={"ActualFrameDuration": "1200000", "SeriesTime": "095006",
        "DecayFactor": "1.06447417"}, factor=HOUR, assumed="Decay Factor is taken to count"),
    Header("frame reference time of a long frame, nothing to compare it with", image={"ActualFrameDuration": "1200000",
        "SeriesTime": None, "AcquisitionTime": "101500", "FrameReferenceTime": "1493686.298"}, factor=HOUR,
        assumed="Frame Reference Time is taken to count"),
    Header("decay factor without duration", image={"DecayFactor": "1.09934892", "AcquisitionTime": "101500"}, factor=HOUR,
        assumed="Actual Frame Duration is missing"),
    Header("decay factor of one says nothing", image={"DecayFactor": "1"}, factor=HOUR),
    Header("to the injection", image={"DecayCorrection": "ADMIN"}, factor=70_000 / 370e6),
    Header("to the injection, without any time", image={"DecayCorrection": "ADMIN", "SeriesTime": None,
        "AcquisitionTime": None}, tracer={**NOTHING, "RadionuclideHalfLife": None}, factor=70_000 / 370e6),
    # 2 ** (-3689.857923 / 6586.2) = 0.6781889602714
    Header("not at all, one bed", image={**BED, "DecayCorrection": "NONE", "CorrectedImage": NO_DECAY},
        factor=70_000 / (370e6 * 0.6781889602714)),
    Header("enhanced: to a moment", image={"DecayCorrection": None, "CorrectedImage": None, "DecayCorrected": "YES",
        "AttenuationCorrected": "YES", "DecayCorrectionDateTime": "20240311100000", "AcquisitionTime": None,
        "AcquisitionDate": None, "AcquisitionDateTime": "20240311101500"},
        tracer={**NOTHING, "RadiopharmaceuticalStartDateTime": "20240311090000"}, factor=HOUR),
    # tracers
    Header("half-life by code", tracer={"RadionuclideHalfLife": None}, factor=HOUR),
    Header("half-life by the tracer's name", tracer={"RadionuclideHalfLife": None, "RadionuclideCodeSequence": None}, factor=HOUR),
    Header("half-life of 0 is none", tracer={"RadionuclideHalfLife": "0"}, factor=HOUR),
    # as a GE slice has it: 2 ** (-5316 / 6588) = 0.5716001991631
    Header("GE's half-life", image={"PatientWeight": "90", "SeriesTime": "110036.00", "AcquisitionTime": "110036.00"},
        tracer={"RadiopharmaceuticalStartTime": "093200.00", "RadionuclideTotalDose": "474592928", "RadionuclideHalfLife": "6588"},
        factor=90_000 / (474_592_928 * 0.5716001991631)),
    # 2 ** (-3600 / 4062.6) = 0.5410628025957
    Header("Ga-68 with an older half-life", tracer={"RadionuclideCodeSequence": coded("C-131A3", "^68^Gallium"),
        "RadionuclideHalfLife": "4062.6", "RadionuclideTotalDose": "150000000"}, factor=70_000 / (150e6 * 0.5410628025957)),
    # 2 ** (-1200 / 1221.7) = 0.5061939377447
    Header("C-11", image={"SeriesTime": "092000", "AcquisitionTime": "092000"},
        tracer={"RadionuclideCodeSequence": coded("C-105A1", "^11^Carbon"), "RadionuclideHalfLife": None,
        "RadionuclideTotalDose": "500000000"}, factor=70_000 / (500e6 * 0.5061939377447)),
    # three days: 2 ** (-259200 / 282276) = 0.5291504128391
    Header("Zr-89 after three days", tracer={**NOTHING, "RadiopharmaceuticalStartDateTime": "20240308100000",
        "RadionuclideCodeSequence": coded("89Zr", "89-Zirconium"), "RadionuclideHalfLife": "282276",
        "RadionuclideTotalDose": "37000000"}, factor=70_000 / (37e6 * 0.5291504128391)),
    # numbers in another unit
    Header("dose in MBq", tracer={"RadionuclideTotalDose": "370"}, factor=HOUR, assumed="MBq"),
    Header("weight in grams", image={"PatientWeight": "70000"}, factor=HOUR, assumed="grams"),
    # Janmahasatian: 9270 * 70 / (6680 + 216 * 70 / 1.75 ** 2) = 55.857107722577, women 9270 * 70 / (8780 + 244 * 22.857142857)
    Header("lean body mass of a man", wanted="suvlbm", factor=55_857.107722577 / (370e6 * 0.6846329195720)),
    Header("lean body mass of a woman", image={"PatientSex": "F"}, wanted="suvlbm",
        factor=45_197.014925373 / (370e6 * 0.6846329195720)),
    Header("height in centimetres", image={"PatientSize": "175"}, wanted="suvlbm", assumed="centimetres",
        factor=55_857.107722577 / (370e6 * 0.6846329195720)),
    # James: 1.1 * 70 - 128 * (70 / 175) ** 2 = 56.52, women 1.07 * 70 - 148 * (70 / 175) ** 2 = 51.22
    Header("lean body mass of a man by James", wanted="suvlbm-james", factor=56_520 / (370e6 * 0.6846329195720)),
    Header("lean body mass of a woman by James", image={"PatientSex": "F"}, wanted="suvlbm-james",
        factor=51_220 / (370e6 * 0.6846329195720)),
    # Du Bois: 71.84 * 70 ** 0.425 * 175 ** 0.725 = 18481.43018 cm2
    Header("body surface", wanted="suvbsa", factor=18_481.430181213 / (370e6 * 0.6846329195720)),
    # counts of Philips
    Header("Philips' SUV factor", image={"Units": "CNTS"}, private={PHILIPS: {0x00: ("DS", "0.000551")}}, factor=5.51e-4),
    Header("Philips' activity factor", image={"Units": "CNTS"}, private={PHILIPS: {0x09: ("DS", "1.62")}}, factor=1.62 * HOUR),
    Header("Philips' SUV factor is 0", image={"Units": "CNTS"},
        private={PHILIPS: {0x00: ("DS", "0"), 0x09: ("DS", "1.62")}}, factor=1.62 * HOUR),
    Header("Philips' SUV factor to lean body mass", image={"Units": "CNTS"}, wanted="suvlbm",
        private={PHILIPS: {0x00: ("DS", "0.000551")}}, factor=5.51e-4 * 55.857107722577 / 70),
    # SUV already
    Header("SUV by body weight", image={"Units": "GML", "SUVType": "BW"}, factor=1.0),
    Header("SUV of no type", image={"Units": "GML"}, factor=1.0),
    Header("SUV whatever the rest says", image={"Units": "GML", "PatientWeight": None, "DecayCorrection": None,
        "RadiopharmaceuticalInformationSequence": None}, factor=1.0),
    Header("SUV by lean body mass, asked for", image={"Units": "GML", "SUVType": "LBMJANMA"}, wanted="suvlbm", factor=1.0),
    Header("SUV by James to body weight", image={"Units": "GML", "SUVType": "LBMJAMES128"}, factor=70 / 56.52),
    Header("SUV by Janmahasatian to body weight", image={"Units": "GML", "SUVType": "LBMJANMA", "PatientSex": "F"},
        factor=70 / 45.197014925373),
    # ideal weight: 48 + 1.06 * (175 - 152) = 72.38
    Header("SUV by ideal weight to body weight", image={"Units": "GML", "SUVType": "IBW"}, factor=70 / 72.38),
    Header("SUV by surface to body weight", image={"Units": "CM2ML"}, factor=70_000 / 18_481.430181213),
    Header("SUV by surface, asked for", image={"Units": "CM2ML", "SUVType": "BSA"}, wanted="suvbsa", factor=1.0),
]  # fmt: skip
REFUSED = [
    Header("no units", image={"Units": None}, refused="Units (0054,1001) are missing"),
    Header("proportional counts", image={"Units": "PROPCPS"}, refused="not BQML, CNTS, GML or CM2ML"),
    Header("two units", more=({"Units": "CNTS"},), refused="disagree on Units"),
    Header("counts of nobody", image={"Units": "CNTS"}, refused="absent or 0"),
    Header("counts with factors of 0", image={"Units": "CNTS"}, refused="absent or 0",
        private={PHILIPS: {0x00: ("DS", "0"), 0x09: ("DS", "0")}}),
    Header("counts without decay correction", image={**BED, "Units": "CNTS", "DecayCorrection": "NONE",
        "CorrectedImage": NO_DECAY}, private={PHILIPS: {0x00: ("DS", "0.000551")}}, refused="absent or 0"),
    Header("corrections missing", image={"CorrectedImage": None}, refused="Corrected Image (0028,0051) is missing"),
    Header("no attenuation correction", image={"CorrectedImage": ["DECY", "SCAT"]}, refused="not corrected for attenuation"),
    Header("no decay correction in the image", image={"CorrectedImage": NO_DECAY}, refused="contradict each other"),
    Header("decay correction missing", image={"DecayCorrection": None}, refused="Decay Correction (0054,1102) is missing"),
    Header("decay correction unknown", image={"DecayCorrection": "SCAN"}, refused="none of START, ADMIN and NONE"),
    Header("decay correction both ways", image={**BED, "DecayCorrection": "NONE"}, refused="contradict each other"),
    Header("not at all, two beds", image={**BED, "DecayCorrection": "NONE", "CorrectedImage": NO_DECAY},
        more=({"AcquisitionTime": "100300"},), refused="each of which needs its own factor"),
    Header("not at all, no duration", image={"DecayCorrection": "NONE", "CorrectedImage": NO_DECAY},
        refused="Actual Frame Duration (0018,1242) is missing"),
    Header("decay factors of two starts", image={**BED, "DecayFactor": IN_FRAME},
        more=({"AcquisitionTime": "101500", "DecayFactor": IN_FRAME},), refused="several moments"),
    Header("series time before the first slice that nothing confirms", image={"SeriesTime": "095800"},
        refused="the earliest Acquisition Time, or Series Time 120 s before it"),
    Header("three starts", image={"SeriesTime": "094000"}, private={GE: {0x0D: ("DT", "20240311095000.00")}},
        refused="Series Time 1200 s before it, GE's private scan time 600 s before it"),
    Header("no acquisition time", image={"AcquisitionTime": None}, tracer={**NOTHING,
        "RadiopharmaceuticalStartDateTime": "20240311090000"}, refused="Acquisition Time (0008,0032) is missing"),
    Header("some slices without a time", more=({"AcquisitionTime": None},), refused="some slices have no Acquisition Time"),
    Header("no weight", image={"PatientWeight": None}, refused="Patient's Weight (0010,1030) is missing"),
    Header("weight of 0", image={"PatientWeight": "0"}, refused="is 0, which is no weight"),
    Header("weight of a car", image={"PatientWeight": "1200"}, refused="is 1200, which is no weight"),
    Header("two weights", more=({"PatientWeight": "71"},), refused="disagree on Patient's Weight"),
    Header("no height", image={"PatientSize": None}, wanted="suvlbm", refused="Patient's Size (0010,1020) is missing"),
    Header("height of 0", image={"PatientSize": "0"}, wanted="suvbsa", refused="is 0, which is no height"),
    Header("height of a house", image={"PatientSize": "17.5"}, wanted="suvlbm", refused="is 17.5, which is no height"),
    Header("no sex", image={"PatientSex": None}, wanted="suvlbm", refused="neither M nor F"),
    Header("other sex", image={"PatientSex": "O"}, wanted="suvlbm-james", refused="neither M nor F"),
    # 1.07 * 250 - 148 * (250 / 160) ** 2 = -93.828125
    Header("no lean body by James", image={"PatientWeight": "250", "PatientSize": "1.6", "PatientSex": "F"},
        wanted="suvlbm-james", refused="would be -93.8281 kg"),
    Header("weight and height of two bodies", image={"PatientWeight": "7", "PatientSize": "1.75"}, refused="not those of one body"),
    Header("height and weight of two bodies", image={"PatientSize": "0.6"}, wanted="suvlbm", refused="not those of one body"),
    Header("weight in grams and a height that is not its own", image={"PatientWeight": "10500", "PatientSize": "1.75"},
        refused="10.5 kg and 1.75 m, which are not those of one body"),
    Header("no tracer", image={"RadiopharmaceuticalInformationSequence": None}, refused="Total Dose (0018,1074) is missing"),
    Header("two tracers", image={"RadiopharmaceuticalInformationSequence": [dosed(), dosed()]}, refused="there are 2 tracers"),
    Header("no dose", tracer={"RadionuclideTotalDose": None}, refused="Total Dose (0018,1074) is missing"),
    Header("dose of 0", tracer={"RadionuclideTotalDose": "0"}, refused="is 0, which is no dose"),
    Header("negative dose", tracer={"RadionuclideTotalDose": "-370000000"}, refused="which is no dose"),
    Header("dose in kBq", tracer={"RadionuclideTotalDose": "370000"}, refused="which is no dose"),
    Header("dose of a hospital", tracer={"RadionuclideTotalDose": "3.7E12"}, refused="which is no dose"),
    Header("no half-life, no nuclide", tracer={"RadionuclideHalfLife": None, "RadionuclideCodeSequence": None,
        "Radiopharmaceutical": "Solution"}, refused="is missing and the nuclide is not known"),
    Header("half-life in minutes", tracer={"RadionuclideHalfLife": "109.77"}, refused="is 109.77 s, not that of F-18"),
    Header("half-life of another nuclide", tracer={"RadionuclideHalfLife": "4069.8"}, refused="not that of F-18"),
    Header("half-life of nothing known", tracer={"RadionuclideHalfLife": "21672", "RadionuclideCodeSequence": None,
        "Radiopharmaceutical": "Solution"}, refused="not that of a nuclide of PET"),
    Header("no injection", tracer=NOTHING, refused="Start DateTime (0018,1078) and Start Time (0018,1072) are missing"),
    Header("injection after the scan", tracer={**NOTHING, "RadiopharmaceuticalStartDateTime": "20240311100500"},
        refused="the injection is 300 s later"),
    Header("injection by the clock after the scan", tracer={"RadiopharmaceuticalStartTime": "100500"}, refused="23.9 h lie between"),
    Header("injection a month before", tracer={**NOTHING, "RadiopharmaceuticalStartDateTime": "20240211090000"},
        refused="697.0 h lie between"),
    Header("injection told twice", tracer={"RadiopharmaceuticalStartDateTime": "20240311080000"}, refused="contradict each other"),
    Header("injection that is no time", tracer={**NOTHING, "RadiopharmaceuticalStartDateTime": "2024"},
        refused="cannot be understood"),
    Header("midnight within the scan without dates", image={"SeriesDate": None, "AcquisitionDate": None, "SeriesTime": "235000",
        "AcquisitionTime": "235000"}, tracer={"RadiopharmaceuticalStartTime": "225000"}, more=({"AcquisitionTime": "000500"},),
        refused="23.8 h apart"),
    Header("not at all, but to a moment", image={**BED, "DecayCorrection": "NONE", "CorrectedImage": NO_DECAY,
        "DecayCorrectionDateTime": "20240311090000"}, refused="there is a Decay Correction DateTime"),
    Header("time zone of the injection alone", tracer={**NOTHING, "RadiopharmaceuticalStartDateTime": "20240311090000+0100"},
        refused="time zone"),
    Header("SUV by a lean body mass without formula", image={"Units": "GML", "SUVType": "LBM"}, refused="does not say"),
    Header("SUV of no known type", image={"Units": "GML", "SUVType": "XYZ"}, refused="does not say"),
    Header("SUV in g/ml by surface", image={"Units": "GML", "SUVType": "BSA"}, refused="contradict each other"),
    Header("SUV in cm2/ml by weight", image={"Units": "CM2ML", "SUVType": "BW"}, refused="contradict each other"),
    Header("SUV without attenuation correction", image={"Units": "GML", "CorrectedImage": ["DECY"]}, refused="not corrected"),
    Header("SUV to another without facts", image={"Units": "GML", "PatientSize": None}, wanted="suvlbm", refused="Size"),
]  # fmt: skip


@pytest.mark.parametrize("header", CONVERTED, ids=str)
def test_the_factor_is_that_of_the_arithmetic(header):
    found = decided(header)
    assert isinstance(found, Suv), found
    assert found.factor == pytest.approx(header.factor, rel=2e-5)  # decay factors have nine digits
    assert found.how
    assert found.clause.startswith("DICOM PS3.3 C.8.9")
    assert header.assumed in " ".join(found.assumptions)
    assert bool(header.assumed) == bool(found.assumptions)


@pytest.mark.parametrize("header", REFUSED, ids=str)
def test_what_cannot_be_known_is_refused_with_the_reason(header):
    found = decided(header)
    assert isinstance(found, Refusal), found
    assert header.refused in found.reason
    assert found.clause.startswith("DICOM PS3.3 C.")


def test_simulated_pet_has_the_uptake_that_was_drawn(tmp_path):
    """By pydicom and the plain formula, slice by slice: C.8.9.4's slope, dose that is left, weight."""
    simulate(
        tmp_path / "archive",
        patients=2,
        sites=1,
        matrix=48,
        slices=16,
        kinds=("ct-rtstruct", "pet"),
        faults=False,
    )
    reading = iso.read(tmp_path / "archive")
    pets = [v for v in reading if v.modality == "PT"]
    objects = [pydicom.dcmread(p) for p in sorted((tmp_path / "archive").rglob("pt-*/*.dcm"))]
    assert len(pets) == 2
    assert len(objects) == sum(len(v.slices) for v in pets)
    for volume in pets:
        k, top = volume.grid.shape[0], volume.array.max()
        own = [o for o in objects if np.isclose(plain_suv(o).max(), volume.array.max(axis=(1, 2))).any()]
        own = sorted(own, key=lambda o: o.ImagePositionPatient[2])
        assert volume.unit == "SUVbw"
        assert len(own) == k
        expected = np.stack([plain_suv(o) for o in own])
        np.testing.assert_allclose(volume.array, expected, rtol=1e-6, atol=1e-6)
        assert 2 < top < 12  # a heart at 2.1, lesions at 8.5 before they are blurred


def plain_suv(one):
    tracer = one.RadiopharmaceuticalInformationSequence[0]
    clock = [str(t) for t in (tracer.RadiopharmaceuticalStartTime, one.SeriesTime)]
    injected, begun = (int(t[:2]) * 3600 + int(t[2:4]) * 60 + int(t[4:6]) for t in clock)
    left = float(tracer.RadionuclideTotalDose) * 0.5 ** (
        (begun - injected) / float(tracer.RadionuclideHalfLife)
    )
    becquerels = one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept)
    return becquerels * float(one.PatientWeight) * 1000 / left
