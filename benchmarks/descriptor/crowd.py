"""Crowds: descriptors of as many people as one likes, made from smooth fields instead of scans, and twins of some."""

from __future__ import annotations

import hashlib
import math
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.descriptor import Descriptor
from isocenter.imaging.spectrum import spectrum

# Pixels of a picture, and knots of the fields: what all people have in common, and what each has of his own.
_SIDE, _COMMON, _OWN, _FINE = 24, 5, 7, 14
_EXTENT_MM = 300.0, 420.0
# One of so many has a twin; people that are made at a time.
_TWINS, _BLOCK = 100, 500


def crowd(count: int, *, jobs: int = 1) -> tuple[list[Descriptor], list[tuple[int, int]]]:
    """Descriptors of people of one anatomy, the last hundredth of whom are twins of the first: and who is whose twin.

    A twin is the same field seen in one of four ways: mirrored, with noise, in another window, cut off at one end.
    """
    pairs = count // _TWINS
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as workers:
        blocks = list(workers.map(_people, range(math.ceil(count / _BLOCK))))
    people = list(chain.from_iterable(blocks))[: count - pairs]
    draw = np.random.default_rng(1)
    twins = [_twin(people[n], n % 4, draw) for n in range(pairs)]
    return people + twins, [(n, count - pairs + n) for n in range(pairs)]


def _people(block: int) -> list[Descriptor]:
    common = _field(np.random.default_rng(0), _COMMON)
    draw = np.random.default_rng([2, block])
    return [_person(draw, common) for _ in range(_BLOCK)]


def _person(draw: np.random.Generator, common: NDArray[np.float32]) -> Descriptor:
    field = common + _field(draw, _OWN) + np.float32(0.7) * _field(draw, _FINE)
    low, high = float(field.min()), float(field.max())
    picture = np.rint(255 * (field - low) / (high - low)).astype(np.uint8)
    k, j, i = (float(v) for v in draw.uniform(*_EXTENT_MM, 3))
    return _described(picture, (k, j, i))


def _twin(one: Descriptor, way: int, draw: np.random.Generator) -> Descriptor:
    picture, (k, j, i) = one.picture, one.extent_mm
    if way == 0:
        picture = picture[:, :, ::-1]
    elif way == 1:
        picture = np.clip(picture + draw.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
    elif way == 2:
        picture = np.rint(255 * (picture / 255.0) ** 1.5).astype(np.uint8)
    else:
        left = _SIDE - _SIDE // 6
        picture, i = picture[:, :, :left], i * left / _SIDE
    return _described(picture, (k, j, i))


def _described(picture: NDArray[np.uint8], extent_mm: tuple[float, float, float]) -> Descriptor:
    picture = np.ascontiguousarray(picture)
    exact = hashlib.sha256(picture.tobytes()).hexdigest()
    return Descriptor(exact=exact, vector=spectrum(picture, extent_mm), picture=picture, extent_mm=extent_mm)


def _field(draw: np.random.Generator, knots: int) -> NDArray[np.float32]:
    """A smooth random field, by hats between knots along each axis."""
    field = draw.standard_normal((knots, knots, knots), np.float32)
    place = np.linspace(0, knots - 1, _SIDE)
    hats = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(knots))).astype(np.float32)
    for _ in range(3):
        field = np.tensordot(hats, field, (1, 2))
    return field
