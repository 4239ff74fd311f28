"""VOI: the window in which each radiograph was read, from the attributes of its case to the loader."""

from __future__ import annotations

from isocenter.base.errors import ConfigError
from isocenter.imaging.windows import FUNCTIONS, voi_of
from isocenter.model.rows import CaseRow
from isocenter.model.task import Window

_NAMES = ("voi_centre", "voi_width", "voi_function", "voi_lut")


def voi_marks(row: CaseRow, channel: str, reference: str) -> tuple[float, float, float]:
    """Centre, width and function (its place among `FUNCTIONS`) of the window of one channel of a case.

    Args:
        row: The case.
        channel: The channel.
        reference: The channel whose attributes have no prefix.

    Raises:
        ConfigError: the case has no window; the reason says what it has instead.
    """
    prefix = "" if channel == reference else f"{channel}."
    known = {a.name: a.value for a in row.attributes}
    own = {name: known[prefix + name] for name in _NAMES if known.get(prefix + name)}
    window = voi_of(own)
    if window is None:
        instead = (
            "a look-up table (0028,3010) alone" if "voi_lut" in own else "neither window nor look-up table"
        )
        raise ConfigError(f"normalise: voi: channel {channel!r} of case {row.id} has {instead} in its header")
    return window.centre, window.width, float(FUNCTIONS.index(window.function))


def voi_window(marks: tuple[float, ...]) -> Window:
    """The window that marks stand for."""
    centre, width, function = marks
    return Window(name="voi", centre=centre, width=width, unit="stored", function=FUNCTIONS[int(function)])
