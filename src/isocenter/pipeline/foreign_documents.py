"""JSON documents of other tools, read with every surprise told as what it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from isocenter.base.errors import FormatError

_MAX_BYTES = 256 << 20


def read_document(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        FormatError: it cannot be opened, is too large, or is no JSON.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FormatError("file/too-large", f"{path.name} is too large")
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError("file/corrupt", f"{path.name} is not JSON") from None
    except OSError as error:
        raise FormatError("file/unreadable", f"{path.name} cannot be opened ({error.strerror})") from None


def stem_of(name: str) -> str:
    """The name of a file without its endings, .nii.gz as one."""
    base = name.rpartition("/")[2]
    for ending in (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd", ".dcm", ".png", ".jpg", ".tif"):
        if base.lower().endswith(ending):
            return base[: -len(ending)]
    return base
