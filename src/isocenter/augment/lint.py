"""Lint: which lines of a foreign augmentation break the contract of our own, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isocenter.augment.dialect import DIALECTS, Bound, Dialect, Meaning, numbers_in
from isocenter.augment.foreign import steps_in
from isocenter.augment.policy import MAX_CONTRAST, MAX_ELASTIC_MM, MAX_NOISE_SIGMA, MAX_ROTATION_DEG
from isocenter.augment.steps import Step, Unread
from isocenter.base.errors import ConfigError, ConfigProblem
from isocenter.model.issue import Issue
from isocenter.model.reasons import because

LIMITS: dict[str, tuple[float, str]] = {
    "rotation": (MAX_ROTATION_DEG, "degrees"),
    "scaling": (0.0, "of the size"),
    "shear": (0.0, ""),
    "contrast": (MAX_CONTRAST, "of the range about its mean"),
    "noise": (MAX_NOISE_SIGMA, "of the range [0, 1]"),
    "elastic displacement": (MAX_ELASTIC_MM, "mm"),
}
"""What each kind of change may come to, and its unit."""

_ROUNDING = 1e-9
_NOT_UNDERSTOOD = {"augment/unread-argument", "augment/unknown-step"}


def is_understood(issue: Issue) -> bool:
    """Whether an issue says what a step does, and not that nobody knows."""
    return issue.rule not in _NOT_UNDERSTOOD


def lint(path: Path) -> tuple[Issue, ...]:
    """Judge the transforms that a Python, JSON or YAML file of nnU-Net, TorchIO or MONAI names; the file is never run.

    Args:
        path: The file.

    Returns:
        An issue for every argument or transform that breaks the contract, is outside of it, or cannot be known; `source`
        is the line.

    Raises:
        ConfigError: the file cannot be parsed, or names no transform of a framework that is known.
    """
    dialects = [(name, DIALECTS.get(name)) for name in DIALECTS.names()]
    out: list[Issue] = []
    n_known = 0
    for step in steps_in(path):
        meanings = [m for _, d in dialects if (m := d.meaning_of(step)) is not None]
        n_known += bool(meanings)
        if meanings:
            out += _judged(step, meanings[0], path)
        elif title := _claimed(step, [d for _, d in dialects]):
            n_known += 1
            out.append(
                _issue(
                    "augment/unknown-step", step, path, measured=step.name or step.unread[0], expected=title
                )
            )
    if not n_known:
        titles = ", ".join(d.title for _, d in dialects)
        raise ConfigError(
            [ConfigProblem("", f"names no transform that is known; those of {titles} are")], source=path.name
        )
    return tuple(dict.fromkeys(out))


def _claimed(step: Step, dialects: list[Dialect]) -> str:
    """The framework that a step is of, of which nobody knows what it does."""
    return next(
        (
            d.title
            for d in dialects
            if d.is_unknown(step) or (not step.name and step.origin.startswith(d.modules))
        ),
        "",
    )


def _judged(step: Step, meaning: Meaning, path: Path) -> Iterator[Issue]:
    if not step.is_called:
        if meaning != Meaning():
            message = f"{step.name} is named here and called elsewhere, so nobody knows with what."
            yield _issue("augment/unread-argument", step, path, message=message, measured=step.name)
        return
    step = step.named(meaning.order)
    if meaning.depends:
        for text in (*step.unread, *map(str, step.places)):
            yield _issue("augment/unread-argument", step, path, measured=f"{step.name}({text})")
    if meaning.forbidden:
        yield _issue("augment/forbidden", step, path, message=f"{step.name}: {meaning.forbidden}")
    for argument, why in (meaning.forbidden_if or {}).items():
        value = step.value(argument)
        if isinstance(value, Unread):
            yield _unread(step, argument, value, path)
        elif value:
            yield _issue("augment/forbidden", step, path, message=f"{step.name}({argument}): {why}")
    if meaning.outside:
        yield _issue("augment/outside-contract", step, path, message=f"{step.name}: {meaning.outside}")
    if meaning.mirrors:
        axes = step.value(meaning.mirrors)
        shown = "all axes" if axes is None else f"axes {axes}"
        yield _issue("augment/mirror-undeclared", step, path, measured=shown)
    for bound in meaning.bounds:
        yield from _bounded(step, bound, path)


def _bounded(step: Step, bound: Bound, path: Path) -> Iterator[Issue]:
    if bound.only_with and not step.value(bound.only_with, default=bound.switch):
        return
    is_said = bound.name in step.arguments
    if not is_said and step.unread:  # it may be in there
        return
    value = step.value(bound.name, bound.default)
    try:
        numbers = list(numbers_in(value))
    except LookupError:
        yield _unread(step, bound.name, value, path)
        return
    largest = max((abs(n - 1) if bound.is_factor else abs(n) for n in numbers), default=0.0) * bound.unit
    most, unit = LIMITS[bound.what]
    if largest <= most * (1 + _ROUNDING):
        return
    said = bound.name if is_said else f"{bound.name}, left out, so the framework's own"
    shown = f"{step.name}({said})" if bound.name else step.name.removesuffix(" =")
    yield _issue(
        "augment/beyond-limit",
        step,
        path,
        message=f"{shown}: {bound.what} is beyond the limit",
        measured=f"{largest:.4g}",
        expected=f"at most {most:g}",
        unit=unit,
    )


def _unread(step: Step, argument: str, value: Any, path: Path) -> Issue:
    return _issue("augment/unread-argument", step, path, measured=f"{argument}={value}")


def _issue(reason: str, step: Step, path: Path, *, message: str = "", **facts: Any) -> Issue:
    place = f"{path.name}:{step.line}"
    return because(reason, message=message, target=place, source=f"line {step.line}", **facts)
