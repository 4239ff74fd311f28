"""Simulated patients in memory, for the canary: the same scanner, table and protocol, another anatomy each."""

import numpy as np

from isocenter.base import seeds
from isocenter.testing.simulate import phantom
from isocenter.testing.simulate.builds import individual
from isocenter.testing.simulate.lattice import AXIAL, Lattice

SHAPE, SPACING_MM = (14, 96, 96), (2.0, 4.0, 4.0)


def patient(number, seed=0):
    """Hounsfield units (K, J, I) of one patient."""
    stream = seeds.stream(seed, "canary patient", number)
    coverage = (SHAPE[2] * SPACING_MM[2], SHAPE[1] * SPACING_MM[1], SHAPE[0] * SPACING_MM[0])
    anatomy = phantom.patient(stream, lesions=number % 2, steps_mm=SPACING_MM[::-1], coverage_mm=coverage)
    anatomy = individual(anatomy, seeds.stream(seed, "canary build", number))
    lattice = Lattice.around(anatomy.middle, AXIAL, SPACING_MM, SHAPE)
    return phantom.hounsfield(phantom.image(anatomy, lattice, stream)).astype(np.int16)
