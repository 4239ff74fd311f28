"""The environments of the peers: one each, with exactly the versions that are pinned here."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.index.children import ROOT

_PINS = Path(__file__).parent / "peers"
_PLACE = ROOT / ".bench"


def interpreter(peer: str, lists: Path = _PINS) -> str:
    """Python of the environment of one peer, which is made where it is not there or not as pinned in its list."""
    listed = lists / f"{peer}.txt"
    folder, pins = _PLACE / peer, listed.read_text(encoding="utf-8")
    mark, python = folder / ".installed", folder / "bin" / "python"
    if not mark.exists() or mark.read_text(encoding="utf-8") != pins:
        print(f"installing {peer} ...", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        install = ["-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
        subprocess.run(  # noqa: S603 - our own pins
            [str(python), *install, "-r", str(listed)], check=True
        )
        mark.write_text(pins, encoding="utf-8")
    return str(python)


def dcm2niix() -> str:
    """The program itself, without the Python script in front of it."""
    ask = "import dcm2niix; print(dcm2niix.bin)"
    done = subprocess.run(  # noqa: S603 - our own environment
        [interpreter("dcm2niix"), "-c", ask], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def imgtools() -> str:
    """The command of med-imagetools."""
    return str(Path(interpreter("med-imagetools")).with_name("imgtools"))


def version(peer: str) -> str:
    """The pinned version of a peer."""
    lines = (_PINS / f"{peer}.txt").read_text(encoding="utf-8").splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{peer}=="))
