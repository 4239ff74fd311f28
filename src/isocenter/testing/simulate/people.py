"""The people of a simulated archive: invented patients, doctors and scanners.

All names are put together from lists at random; a likeness to a person is chance. Every text is long
enough that finding it by a byte search means that it was copied.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from isocenter.base import seeds

_FAMILIES = (
    "Quillfeather", "Vandersloot", "Okonjowale", "Brzezinkova", "Thornquist", "Lindqvarn", "Abernethen",
    "Ferreiroa", "Hakimzadeh", "Yamanobe", "Kowalchuk", "Drosselmann", "Mbekizwe", "Castellanza",
    "Rautiainen", "Papadimos", "Oyelaranti", "Szentgyor", "Hollingsby", "Wachowiak", "Jayasundar",
    "Müllerbrandt", "Øvregaard", "Žilinskaja",
)  # fmt: skip
_GIVEN_FEMALE = (
    "Aurelindis", "Philippina", "Ermengard", "Thandolwe", "Katharyne", "Rosamunde", "Xiomarella", "Ingeborga",
)  # fmt: skip
_GIVEN_MALE = (
    "Bartholmew", "Leopoldus", "Oluwadare", "Svatopluk", "Maximilijan", "Fitzgeraldo", "Tancredo", "Yevgenios",
)  # fmt: skip
_DOCTORS = ("Grimshawe^Ottoline", "Pettibonde^Lucasta", "Zweigelt^Hannibald", "Ashkenazim^Florimond")
_READERS = ("Winterbourn^Cordelia", "Mastrangelo^Ubaldino")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A scanner and how it reconstructs."""

    manufacturer: str
    model: str
    kernel: str
    kvp: str
    blur: float
    noise: float
    institution: str


DEVICES = (
    Device(
        manufacturer="Kestrel Medical", model="Aquila 64", kernel="B30f", kvp="120", blur=0.6, noise=12,
        institution="Klinikum Falkenrath, Radiologie Haus 7",
    ),
    Device(
        manufacturer="Halden Imaging", model="Nordlys CT", kernel="STANDARD", kvp="100", blur=0.5, noise=18,
        institution="Haldenfjord Universitetssykehus",
    ),
    Device(
        manufacturer="Orrery Systems", model="Meridian 128", kernel="FC18", kvp="120", blur=0.7, noise=10,
        institution="Saint Quillon Memorial Hospital",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One patient and the visit on which the images were made.

    `name` is DICOM's form, family^given; empty texts are what de-identification left of them.
    """

    number: int
    site: str
    device: Device
    patient_id: str
    other_id: str
    name: str
    birth_date: str
    sex: str
    age: int
    weight_kg: float
    size_m: float
    study_date: str
    study_time: str
    accession: str
    doctor: str

    @property
    def family(self) -> str:
        """Family name."""
        return self.name.partition("^")[0]

    @property
    def given(self) -> str:
        """Given name."""
        return self.name.partition("^")[2]

    @property
    def label(self) -> str:
        """How a careless archive names this person's folder; the plain ID where names were removed."""
        known = self.patient_id or f"case{self.number:03d}"
        return f"{self.family}_{self.given}_{known}" if self.name else known


def person(seed: int, site: str, site_index: int, number: int, *, identifiers: bool) -> Person:
    """A new patient of a site.

    Args:
        seed: Of the archive.
        site: Name of the site.
        site_index: Its place among the sites; decides the scanner and the form of the IDs.
        number: Unique in the archive.
        identifiers: Whether names, birth dates and the like are there at all.
    """
    draw = seeds.stream(seed, "person", number)
    sex = "F" if draw.random() < 0.5 else "M"
    given = (_GIVEN_FEMALE if sex == "F" else _GIVEN_MALE)[int(draw.integers(8))]
    family = _FAMILIES[int(draw.integers(len(_FAMILIES)))]
    age = int(draw.integers(24, 89))
    study = dt.date(2016, 1, 4) + dt.timedelta(days=int(draw.integers(0, 1500)))
    # A birthday 30 to 330 days before the visit: the age in years is the same however it is reckoned.
    birth = study.replace(year=study.year - age, day=1) - dt.timedelta(days=int(draw.integers(30, 330)))
    prefix = ("MRN", "KSB", "SQM")[site_index % 3] + str(site_index + 1)
    six = int(draw.integers(100, 1000))
    return Person(
        number=number,
        site=site,
        device=DEVICES[site_index % len(DEVICES)],
        patient_id=f"{prefix}{number:03d}{six}",
        other_id=f"INS-{six}-{number:04d}-{int(draw.integers(1000, 9999))}" if identifiers else "",
        name=f"{family}^{given}" if identifiers else "",
        birth_date=birth.strftime("%Y%m%d") if identifiers else "",
        sex=sex,
        age=age,
        weight_kg=round(float(draw.normal(68 if sex == "F" else 81, 11)), 1),
        size_m=round(float(draw.normal(1.65 if sex == "F" else 1.77, 0.07)), 2),
        study_date=study.strftime("%Y%m%d"),
        study_time=f"{int(draw.integers(7, 19)):02d}{int(draw.integers(60)):02d}{int(draw.integers(60)):02d}",
        accession=f"ACC{int(draw.integers(10**7, 10**8))}" if identifiers else "",
        doctor=_DOCTORS[int(draw.integers(len(_DOCTORS)))] if identifiers else "",
    )


def reader_name(reader: int) -> str:
    """Name of the first or second reader."""
    return _READERS[reader]
