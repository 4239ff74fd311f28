"""The values of many headers in machine code: texts stripped, numbers read, and what is odd about a value marked."""

from __future__ import annotations

from typing import Any

import numpy as np

from isocenter.formats.dicom.slots import FD, FORM_OF_VR, SIGNED_BY_PIXELS, SL, SS, TEXT, UL, US
from isocenter.formats.dicom.steps import byte_at, kernel

# What is known of a value: that there is none, what it is, that the slow reader has to say, or that it is senseless.
ABSENT, GOOD, ODD, SENSELESS = range(4)

_BLANK, _NUL, _BACKSLASH, _ESCAPE = 32, 0, 92, 27
# Integers up to 2^53 and powers of ten up to 10^22 are exact in float64, and one operation on two exact numbers is
# rounded once: then the result is what Python's float() gives (Clinger 1990).
_EXACT = 1 << 53
_MOST_DIGITS = 10**17
# Cuts a float64 into two halves whose products are exact (Veltkamp 1968, Dekker 1971).
_CUT = float((1 << 27) + 1)
_POWERS = np.array([10.0**n for n in range(23)])


@kernel
def form_of(vr: Any, stated: Any) -> Any:
    """What a value is made of; `vr` is 0 in implicit VR, where the dictionary says it."""
    if vr == 0:
        return stated
    return np.int64(FORM_OF_VR[((vr >> 8) - 65) * 26 + (vr & 0xFF) - 65])


@kernel
def trim(b: Any, at: Any, end: Any) -> Any:
    """Where a text begins and ends without the blanks and zeros around it."""
    while end > at and (byte_at(b, end - 1) == _BLANK or byte_at(b, end - 1) == _NUL):
        end -= 1
    while at < end and (byte_at(b, at) == _BLANK or byte_at(b, at) == _NUL):
        at += 1
    return at, end


@kernel
def _is_simple(b: Any, at: Any, end: Any, is_uid: Any) -> Any:
    """Whether a text is plain ASCII, or a legal UID."""
    n = at
    if is_uid:
        while n < end and (48 <= byte_at(b, n) <= 57 or byte_at(b, n) == 46):
            n += 1
        return n == end and end - at <= 64
    while n < end and byte_at(b, n) < 128 and byte_at(b, n) != _ESCAPE:
        n += 1
    return n == end


@kernel
def strip_texts(arena: Any, extra: Any, cells: Any, slots: Any, is_uid: Any, forms: Any, status: Any) -> Any:
    """Narrow each cell to its stripped text, length -1 where there is none, and say which are odd.

    Args:
        arena: Bytes of addresses below its size.
        extra: Bytes of those above.
        cells: Addresses, lengths and value representations, (N, W) each.
        slots: The slots that hold texts, (T,).
        is_uid: Which of them must be UIDs, (T,).
        forms: What each slot is made of in implicit VR, (W,).
        status: What is found of each cell, (N, W).
    """
    starts, counts, vrs = cells
    for i in range(starts.shape[0]):
        for t in range(slots.size):
            k = slots[t]
            if counts[i, k] <= 0:
                counts[i, k] = -1
                continue
            at, b = starts[i, k], arena
            if at >= arena.size:
                at, b = at - arena.size, extra
            if form_of(vrs[i, k], forms[k]) != TEXT:
                status[i, k] = ODD
                continue
            first, last = trim(b, at, at + counts[i, k])
            if not _is_simple(b, first, last, is_uid[t]):
                status[i, k] = ODD
            elif first == last:
                counts[i, k] = -1
            else:
                starts[i, k] += first - at
                counts[i, k] = last - first
                status[i, k] = GOOD


@kernel
def decimal(b: Any, at: Any, end: Any) -> Any:
    """Whether these bytes are a plain decimal number that is exactly known, and the number."""
    at, end = trim(b, at, end)
    is_negative = at < end and byte_at(b, at) == 45
    if at < end and (byte_at(b, at) == 45 or byte_at(b, at) == 43):
        at += 1
    digits, scale, n_digits, is_fraction = np.int64(0), np.int64(0), 0, False
    while at < end:
        c = byte_at(b, at)
        if 48 <= c <= 57:
            if digits >= _MOST_DIGITS:
                return False, 0.0
            digits = digits * 10 + np.int64(c - 48)
            n_digits += 1
            scale -= is_fraction
        elif c == 46 and not is_fraction:
            is_fraction = True
        else:
            break
        at += 1
    if n_digits == 0:
        return False, 0.0
    if at < end:
        is_read, exponent = _exponent(b, at, end)
        if not is_read:
            return False, 0.0
        scale += exponent
    if not -22 <= scale <= 22:
        return False, 0.0
    if digits > _EXACT:
        is_sure, value = _long_decimal(digits, scale)
        return is_sure, -value if is_negative else value
    value = np.float64(digits)
    value = value * _POWERS[scale] if scale >= 0 else value / _POWERS[-scale]
    return True, -value if is_negative else value


@kernel
def _product(a: Any, b: Any) -> Any:
    """A product and what its rounding took away, exactly."""
    out = a * b
    high, other_high = a * _CUT, b * _CUT
    high, other_high = high - (high - a), other_high - (other_high - b)
    low, other_low = a - high, b - other_high
    return out, ((high * other_high - out) + high * other_low + low * other_high) + low * other_low


@kernel
def _long_decimal(digits: Any, scale: Any) -> Any:
    """A number of more digits than one float64 holds, and whether its last bit is sure.

    It is worked out in two parts; the second tells how far the sum is from where it would be rounded otherwise.
    """
    high = np.float64(digits)
    low = np.float64(digits - np.int64(high))
    power = _POWERS[abs(scale)]
    if scale >= 0:
        first, error = _product(high, power)
        second = error + low * power
    else:
        first = high / power
        back, error = _product(first, power)
        second = (((high - back) - error) + low) / power
    out = first + second
    left = abs(second - (out - first)) + abs(second) * 2.0**-48
    return left < 0.5 * (out - np.nextafter(out, 0.0)), out


@kernel
def _exponent(b: Any, at: Any, end: Any) -> Any:
    """Whether these bytes are an E with up to three digits to the end, and the number."""
    if byte_at(b, at) != 69 and byte_at(b, at) != 101:
        return False, 0
    at += 1
    is_negative = at < end and byte_at(b, at) == 45
    if at < end and (byte_at(b, at) == 45 or byte_at(b, at) == 43):
        at += 1
    if not 0 < end - at <= 3:
        return False, 0
    out = np.int64(0)
    for n in range(at, end):
        if not 48 <= byte_at(b, n) <= 57:
            return False, 0
        out = out * 10 + np.int64(byte_at(b, n) - 48)
    return True, -out if is_negative else out


@kernel
def _bits(b: Any, at: Any, size: Any) -> Any:
    """Little-endian bytes as the bits of a number."""
    out = np.int64(0)
    for n in range(size):
        out |= np.int64(byte_at(b, at + n)) << (8 * n)
    return out


@kernel
def _whole(b: Any, at: Any, size: Any, is_signed: Any) -> Any:
    """A little-endian whole number."""
    out = _bits(b, at, size)
    if is_signed and out >> (8 * size - 1):
        out -= np.int64(1) << (8 * size)
    return np.float64(out)


@kernel
def _decimals(b: Any, at: Any, end: Any, values: Any) -> Any:
    """Read as many decimal numbers as there are places for; what is found."""
    while end > at and (byte_at(b, end - 1) == _BLANK or byte_at(b, end - 1) == _NUL):
        end -= 1
    if at == end:
        return ABSENT
    for n in range(values.size):
        stop = at
        while stop < end and byte_at(b, stop) != _BACKSLASH:
            stop += 1
        if (stop == end) != (n == values.size - 1):
            return ODD
        is_read, value = decimal(b, at, stop)
        if not is_read:
            return ODD
        values[n] = value
        at = stop + 1
    return GOOD


@kernel
def _binary(b: Any, at: Any, count: Any, form: Any, values: Any) -> Any:
    """Read as many binary numbers as there are places for; what is found."""
    size = 2 if form in (US, SS) else 8 if form == FD else 4
    if count != size * values.size:
        return ODD
    for n in range(values.size):
        if form in (US, SS, UL, SL):
            values[n] = _whole(b, at + n * size, size, form in (SS, SL))
            continue
        bits = _bits(b, at + n * size, size)
        values[n] = (
            np.int64(bits).view(np.float64) if form == FD else np.float64(np.int32(bits).view(np.float32))
        )
        if not np.isfinite(values[n]):
            return ODD
    return GOOD


@kernel
def _sign(arena: Any, extra: Any, cells: Any, i: Any, k: Any) -> Any:
    """What a number whose sign the Pixel Representation tells is made of; 0 where that is not clear."""
    at, count, vr = cells[0][i, k], cells[1][i, k], cells[2][i, k]
    if at < 0:
        return US
    if count != 2 or vr != 0:
        return 0
    b = arena
    if at >= arena.size:
        at, b = at - arena.size, extra
    return US if _whole(b, at, 2, False) == 0 else SS


@kernel
def read_numbers(
    arena: Any,
    extra: Any,
    cells: Any,
    slots: Any,
    rules: Any,
    forms: Any,
    sign_slot: Any,
    values: Any,
    status: Any,
) -> Any:
    """Read all numbers, and say which cells are odd.

    Args:
        arena: Bytes of addresses below its size.
        extra: Bytes of those above.
        cells: Addresses, lengths and value representations, (N, W) each.
        slots: The slots that hold numbers, (T,).
        rules: Where the numbers of each begin in a row (T + 1,), whether they must be whole, and bounds (T, 2).
        forms: What each slot is made of in implicit VR, (W,).
        sign_slot: The slot of Pixel Representation.
        values: The numbers, (N, M).
        status: What is found of each cell, (N, W).
    """
    starts, counts, vrs = cells
    places, is_whole, bounds = rules
    for i in range(starts.shape[0]):
        for t in range(slots.size):
            k = slots[t]
            if counts[i, k] <= 0:
                continue
            at, b = starts[i, k], arena
            if at >= arena.size:
                at, b = at - arena.size, extra
            out = values[i, places[t] : places[t + 1]]
            form = form_of(vrs[i, k], forms[k])
            if form == SIGNED_BY_PIXELS:
                form = _sign(arena, extra, cells, i, sign_slot)
            if form == TEXT:
                found = _decimals(b, at, at + counts[i, k], out)
            else:
                found = ODD if form == 0 else _binary(b, at, counts[i, k], form, out)
            if found == GOOD and is_whole[t]:
                v = out[0]
                if v != np.floor(v) or v < bounds[t, 0] or v > bounds[t, 1]:
                    found = ODD
            status[i, k] = found
