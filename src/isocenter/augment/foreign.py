"""Foreign: a configuration of augmentation of another framework as a file, read and never run."""

from __future__ import annotations

from pathlib import Path

from isocenter.augment.foreign_documents import in_document
from isocenter.augment.foreign_python import in_python
from isocenter.augment.steps import Step
from isocenter.base.documents import parse_yaml
from isocenter.base.errors import ConfigError, ConfigProblem

MAX_BYTES = 1 << 20


def steps_in(path: Path) -> tuple[Step, ...]:
    """All calls and named classes in a Python, JSON or YAML file, in the order of their lines.

    Raises:
        ConfigError: the file is none of these, or cannot be parsed.
    """
    text = _text_of(path)
    if path.suffix == ".py":
        found = in_python(text, path.name)
    elif path.suffix in {".json", ".yaml", ".yml"}:
        found = in_document(parse_yaml(text.replace("\t", " "), path.name))
    else:
        raise ConfigError(
            [
                ConfigProblem(
                    "", "is no configuration of augmentation: a .py, .json or .yaml file is expected"
                )
            ],
            source=path.name,
        )
    return tuple(sorted(found, key=lambda s: s.line))


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            [ConfigProblem("", f"cannot be read: {error.strerror}")], source=path.name
        ) from None
    if len(raw) > MAX_BYTES:
        raise ConfigError([ConfigProblem("", f"is larger than {MAX_BYTES >> 20} MiB")], source=path.name)
    return raw.decode("utf-8", errors="replace")
