"""Tone: how the values of a patch change, and the limits that hold however many transforms changed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from isocenter.augment.policy import AUTO, LAWS, MAX_CONTRAST, MAX_NOISE_SIGMA
from isocenter.base.errors import ConfigError

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """A value x becomes centre + factor * (x - centre), and then gets noise.

    Args:
        factor: Of contrast.
        sigma: Of noise, as a share of each channel's range.
        key: Of the noise.
        law: Of the noise: "auto" (Rician in magnitudes, else Gaussian) or "gaussian".
    """

    factor: float = 1.0
    sigma: float = 0.0
    key: int = 0
    law: str = AUTO

    def then(self, other: Tone) -> Tone:
        """This and another one after it.

        Raises:
            ConfigError: noise has to come last, and there can be one.
        """
        if self.sigma and (other.sigma or other.factor != 1):
            raise ConfigError("augmentation: nothing can be changed after noise was added")
        noisy = self if self.sigma else other
        return Tone(factor=self.factor * other.factor, sigma=noisy.sigma, key=noisy.key, law=noisy.law)

    def is_still(self) -> bool:
        """Whether nothing changes."""
        return self.factor == 1 and self.sigma == 0

    def of(self, value: float, centre: float) -> float:
        """One value with its contrast changed."""
        return centre + self.factor * (value - centre)


def check_tone(tone: Tone, span: Sequence[float] = ()) -> None:
    """Refuse what would no longer be the same image.

    Args:
        tone: All that is done to values.
        span: The range of each channel that is there.

    Raises:
        ConfigError: which limit is passed.
    """
    if not abs(tone.factor - 1) <= MAX_CONTRAST + _ROUNDING:
        raise ConfigError(
            f"augmentation: a factor of {tone.factor:g} is outside the limit of 1 +- {MAX_CONTRAST:g}"
        )
    if not 0 <= tone.sigma <= MAX_NOISE_SIGMA * (1 + _ROUNDING):
        raise ConfigError(
            f"augmentation: noise of sigma {tone.sigma:g} is outside the limit of {MAX_NOISE_SIGMA:g}"
        )
    if tone.law not in LAWS:
        raise ConfigError(f"augmentation: the law of noise is limited to {', '.join(LAWS)}, not {tone.law!r}")
    if tone.sigma and not all(s > 0 for s in span):
        raise ConfigError("augmentation: noise needs to know the range of every channel")
