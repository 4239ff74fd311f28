"""Looks at the machine: libraries and extras, disk, cores, memory, and where compiled kernels are kept."""

from __future__ import annotations

import os
import platform
import re
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from isocenter import __version__

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[(?P<extras>[^\]]*)\])?(?P<rest>.*)")
_EXTRA = re.compile(r"extra\s*==\s*['\"](?P<extra>[^'\"]+)['\"]")
_FOR_DEVELOPERS = {"dev", "docs", "all"}
_LITTLE_DISK_BYTES = 10 << 30
_LITTLE_MEMORY_BYTES = 4 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing about the machine: `state` is "ok", "absent" (an extra), "low" or "broken"."""

    name: str
    value: str
    state: str = "ok"
    advice: str = ""


def examine(workspace: Path) -> list[Fact]:
    """Everything that a run depends on."""
    return [
        Fact(name="isocenter", value=__version__),
        Fact(name="python", value=f"{platform.python_version()} on {platform.machine()}"),
        *_libraries(),
        *_extras(),
        _cores(),
        _memory(),
        _disk(workspace),
        _kernels(),
    ]


def _libraries() -> list[Fact]:
    """The libraries that are always needed, among them every codec."""
    out = []
    for name in _required_by(""):
        found = _version(name)
        advice = "" if found else f"pip install {name}"
        out.append(
            Fact(name=name, value=found or "missing", state="ok" if found else "broken", advice=advice)
        )
    return out


def _extras() -> list[Fact]:
    extras = {m["extra"] for line in requires("isocenter") or () if (m := _EXTRA.search(line))}
    out = []
    for extra in sorted(extras - _FOR_DEVELOPERS):
        names = _required_by(extra)
        missing = [n for n in names if not _version(n)]
        told = ", ".join(f"{n} {_version(n) or 'missing'}" for n in names)
        advice = f'pip install "isocenter[{extra}]"' if missing else ""
        out.append(
            Fact(name=f"extra {extra}", value=told, state="absent" if missing else "ok", advice=advice)
        )
    return out


def _required_by(extra: str) -> list[str]:
    """Names of the libraries of one extra, or of the package itself."""
    out = []
    for line in requires("isocenter") or ():
        marker = _EXTRA.search(line)
        if (marker["extra"] if marker else "") == extra and (found := _REQUIREMENT.match(line)):
            out.append(found["name"])
    return sorted(out)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _cores() -> Fact:
    usable = len(os.sched_getaffinity(0))
    return Fact(name="cores", value=f"{usable} of {os.cpu_count()}")


def _memory() -> Fact:
    """The machine's memory, or the limit of the container it runs in."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text().strip()).isdecimal():
        total = min(total, int(text))
    is_low = total < _LITTLE_MEMORY_BYTES
    advice = "use fewer jobs, or lower standardise.max_case_bytes" if is_low else ""
    return Fact(name="memory", value=_size(total), state="low" if is_low else "ok", advice=advice)


def _disk(workspace: Path) -> Fact:
    """Free space where the workspace is or would be made."""
    place = workspace.absolute()
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        return Fact(name="disk", value="not writable", state="broken", advice="choose another --workspace")
    free = shutil.disk_usage(place).free
    is_low = free < _LITTLE_DISK_BYTES
    advice = "isocenter run --dry-run tells what a data set will need" if is_low else ""
    return Fact(name="disk", value=f"{_size(free)} free", state="low" if is_low else "ok", advice=advice)


def _kernels() -> Fact:
    """Where numba keeps compiled kernels: NUMBA_CACHE_DIR, else beside the package, else the user's cache."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return Fact(name="kernel cache", value="NUMBA_CACHE_DIR", state=_writable(Path(chosen)))
    is_beside = os.access(Path(__file__).parent, os.W_OK)
    return Fact(name="kernel cache", value="beside the package" if is_beside else "the user's cache folder")


def _writable(folder: Path) -> str:
    while not folder.exists():
        folder = folder.parent
    return "ok" if os.access(folder, os.W_OK) else "broken"


def _size(n: int) -> str:
    return f"{n / (1 << 30):,.1f} GiB"
