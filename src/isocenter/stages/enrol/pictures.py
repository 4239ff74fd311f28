"""Pictures: which slice of which image a single picture is that an annotation names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from isocenter.model.rows import AnnotationObject, Stack
from isocenter.stages.enrol.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Place:
    """One slice of one image.

    Args:
        stack: The image.
        slice: Its slice by the pseudonym of its object; "" where the image is no more than that picture.
        file: The file that it is in.
        number: Its frame, which counts from 1.
        is_whole: Whether the file alone makes up the image.
    """

    stack: Stack
    slice: str
    file: str
    number: int
    is_whole: bool


class Pictures:
    """Slices by what pictures of them may be called: SOP Instance UID, path, name, or name without its ending.

    Args:
        inputs: The tables.
        eligible: Images that are in a case.
        objects: Objects whose pictures will be asked for.
    """

    def __init__(
        self, inputs: Inputs, eligible: Mapping[str, Stack], objects: Iterable[AnnotationObject]
    ) -> None:
        names = {p for o in objects for p in (*o.pictures, *o.looked_at) if p}
        self._wanted = {key for name in names for key in _keys(name.partition("#")[0])}
        self._places: dict[str, list[Place]] = {}
        for stack in (eligible[i] for i in sorted(eligible)) if self._wanted else ():
            self._add(stack, inputs)

    def _add(self, stack: Stack, inputs: Inputs) -> None:
        is_whole = len(set(stack.files)) == 1
        for k, (file_id, frame) in enumerate(zip(stack.files, stack.frames, strict=True)):
            uid = inputs.instances[file_id].sop_instance_uid
            found = {uid} if uid else set()
            found |= set(_keys(inputs.files[file_id].path))
            for key in sorted(found & self._wanted):
                name = "" if stack.shape[0] == 1 or len(stack.files) == 1 else stack.instances[k]
                self._places.setdefault(key, []).append(Place(stack, name, file_id, frame + 1, is_whole))

    def find(self, picture: str, found: AnnotationObject) -> list[Place]:
        """The slices that a picture may be: of the object's own source, and of its own subject if it has one there."""
        name, _, frame = picture.partition("#")
        for key in _keys(name):
            places = self._places.get(key, [])
            places = [p for p in places if p.stack.source == found.source] or places
            places = [p for p in places if p.stack.subject == found.subject] or places
            if frame.isdigit():
                places = [p for p in places if p.number == int(frame)]
            if places:
                return places
        return []


def _keys(name: str) -> list[str]:
    """What a picture may be called, the most telling first: as it is, its file alone, that without its endings."""
    name = name.replace("\\", "/")
    last = name.rpartition("/")[2]
    stem, _, ending = last.rpartition(".")
    keys = [name, last]
    if stem and not ending.isdigit():  # the dots of a UID are no ending
        keys.append(stem)
        if stem.endswith((".nii", ".seg")):
            keys.append(stem.rpartition(".")[0])
    return list(dict.fromkeys(k for k in keys if k))
