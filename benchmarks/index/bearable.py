"""Says which files med-imagetools can index: one that it cannot ends its whole run.

Usage, by an interpreter that has med-imagetools: python -m benchmarks.index.bearable LIST-OF-PATHS
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

# By name: the type checker's environment is not the peer's.
_extract: Any = import_module("imgtools.dicom.dicom_metadata").extract_metadata


def main() -> None:
    """Print the paths that can be borne."""
    paths = Path(sys.argv[1]).read_text().splitlines()
    print("\n".join(p for p in paths if is_bearable(Path(p))))


def is_bearable(path: Path) -> bool:
    """Whether its own reader takes the file, and finds in it what its tables are keyed by."""
    try:
        found = _extract(path, None, ["SOPInstanceUID"])
    except Exception:  # noqa: BLE001 - whatever it raises would end its run
        return False
    return bool(str(found["SeriesInstanceUID"]) and str(found["SOPInstanceUID"]))


if __name__ == "__main__":
    main()
