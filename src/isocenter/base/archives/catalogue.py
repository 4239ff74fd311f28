"""The members of one archive as columns: a million of them take about a hundred bytes each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any, Final

from isocenter.base.errors import FormatError

KINDS: Final = ("file", "symlink", "hardlink", "device", "fifo", "encrypted", "sparse")
FILE, SYMLINK, HARDLINK, DEVICE, FIFO, ENCRYPTED, SPARSE = range(len(KINDS))
# Why a member is not opened, where its kind does not say so; a column holds the place in this tuple.
REFUSALS: Final = (
    ("", ""),
    ("file/corrupt", "members of the archive overlap"),
    ("file/corrupt", "the member lies outside the archive"),
    ("file/corrupt", "the stated sizes of a member that is not compressed differ"),
    ("file/too-large", "the stated size is beyond what its compressed bytes may become"),
    ("file/unsupported", "the compression method of the archive is not read here"),
)
OPEN, OVERLAP, OUTSIDE, OTHER_SIZE, BOMB, METHOD = range(len(REFUSALS))
# What a member that is no file is refused for.
_REASONS: Final = {
    ENCRYPTED: ("file/encrypted", "the member of the archive is encrypted"),
    SPARSE: ("file/unsupported", "a sparse member of an archive"),
}
_NO_FILE: Final = ("file/unreadable", "the member of the archive is a link or a device")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file in an archive.

    `name` is the stored name as far as it can be part of an address: without empty and "." parts, ".." as
    "(..)", bytes that are no UTF-8 as PEP 383 has them, and a name that was there before with "#2". `kind` is
    "file", or why it is not read: "symlink", "hardlink", "device", "fifo", "encrypted", "sparse". `mtime_ns` is
    the archive's own: an archive that is written anew has new members.
    """

    name: str
    kind: str
    size: int
    mtime_ns: int


def label_of(stored: bytes) -> str:
    """What a stored name is called in an address: never a way out of the archive, and the same as a `Path` has it."""
    text = stored.decode("utf-8", "surrogateescape").replace("\0", "(nul)")
    parts = ["(..)" if p == ".." else p for p in text.split("/") if p not in {"", "."}]
    return "/".join(parts) or "(no name)"


class Catalogue:
    """Where each member is and how it is stored, in the archive's order."""

    def __init__(self) -> None:
        self._names = bytearray()
        self._ends = array("q", [0])
        self.places = array("q")
        self.packed = array("q")
        self.sizes = array("q")
        self.sums = array("q")
        # the first byte behind a member that is not its own
        self.ceilings = array("q")
        self.kinds = bytearray()
        self.methods = bytearray()
        self.refusals = bytearray()
        self._copies: dict[int, int] = {}
        self._renamed: dict[str, int] = {}
        self._hashes = array("q")
        self._order = array("q")

    def __len__(self) -> int:
        return len(self.places)

    def add(
        self,
        stored: bytes,
        *,
        place: int,
        size: int,
        kind: int = FILE,
        packed: int = 0,
        method: int = 0,
        checksum: int = 0,
        refusal: int = OPEN,
    ) -> None:
        """Note one member: `place` is where it begins, the other numbers are as they are stated."""
        self._names += stored
        self._ends.append(len(self._names))
        self.places.append(place)
        self.sizes.append(size)
        self.packed.append(packed)
        self.sums.append(checksum)
        self.kinds.append(kind)
        self.methods.append(method)
        self.refusals.append(refusal)

    def seal(self) -> None:
        """Make names findable, and tell members of one name apart; nothing is added after this."""
        hashes = array("q", (hash(label_of(self.stored(n))) for n in range(len(self))))
        self._order = array("q", sorted(range(len(self)), key=hashes.__getitem__))
        self._hashes = array("q", (hashes[n] for n in self._order))
        following: dict[str, int] = {}
        for at in range(1, len(self)):
            if self._hashes[at] != self._hashes[at - 1]:
                continue
            index = self._order[at]
            label = label_of(self.stored(index))
            if self._first(label) == index:
                continue
            copy = following.get(label, 2)
            while self._first(f"{label}#{copy}") is not None:
                copy += 1
            following[label] = copy + 1
            self._copies[index] = copy
            self._renamed[f"{label}#{copy}"] = index

    def stored(self, index: int) -> bytes:
        """The name of a member, as it is stored."""
        return bytes(self._names[self._ends[index] : self._ends[index + 1]])

    def name(self, index: int) -> str:
        """The name of a member in an address; no two members share it."""
        label = label_of(self.stored(index))
        return f"{label}#{self._copies[index]}" if index in self._copies else label

    def find(self, name: str) -> int | None:
        """The member of a name in an address."""
        return self._renamed[name] if name in self._renamed else self._first(name)

    def _first(self, label: str) -> int | None:
        key = hash(label)
        at = bisect_left(self._hashes, key)
        while at < len(self._hashes) and self._hashes[at] == key:
            if label_of(self.stored(self._order[at])) == label:
                return self._order[at]
            at += 1
        return None

    def refuse(self, index: int) -> None:
        """Raise what a member is not opened for, if there is anything.

        Raises:
            FormatError: it is no file, encrypted, overlaps others, or is larger than it can be.
        """
        kind, refusal = self.kinds[index], self.refusals[index]
        if kind != FILE:
            raise FormatError(*_REASONS.get(kind, _NO_FILE))
        if refusal != OPEN:
            measured: dict[str, Any] = {"measured": self.sizes[index]} if refusal == BOMB else {}
            raise FormatError(*REFUSALS[refusal], **measured)
