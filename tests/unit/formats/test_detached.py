import os
import socket
import zipfile

import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.detached import beside, find_beside, opening_beside
from isocenter.formats.image import FORMATS
from isocenter.formats.kinds import kind_of_file
from tests.contracts.files import image_samples, stack_of


@pytest.fixture
def header(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "canary").write_bytes(b"canary")
    (folder / "below").mkdir()
    (folder / "below" / "data.raw").write_bytes(b"below")
    (folder / "data.raw").write_bytes(b"data")
    return folder / "header"


def reason(call):
    with pytest.raises(FormatError) as caught:
        call()
    return caught.value.reason


def opened(header, name):
    with opening_beside(header, name) as file:
        return file.read()


@pytest.mark.parametrize("name", ["data.raw", "./data.raw"])
def test_a_name_beside(name, header):
    assert opened(header, name) == b"data"


@pytest.mark.parametrize(
    "name",
    [
        "../canary", "/etc/hostname", "/dev/zero", "/dev/stdin", "below/data.raw", "below/../data.raw", "..", ".",
        "./../canary", "././../canary", "..\\canary", "C:\\canary", "\\\\host\\share", "//host/share", "a\0b",
        "./", "below/", "~/canary/", "file:///etc/hostname",
    ],
)  # fmt: skip
def test_paths_lead_outside_or_nowhere(name, header):
    assert reason(lambda: beside(header, name)) in {"file/outside", "file/corrupt"}
    assert reason(lambda: opened(header, name)) in {"file/outside", "file/corrupt"}


def test_no_name_and_the_own_name(header):
    for name in ("", "header", "./header"):
        assert reason(lambda name=name: beside(header, name)) == "file/corrupt"


def test_what_is_no_regular_file(header):
    folder = header.parent
    (folder / "link").symlink_to(folder.parent / "canary")
    (folder / "own-link").symlink_to(folder / "data.raw")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "dangling").symlink_to(folder / "nothing")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(folder / "socket"))
        for name in ("link", "own-link", "loop", "dangling", "pipe", "below", "socket"):
            assert reason(lambda name=name: opened(header, name)) == "file/outside", name


def test_what_is_not_there(header):
    assert reason(lambda: opened(header, "nothing")) == "file/truncated"
    assert reason(lambda: opened(header, "~")) == "file/truncated"
    assert reason(lambda: opened(header, "x" * 300)) == "file/truncated"


def test_one_of_several_names(header):
    assert find_beside(header, ["nothing", "data.raw"]) == "data.raw"
    assert reason(lambda: find_beside(header, ["nothing", "neither"])) == "file/truncated"
    (header.parent / "link").symlink_to(header.parent / "data.raw")
    assert reason(lambda: find_beside(header, ["nothing", "link"])) == "file/outside"
    (header.parent / "second").write_bytes(b"")
    assert reason(lambda: find_beside(header, ["data.raw", "second"])) == "file/corrupt"


@pytest.mark.parametrize("sample", [s for s in image_samples() if s.beside], ids=lambda s: s.name)
def test_headers_and_voxels_in_an_archive(sample, tmp_path):
    path = sample.write(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as out:
        out.write(path, f"folder/{sample.name}")
        out.write(tmp_path / sample.beside[0], f"folder/{sample.beside[0]}")
        out.write(path, f"alone/{sample.name}")
    known, stack = FORMATS.get(sample.format), stack_of(sample.format, [path])
    member = tmp_path / "a.zip!" / "folder" / sample.name
    assert known.scan(member, "f", 0, "") == known.scan(path, "f", 0, "")
    assert (known.read(stack, [member]).array == known.read(stack, [path]).array).all()
    assert kind_of_file(member.with_name(sample.beside[0]), b"") == "image-data"
    # the file of that name beside the archive is none of its members
    assert (
        reason(lambda: known.scan(tmp_path / "a.zip!" / "alone" / sample.name, "f", 0, ""))
        == "file/truncated"
    )
    assert reason(lambda: opened(member, "../alone")) == "file/outside"
