"""Path templates such as `{subject}/CT_image.nii.gz`: match a path, get the named parts."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"\{(?P<name>[A-Za-z_]\w*)\}|(?P<deep>\*\*/?)|(?P<star>\*)|(?P<one>\?)")


class Template:
    """A path pattern relative to a source's folder.

    `{name}` matches part of one path component, `*` the same without a name, `**/` any number of
    folders, `?` one character. A name that stands twice must match the same text both times.

    >>> Template("{subject}/{channel}_image.nii.gz").match("STS_008/CT_image.nii.gz")
    {'subject': 'STS_008', 'channel': 'CT'}
    >>> Template("dicom/{subject}/**").match("nifti/STS_008/CT_mask.nii.gz") is None
    True

    Args:
        text: The pattern, with forward slashes.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def names(self) -> tuple[str, ...]:
        """The named parts, in the order of their first appearance."""
        return tuple(dict.fromkeys(m["name"] for m in _TOKEN.finditer(self.text) if m["name"]))

    def match(self, path: str) -> dict[str, str] | None:
        """The named parts of a path that matches as a whole, else None."""
        found = _regex_of(self.text).fullmatch(path)
        return found.groupdict() if found else None

    def fill(self, values: dict[str, str]) -> str:
        """The path with its named parts put in; `KeyError` where one is missing."""
        return _TOKEN.sub(lambda m: values[m["name"]] if m["name"] else m.group(), self.text)


@lru_cache(maxsize=1024)
def _regex_of(text: str) -> re.Pattern[str]:
    out, position, seen = [], 0, set[str]()
    for token in _TOKEN.finditer(text):
        out.append(re.escape(text[position : token.start()]))
        position = token.end()
        if name := token["name"]:
            out.append(f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)")
            seen.add(name)
        elif deep := token["deep"]:
            out.append("(?:.*/)?" if deep.endswith("/") else ".*")
        else:
            out.append("[^/]*" if token["star"] else "[^/]")
    return re.compile("".join([*out, re.escape(text[position:])]), re.DOTALL)
