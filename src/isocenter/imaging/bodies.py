"""Bodies: the weight, lean mass and surface that uptake values are normalised by."""

from __future__ import annotations

from dataclasses import dataclass

from isocenter.model.suv import SuvFacts

PATIENT = "DICOM PS3.3 C.7.2.2"
# A person is neither lighter, heavier, shorter nor taller than these (kg, m).
_WEIGHTS_KG, _SIZES_M = (0.5, 350.0), (0.3, 2.5)
# Nor has anybody fewer or more kilograms per square metre: preterm infants have about 7, the heaviest people 105.
_MASS_INDICES = (5.0, 120.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why no standardised uptake value can be computed, and the section of the standard that asks for it."""

    reason: str
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number with what was done to get it, and what had to be assumed."""

    value: float
    how: str
    assumptions: tuple[str, ...] = ()


def weight_kg(facts: SuvFacts) -> Quantity | Refusal:
    """The patient's weight; a number that only grams can make sense of is taken for grams."""
    weight = facts.weight
    if weight is None:
        return Refusal(reason="Patient's Weight (0010,1030) is missing", clause=PATIENT)
    kilograms = kilograms_of(weight)
    if kilograms is None:
        said = f"Patient's Weight (0010,1030) is {weight:g}, which is no weight"
        return Refusal(reason=said, clause=PATIENT)
    assumptions = () if kilograms == weight else (f"Patient's Weight {weight:g} is taken for grams",)
    return Quantity(value=kilograms, how=f"{kilograms:g} kg", assumptions=assumptions)


def kilograms_of(weight: float) -> float | None:
    """Kilograms of a Patient's Weight (0010,1030), which some write in grams; None for what is no weight."""
    if _WEIGHTS_KG[0] <= weight <= _WEIGHTS_KG[1]:
        return weight
    return weight / 1000 if 10_000 <= weight <= _WEIGHTS_KG[1] * 1000 else None


def size_m(facts: SuvFacts) -> Quantity | Refusal:
    """The patient's height; a number that only centimetres can make sense of is taken for centimetres."""
    size = facts.size
    if size is None:
        return Refusal(reason="Patient's Size (0010,1020) is missing", clause=PATIENT)
    if _SIZES_M[0] <= size <= _SIZES_M[1]:
        return Quantity(value=size, how=f"{size:g} m")
    if _SIZES_M[0] * 100 <= size <= _SIZES_M[1] * 100:
        said = f"Patient's Size {size:g} is taken for centimetres"
        return Quantity(value=size / 100, how=f"{size / 100:g} m", assumptions=(said,))
    return Refusal(reason=f"Patient's Size (0010,1020) is {size:g}, which is no height", clause=PATIENT)


def body_of(kind: str, facts: SuvFacts) -> Quantity | Refusal:
    """What uptake is normalised by, in grams, or in square centimetres for the body surface.

    Args:
        kind: "suvbw", "suvlbm" (Janmahasatian et al. 2005), "suvlbm-james" (James 1976, with 128 for men), "suvbsa"
            (Du Bois & Du Bois 1916) or "suvibw" (ideal body weight as in Sugawara et al. 1999).
        facts: The patient.
    """
    weight, size = weight_kg(facts), size_m(facts)
    if isinstance(weight, Refusal):
        return weight
    if isinstance(size, Quantity) and (refusal := _misfit(weight, size)):
        return refusal
    if kind == "suvbw":
        return _made(weight, 1000 * weight.value, "body weight")
    if isinstance(size, Refusal):
        return size
    if kind == "suvbsa":
        surface = 71.84 * weight.value**0.425 * (100 * size.value) ** 0.725
        return _made(weight, surface, "body surface by Du Bois", size)
    if facts.sex not in {"M", "F"}:
        return Refusal(reason="Patient's Sex (0010,0040) is neither M nor F", clause=PATIENT)
    value, name = _by_sex(kind, weight.value, size.value, is_male=facts.sex == "M")
    if value <= 0:
        return Refusal(reason=f"the {name} of such a body would be {value:g} kg", clause=PATIENT)
    return _made(weight, 1000 * value, name, size)


def _misfit(weight: Quantity, size: Quantity) -> Refusal | None:
    """Why nobody has such a weight and such a height; either may be the wrong one."""
    index = weight.value / size.value**2
    if _MASS_INDICES[0] <= index <= _MASS_INDICES[1]:
        return None
    said = f"Patient's Weight and Size are {weight.how} and {size.how}, which are not those of one body"
    return Refusal(reason=said, clause=PATIENT)


def _by_sex(kind: str, weight: float, size: float, *, is_male: bool) -> tuple[float, str]:
    """Kilograms by the formulas that differ for men and women."""
    ratio = weight / size**2
    if kind == "suvlbm":
        lean = 9270 * weight / (6680 + 216 * ratio if is_male else 8780 + 244 * ratio)
        return lean, "lean body mass by Janmahasatian"
    if kind == "suvlbm-james":
        lean = 1.10 * weight - 0.0128 * weight * ratio if is_male else 1.07 * weight - 0.0148 * weight * ratio
        return lean, "lean body mass by James"
    ideal = 48.0 + 1.06 * (100 * size - 152) if is_male else 45.5 + 0.91 * (100 * size - 152)
    return ideal, "ideal body weight"


def _made(weight: Quantity, value: float, name: str, size: Quantity | None = None) -> Quantity:
    from_what = weight.how if size is None else f"{weight.how} and {size.how}"
    assumptions = weight.assumptions + (() if size is None else size.assumptions)
    return Quantity(value=value, how=f"{name} ({from_what})", assumptions=assumptions)
