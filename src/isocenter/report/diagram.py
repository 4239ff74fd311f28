"""Diagram: the flow as an SVG, once for a wide page and once for a narrow one."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from isocenter.report.flow import Flow, Step
from isocenter.report.text import counted, fitted, plain

_LINE = 17
_PAD = 11
_GAP = 30
_SIGN = 7.0  # width of a sign at 13 units, on the safe side for every system font
_MOST_EXITS = 8


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where boxes stand: main column, exit column (to the right, or below and indented), whole width."""

    width: int
    main_width: int
    exit_x: int
    exit_width: int
    is_narrow: bool


_WIDE = _Layout(760, 300, 370, 390, is_narrow=False)
_NARROW = _Layout(340, 340, 34, 306, is_narrow=True)


def draw_flow(flow: Flow, name: str) -> Markup:
    """Both drawings of a flow; the page shows the one that fits. The table beside it says the same."""
    described = _in_words(flow)
    wide = _draw(flow, _WIDE, f"{name}-wide", described)
    narrow = _draw(flow, _NARROW, f"{name}-narrow", described)
    return Markup(  # noqa: S704 - all text in it went through _text
        f'<div class="when-wide">{wide}</div><div class="when-narrow">{narrow}</div>'
    )


def _draw(flow: Flow, layout: _Layout, name: str, described: str) -> str:
    out: list[str] = []
    y, middle = 1, layout.main_width // 2 if not layout.is_narrow else 17
    for index, step in enumerate(flow.steps):
        is_last = index == len(flow.steps) - 1
        lines = [(f"{step.title}: {step.count:,}", "strong")]
        lines += [(t, "") for t in _wrapped(step.note, layout.main_width)]
        height = _box(out, lines, 1, y, layout.main_width - 2, "step")
        bottom = y + height
        below = _exit(out, step, layout, middle, bottom, y)
        end = max(below + _GAP // 2, bottom + _GAP)
        if not is_last or (flow.partitions and layout.is_narrow):
            out.append(_arrow(f"M{middle} {bottom}V{end - 7}", middle, end - 1, is_down=True))
            y = end
        elif flow.partitions:
            y = max(below, bottom) + _GAP
            out.append(f'<path class="line" d="M{middle} {bottom}V{y - 15}"/>')
        else:
            y = max(bottom, below)
    if flow.partitions:
        y = _parts(out, flow, layout, y)
    return (
        f'<svg class="flow" viewBox="0 0 {layout.width} {y + 2}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">Flow of files, stacks and cases</title>'
        f'<desc id="{name}-desc">{_text(described, 4000)}</desc>{"".join(out)}</svg>'
    )


def _exit(out: list[str], step: Step, layout: _Layout, middle: int, bottom: int, top: int) -> int:
    """The box of those who left, with its arrow; returns where it ends."""
    if not step.exits:
        return top if not layout.is_narrow else bottom
    lines = [(f"{step.exit_title}: {counted(step.n_exits, step.exit_unit)}", "strong")]
    shown = step.exits if len(step.exits) <= _MOST_EXITS else step.exits[: _MOST_EXITS - 1]
    for reason, count in shown:
        lines.append((_cut(f"{count:,}  {reason}", layout.exit_width), ""))
    if rest := step.exits[len(shown) :]:
        lines.append((f"{sum(n for _, n in rest):,}  for {counted(len(rest), 'other reason')}", ""))
    y = bottom + 14 if layout.is_narrow else top
    height = _box(out, lines, layout.exit_x, y, layout.exit_width - 1, "exit")
    at = y + 19
    start = middle if layout.is_narrow else layout.main_width - 1
    out.append(_arrow(f"M{start} {at}H{layout.exit_x - 6}", layout.exit_x, at, is_down=False))
    return y + height


def _parts(out: list[str], flow: Flow, layout: _Layout, y: int) -> int:
    """The partitions: side by side, or one below the other."""
    columns = 1 if layout.is_narrow else max(1, min(4, len(flow.partitions)))
    gap = 14
    width = (layout.width - 2 - gap * (columns - 1)) // columns
    middle = layout.main_width // 2
    if not layout.is_narrow:
        ends = [1 + n * (width + gap) + width // 2 for n in range(min(columns, len(flow.partitions)))]
        out.append(f'<path class="line" d="M{min(*ends, middle)} {y - 15}H{max(*ends, middle)}"/>')
        out += [_arrow(f"M{x} {y - 15}V{y - 6}", x, y, is_down=True) for x in ends]
    bottom = y
    for n, (name, subjects, cases) in enumerate(flow.partitions):
        if n and n % columns == 0:
            y = bottom + gap
        lines = [
            (_cut(name or "in no partition", width), "strong"),
            (f"{counted(cases, 'case')} of {counted(subjects, 'subject')}", ""),
        ]
        bottom = y + _box(out, lines, 1 + (n % columns) * (width + gap), y, width, "place")
    return bottom


def _box(out: list[str], lines: list[tuple[str, str]], x: int, y: int, width: int, kind: str) -> int:
    height = len(lines) * _LINE + 2 * _PAD - 2
    out.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="5"/>')
    for n, (text, weight) in enumerate(lines):
        style = f' class="{weight}"' if weight else ""
        out.append(f'<text x="{x + _PAD}" y="{y + _PAD + 12 + n * _LINE}"{style}>{_text(text, 200)}</text>')
    return height


def _arrow(path: str, x: int, y: int, *, is_down: bool) -> str:
    head = f"M{x - 4} {y - 7}h8l-4 7z" if is_down else f"M{x - 7} {y - 4}v8l7 -4z"
    return f'<path class="line" d="{path}"/><path class="head" d="{head}"/>'


def _cut(text: str, width: int) -> str:
    return fitted(text, (width - 2 * _PAD) / _SIGN)


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    most = int((width - 2 * _PAD) / _SIGN)
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _in_words(flow: Flow) -> str:
    parts = []
    for step in flow.steps:
        out = f"; {step.exit_title}: {counted(step.n_exits, step.exit_unit)}" if step.exits else ""
        parts.append(f"{step.title}: {step.count:,}{out}.")
    parts += [f"{n or 'No partition'}: {counted(c, 'case')}." for n, _, c in flow.partitions]
    return " ".join(parts)


def _text(text: str, limit: int) -> str:
    return escape(plain(text, limit))
