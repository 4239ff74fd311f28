"""Lossless JPEG written plainly after ITU-T T.81 annex H: every predictor, point transform, restarts, differences that wrap."""

import struct


def lossless_jpeg(pixels, *, precision, predictor=1, shift=0, restart_rows=0, code="short"):
    """A codestream of one component.

    Args:
        pixels: Rows of whole numbers.
        precision: Bits of a value.
        predictor: Selection value, 1 to 7.
        shift: Point transform; the lowest bits are lost.
        restart_rows: Rows between restart markers.
        code: "short": differences of the least size; "wrapped": differences on the other side of zero where the sum
            modulo 65536 is the same in the bits that count, as some ultrasound devices write them.
    """
    rows, columns = len(pixels), len(pixels[0])
    head = struct.pack(">HBHHBBBB", 11, precision, rows, columns, 1, 1, 0x11, 0)
    table = struct.pack(">HB16B17B", 36, 0, *[0, 0, 0, 0, 17, *[0] * 11], *range(17))
    scan = struct.pack(">HBBBBBB", 8, 1, 1, 0, predictor, 0, shift)
    restart = struct.pack(">HHH", 0xFFDD, 4, restart_rows * columns) if restart_rows else b""
    out = b"\xff\xd8\xff\xc3" + head + b"\xff\xc4" + table + restart + b"\xff\xda" + scan
    step = restart_rows or rows
    for number, start in enumerate(range(0, rows, step)):
        out += bytes([0xFF, 0xD0 + (number - 1) % 8]) if number else b""
        out += _entropy(pixels[start : start + step], precision, predictor, shift, code)
    return out + b"\xff\xd9"


def _entropy(pixels, precision, predictor, shift, code):
    bits = []
    for j, row in enumerate(pixels):
        for i, value in enumerate(row):
            a = int(row[i - 1]) >> shift if i else 0
            b = int(pixels[j - 1][i]) >> shift if j else 0
            c = int(pixels[j - 1][i - 1]) >> shift if i and j else 0
            if not i and not j:
                guess = 1 << (precision - shift - 1)
            elif not j:
                guess = a
            elif not i:
                guess = b
            else:
                guess = [0, a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1][
                    predictor
                ]
            bits.append(_difference((int(value) >> shift) - guess, precision - shift, code))
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    raw = int(text, 2).to_bytes(len(text) // 8, "big")
    return raw.replace(b"\xff", b"\xff\x00")


def _difference(value, precision, code):
    value = (value + 32768) % 65536 - 32768
    if code == "wrapped":
        other = value - (1 << precision) if value > 0 else value + (1 << precision)
        value = other if -32768 < other < 32768 else value
    if value == -32768:
        return f"{16:05b}"  # 32768: no bits follow (H.1.2.2)
    size = abs(value).bit_length()
    low = value if value >= 0 else value + (1 << size) - 1
    return f"{size:05b}" + (f"{low:0{size}b}" if size else "")
