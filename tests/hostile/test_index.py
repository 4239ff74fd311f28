"""The whole index on files made to harm it, amid good ones: each has its one row and its reason, and no more happens.

A slice by default; ISOCENTER_HOSTILE=all adds the large files, each on its own, and a thousand good ones.
"""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from isocenter.base import tables
from isocenter.base.files import located
from isocenter.model.reasons import REASONS
from tests.contracts.files import ct_bytes, dicom_bytes, nifti_bytes, nrrd_bytes, rtstruct_dataset
from tests.hostile import indexed
from tests.hostile.corpus import Case, make, make_folders
from tests.hostile.corpus_dicom import CANARY, HOSTILE_UIDS, ct, deflated, dicom_cases
from tests.hostile.corpus_places import NAMES, archive_cases, file_system_cases, zipped
from tests.hostile.corpus_volumes import volume_cases

IS_ALL = os.environ.get("ISOCENTER_HOSTILE") == "all"
CPU_SECONDS, MANY_SECONDS, MEMORY_BYTES = 10, 60, 1 << 30
# prctl(PR_CAPBSET_DROP): what lets root read what nobody may
_DROP, _CAP_OVERRIDE, _CAP_SEARCH = 24, 1, 2
_OPEN_OR_READ, _READ = 0x21, 0x01
_libc = ctypes.CDLL(None, use_errno=True)


def corpus(outside):
    cases = [*dicom_cases(), *volume_cases(outside), *archive_cases(), *file_system_cases(outside)]
    assert len({c.path for c in cases}) == len(cases) == len({c.id for c in cases})
    return cases


_EVERY = corpus(Path("outside"))
SMALL = [c.id for c in _EVERY if not c.is_large]
LARGE = [c.id for c in _EVERY if c.is_large and IS_ALL]


def drop_powers():
    for capability in (_CAP_OVERRIDE, _CAP_SEARCH):
        _libc.prctl(_DROP, capability, 0, 0, 0)


class Watch:
    """What the kernel tells of a folder: whether anything in it was opened or read."""

    def __init__(self, folder, events):
        self._fd = _libc.inotify_init1(os.O_NONBLOCK)
        assert _libc.inotify_add_watch(self._fd, os.fsencode(folder), events) >= 0

    def heard(self):
        try:
            return os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return b""


class Scene:
    """A folder to be indexed, one that must never be looked at, and what an index of the first found."""

    def __init__(self, base):
        self.base, self.root, self.outside = base, base / "root", base / "outside"
        for name in ("root", "outside", "spare", "tmp", "here"):
            (base / name).mkdir()
        token = CANARY.encode()
        (self.outside / "canary.raw").write_bytes(token * 99)
        (self.outside / "canary.dcm").write_bytes(ct(CANARY, PatientName=CANARY, SeriesDescription=CANARY))
        (self.outside / "canary.zip").write_bytes(zipped({f"{CANARY}.dcm": ct(CANARY)}))
        self.cases = {c.id: c for c in corpus(self.outside)}

    def run(self, name, *, key_of=None, jobs=2, changed="", content="uids", command=(), seconds=300):
        """Index the root in a process of its own, and tell what came of it."""
        work, opened = self.base / name, self.base / f"{name}-opened"
        opened.mkdir(exist_ok=True)
        work.mkdir(exist_ok=True, mode=0o700)
        if key_of is not None:
            (work / "secret.key").write_bytes((self.base / key_of / "secret.key").read_bytes())
            (work / "secret.key").chmod(0o600)
        own = {"ISOCENTER_OPENED": opened, "ISOCENTER_CHANGED": changed, "TMPDIR": self.base / "tmp"}
        paths = [Path(indexed.__file__).parents[2], *map(os.path.abspath, sys.path)]
        environment = os.environ | {k: str(v) for k, v in own.items()}
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(map(str, paths)))
        program = command or (indexed.__file__, str(self.root), str(work), str(jobs), content)
        done = subprocess.run(
            [sys.executable, *program],
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds,
            cwd=self.base / "here",
            env=environment,
            preexec_fn=drop_powers,
        )
        return Told(work, opened, done)

    def everything(self):
        """Every entry beside the workspace, and what would tell that it has been changed."""
        places = [str(self.base / n) for n in ("root", "outside", "spare", "tmp", "here")]
        command = ["find", *places, "-printf", r"%p\t%y\t%s\t%T@\t%i\n"]
        return subprocess.run(command, check=True, capture_output=True).stdout.split(b"\n")


class Told:
    """What an index left behind."""

    def __init__(self, work, opened, done):
        self.work, self.done = work, done
        self.opened = {p for log in opened.iterdir() for p in log.read_bytes().split(b"\0") if p}
        self.cost = json.loads(done.stdout) if done.returncode == 0 and done.stdout.startswith("{") else {}
        self.files = self.rows("files")
        self.of_path = {}
        for row in self.files:
            self.of_path.setdefault(row["path"], []).append(row)
        self.issues = {}
        for issue in self.rows("issues"):
            self.issues.setdefault(issue["target"], []).append(issue)
        self.instances = {r["file_id"]: r for r in self.rows("instances")}

    def rows(self, name):
        path = self.work / "index" / f"{name}.parquet"
        return tables.read_table(path).to_pylist() if path.exists() else []

    def rules(self, row):
        return {i["rule"] for i in self.issues.get(row["file_id"], ())}

    def outcomes(self, row):
        """The reasons of a file; its kind too where it was not refused."""
        rules = self.rules(row)
        return rules if any(r.startswith("file/") for r in rules) else {row["kind"], *rules}

    def members(self, path):
        (archive,) = (r for r in self.of_path[path] if not r["archive"])
        return [r for r in self.files if r["archive"] == archive["file_id"]]


def as_told(path):
    """A path as tables hold it, in other words than ours."""
    return path.replace("\\u", "\\u005cu").encode("utf-8", "backslashreplace").decode()


def write_good(root, count):
    """Series of DICOM, and one file of each other kind, in a folder of their own."""
    folder = root / "good"
    folder.mkdir()
    for n in range(count):
        series = n // 40
        data = ct_bytes(
            n % 40,
            SOPInstanceUID=f"2.25.481{n}",
            SeriesInstanceUID=f"2.25.482{series}",
            StudyInstanceUID=f"2.25.483{series}",
            PatientID=f"good-{series}",
            PatientName=f"Good^{series}",
            ImagePositionPatient=["-10", "-20", str(2 * (n % 40))],
        )
        (folder / f"{n:04}").write_bytes(data)
    (folder / "set.dcm").write_bytes(dicom_bytes(rtstruct_dataset()))
    (folder / "image.nii").write_bytes(nifti_bytes())
    (folder / "image.nrrd").write_bytes(nrrd_bytes())
    (folder / "table.csv").write_bytes(b"a,b\n1,2\n3,4\n5,6\n")


@contextmanager
def scene_of(name):
    """A scene of its own, not among pytest's folders: pytest cannot remove folders as deep as some in here."""
    base = Path(tempfile.mkdtemp(prefix=f"isocenter-{name}-"))
    try:
        yield Scene(base)
    finally:
        remove(base)


def remove(base):
    """Folders may be closed, or deeper than Python goes."""
    for folder in (base / "root" / "hostile" / "closed").glob("*"):
        folder.chmod(0o700)
    subprocess.run(["rm", "-rf", str(base)], check=True)


@pytest.fixture(scope="module")
def scene():
    """The corpus of small cases amid good files, indexed with and without it."""
    with scene_of("hostile") as scene:
        fill(scene)
        yield scene


def fill(scene):
    write_good(scene.root, 1000 if IS_ALL else 80)
    scene.good = scene.run("good-work")
    assert scene.good.done.returncode == 0, scene.good.done.stderr
    make(scene.root / "hostile", [c for c in scene.cases.values() if not c.is_large])
    scene.before = scene.everything()
    watch = Watch(scene.outside, _OPEN_OR_READ)
    scene.told = scene.run("work", key_of="good-work")
    scene.heard = watch.heard()
    scene.after = scene.everything()


class TestTheWhole:
    def test_nobody_died(self, scene):
        assert scene.told.done.returncode == 0, scene.told.done.stderr
        assert scene.told.done.stderr == ""

    def test_the_account_is_that_of_find(self, scene):
        """By name: every entry but folders, and folders that are closed; members of archives stand beside it."""
        command = ["find", str(scene.root), "!", "-type", "d", "-print0"]
        listed = subprocess.run(command, check=True, capture_output=True).stdout.split(b"\0")[:-1]
        prefix = len(os.fsencode(scene.root)) + 1
        paths = Counter(as_told(os.fsdecode(p[prefix:])) for p in listed)
        paths = Counter({p: n for p, n in paths.items() if not p.startswith("hostile/closed/folder/")})
        paths["hostile/closed/folder"] += 1
        told = Counter(r["path"] for r in scene.told.files if not r["archive"])

        def beyond(counts):
            return sum(n for p, n in counts.items() if p.startswith("hostile/109-beyond/"))

        assert beyond(told) == beyond(paths) == 1
        assert {p: n for p, n in told.items() if "109-beyond" not in p} == {
            p: n for p, n in paths.items() if "109-beyond" not in p
        }
        assert scene.told.cost["counts"]["files"] == len(scene.told.files)

    def test_every_entry_has_one_state_and_every_refusal_a_known_reason(self, scene):
        ids = Counter(r["file_id"] for r in scene.told.files)
        assert set(ids.values()) == {1}
        assert all(r["kind"] for r in scene.told.files)
        assert {rule for r in scene.told.files for rule in scene.told.rules(r)} <= set(REASONS)

    def test_good_files_are_as_they_are_without_hostile_ones(self, scene):
        mine = {r["file_id"] for r in scene.good.files}
        for name in ("files", "instances", "annotations", "frames"):
            found = [r for r in scene.told.rows(name) if r["file_id"] in mine]
            assert found == scene.good.rows(name), name
        for name in ("series", "stacks", "studies", "subjects"):
            known = scene.told.rows(name)
            # "" gathers what names nobody, hostile files too
            assert [r for r in scene.good.rows(name) if r["id"] and r not in known] == [], name
        targets = mine | {r["id"] for n in ("series", "stacks", "subjects") for r in scene.good.rows(n)}
        assert {t: i for t, i in scene.told.issues.items() if t in targets} == scene.good.issues

    def test_no_case_takes_too_long_for_all_of_them_do_not(self, scene):
        assert scene.told.cost["cpu_seconds"] - scene.good.cost["cpu_seconds"] < CPU_SECONDS

    def test_nobody_takes_too_much_memory(self, scene):
        pairs = zip(scene.told.cost["peak_bytes"], scene.good.cost["peak_bytes"], strict=True)
        assert max(peak - base for peak, base in pairs) < MEMORY_BYTES

    def test_nothing_outside_is_opened(self, scene):
        assert scene.heard == b""
        assert strays(scene) == set()

    def test_listening_hears_what_is_opened(self, scene):
        """Coordinator and workers, or the test before would prove nothing."""
        opened = scene.told.opened
        assert any(p.endswith(b"good/image.nii") for p in opened)
        assert any(os.fsencode(scene.told.work) in p for p in opened)
        watch = Watch(scene.outside, _OPEN_OR_READ)
        (scene.outside / "canary.raw").read_bytes()
        assert watch.heard()

    def test_nothing_is_written_but_in_the_workspace(self, scene):
        assert scene.after == scene.before

    def test_no_canary_is_in_what_was_written_or_said(self, scene):
        assert_unseen(scene.told)

    def test_no_output_is_named_after_what_is_in_a_header_or_a_file_name(self, scene):
        names = {p.relative_to(scene.told.work).as_posix() for p in scene.told.work.rglob("*")}
        good = {p.relative_to(scene.good.work).as_posix() for p in scene.good.work.rglob("*")}
        assert names - good == set()


def strays(scene):
    """What was opened and is neither ours, nor of the system that Python runs on."""
    system = (sys.prefix, sys.base_prefix, "/usr", "/lib", "/etc", "/proc/self", "/proc/stat", "/proc/meminfo", "/proc/cpuinfo", "/sys",
              "/dev/null", "/dev/urandom", "/dev/shm", str(Path(indexed.__file__).parents[2]), *sys.path)  # fmt: skip
    own = [scene.root, scene.told.work, scene.base / "tmp", scene.base / "here"]
    allowed = tuple(os.fsencode(Path(p).absolute()) for p in (*own, *filter(None, system)))
    return {
        p for p in scene.told.opened if p.startswith(b"/") and not os.path.normpath(p).startswith(allowed)
    }


def assert_unseen(told):
    """The canary is in no table, no log and no output."""
    said = [told.done.stdout.encode(), told.done.stderr.encode()]
    for path in told.work.rglob("*"):
        if path.suffix == ".parquet":
            said.append(str(tables.read_table(path).to_pylist()).encode())
        elif path.is_file():
            said.append(path.read_bytes())
    assert len(said) > 8
    assert not [text[:200] for text in said if CANARY.encode() in text]


def check(told: Told, case: Case, below: str) -> None:
    """One row, the expected outcome, and, where the file is accepted, its values."""
    path = as_told(below + case.path)
    rows = told.of_path.get(path, [])
    if case.id == "109-beyond":
        rows = [r for r in told.files if r["path"].startswith(path)]
    if case.id.startswith(("101", "102", "103", "104")):
        (row,) = rows
        found = told.outcomes(row).union(*map(told.outcomes, told.members(path)))
        assert found & set(case.expected), found
        return
    assert len(rows) == 1, rows
    (row,) = rows
    found = told.outcomes(row)
    assert found & set(case.expected), found
    assert told.rules(row) <= {*case.expected, *_NOTES}, found
    if row["kind"] in case.expected:
        instance = told.instances.get(row["file_id"], {})
        assert {k: instance.get(k) for k in case.values} == case.values
        assert set(case.unparsable) <= set(instance.get("unparsable", ()))


# What may be said of a file that is used.
_NOTES = {"index/foreign-preamble"}


@pytest.mark.parametrize("name", SMALL)
def test_small_case(scene, name):
    check(scene.told, scene.cases[name], "hostile/")


@pytest.mark.parametrize("name", LARGE)
def test_large_case(scene, name):
    """Each alone, with its own time and memory."""
    with scene_of("large") as place:
        case = place.cases[name]
        write_good(place.root, 10)
        make(place.root, [case])
        told = place.run("work")
        assert told.done.returncode == 0, told.done.stderr
        seconds = told.cost["cpu_seconds"] - scene.good.cost["cpu_seconds"]
        assert seconds < (MANY_SECONDS if name == "109-many" else CPU_SECONDS)
        pairs = zip(told.cost["peak_bytes"], scene.good.cost["peak_bytes"], strict=True)
        assert max(peak - base for peak, base in pairs) < MEMORY_BYTES
        if name == "109-many":
            kinds = Counter(r["kind"] for r in told.files if r["path"].startswith("109-many/"))
            assert kinds == {"text": 100_000}
        else:
            check(told, case, "")


@pytest.mark.parametrize("what", NAMES)
def test_a_name_leads_back_to_its_file(scene, what):
    path = f"hostile/names/{os.fsdecode(NAMES[what])}"
    inode = (scene.root / path).lstat().st_ino
    (row,) = [r for r in scene.told.files if r["inode"] == inode]
    assert located(scene.root, row["path"]).lstat().st_ino == inode


def test_digests_of_all_bytes_change_nothing_but_themselves(scene):
    """Where every byte is asked for: the holes of sparse files are not read, and nothing else is either."""
    watch = Watch(scene.outside, _OPEN_OR_READ)
    deep = scene.run("digests", key_of="good-work", content="pixels", seconds=100)
    assert deep.done.returncode == 0, deep.done.stderr
    assert watch.heard() == b""
    kinds = {r["file_id"]: r["kind"] for r in scene.told.files}
    assert {r["file_id"]: r["kind"] for r in deep.files} == kinds
    assert deep.cost["cpu_seconds"] - scene.good.cost["cpu_seconds"] < MANY_SECONDS
    pairs = zip(deep.cost["peak_bytes"], scene.good.cost["peak_bytes"], strict=True)
    assert max(peak - base for peak, base in pairs) < MEMORY_BYTES
    assert all(r["content_digest"] for r in deep.files if r["path"].startswith("good/"))


def test_archives_members_are_rows_of_their_own(scene):
    found = scene.told.members("hostile/104-good.zip")
    assert sorted(r["path"].rpartition("!/")[2] for r in found) == ["0.dcm", "1.dcm", "2.dcm"]
    assert {r["kind"] for r in found} == {"dicom-image"}
    assert {(r["device"], r["inode"]) for r in found} == {(0, 0)}


def test_no_member_is_called_by_a_way_out(scene):
    members = [r["path"].partition("!/")[2] for r in scene.told.files if r["archive"]]
    assert len(members) > 20
    assert not [m for m in members if m.startswith("/") or ".." in m.split("/")]


def test_no_hostile_uid_is_kept(scene):
    kept = {r["series_uid"] for r in scene.told.instances.values()}
    texts = {u.decode("utf-8", "replace") for u in HOSTILE_UIDS.values()} - {".."}
    assert not kept & texts
    assert not Path("/tmp/pwn").exists()


def test_polyglots_are_told(scene):
    """A11: their pixels are used, and that they are something else as well is said."""
    for name, case in scene.cases.items():
        if name.startswith("34-") and name != "34-polyglot-zip-tail":
            (row,) = scene.told.of_path[f"hostile/{case.path}"]
            assert "index/foreign-preamble" in scene.told.rules(row), name


def test_the_command_says_nothing_that_a_terminal_obeys(scene):
    done = scene.run(
        "cli", command=("-m", "isocenter", "index", str(scene.root), "--workspace", str(scene.base / "cli"))
    )
    assert done.done.returncode in {0, 1}, done.done.stderr
    said = done.done.stdout + done.done.stderr
    assert CANARY not in said
    assert not [c for c in said if (c < " " and c != "\n") or c in "\x7f\x9b\u202e"]


@pytest.fixture(scope="module")
def seen():
    """A folder that was changed behind the back of an index, and what that index says."""
    with scene_of("behind") as place:
        folder = place.root / "change"
        write_changing(place, folder)
        watch = Watch(place.outside, _READ)
        told = place.run("work", changed=str(folder), jobs=1)
        yield SimpleNamespace(told=told, heard=watch.heard(), place=place, folder=folder)


def write_changing(place, folder):
    spare = place.base / "spare"
    names = ["000-first.dcm", "grown.dcm", "shrunk.dcm", "emptied.dcm", "replaced.dcm", "vanished.dcm", "pipe.dcm",
             "link.dcm", "folder.dcm", "gone/x.dcm", "linked/canary.dcm", "zzz-last.dcm"]  # fmt: skip
    for name in (*names, *SECOND):
        make_folders((folder / name).parent)
        (folder / name).write_bytes(deflated(f"35-{name}", 0) if name in SECOND else ct(f"35-{name}"))
    (spare / "replacement").write_bytes(ct("35-new"))
    (spare / "second-linked.dcm").write_bytes(deflated("35-canary", 0, PatientName=CANARY))
    # what takes the place of files is as large and as old as they were
    for path in (
        place.outside / "canary.dcm",
        folder / "linked" / "canary.dcm",
        spare / "second-linked.dcm",
        folder / "second" / "second-linked.dcm",
        spare / "replacement",
        folder / "replaced.dcm",
    ):
        path.write_bytes(path.read_bytes().ljust(2000, b"\0"))
        os.utime(path, ns=(10**18, 10**18))


SECOND = ("second-pipe.dcm", "second-link.dcm", "second-gone.dcm", "second/second-linked.dcm")


class TestBehindTheBack:
    """35: files that are changed after they were listed, and between two looks at one."""

    def test_nobody_died(self, seen):
        assert seen.told.done.returncode == 0, seen.told.done.stderr
        assert (seen.place.base / "spare" / "is-changed").exists()
        assert (seen.place.base / "spare" / "moved").exists()

    def test_nothing_outside_was_read(self, seen):
        assert seen.heard == b""

    def test_nothing_of_what_is_outside_was_kept(self, seen):
        assert_unseen(seen.told)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("000-first.dcm", "dicom-image"),
            ("zzz-last.dcm", "dicom-image"),
            ("grown.dcm", "file/changed"),
            ("shrunk.dcm", "file/changed"),
            ("emptied.dcm", "file/changed"),
            ("replaced.dcm", "file/changed"),
            ("vanished.dcm", "file/changed file/unreadable"),
            ("pipe.dcm", "file/changed file/unreadable"),
            ("link.dcm", "file/changed file/unreadable"),
            ("folder.dcm", "file/changed file/unreadable"),
            ("gone/x.dcm", "file/changed file/unreadable"),
            ("linked/canary.dcm", "file/changed file/unreadable"),
            ("second-pipe.dcm", "file/changed file/unreadable dicom-image"),
            ("second-link.dcm", "file/changed file/unreadable dicom-image"),
            ("second-gone.dcm", "file/changed file/unreadable dicom-image"),
            ("second/second-linked.dcm", "file/changed file/unreadable dicom-image"),
        ],
    )
    def test_what_was_changed_is_told(self, seen, name, expected):
        (row,) = seen.told.of_path[f"change/{name}"]
        assert seen.told.outcomes(row) & set(expected.split())

    def test_the_next_index_finds_what_is_there(self, seen):
        again = seen.place.run("work", jobs=1)
        assert again.done.returncode == 0
        for name in ("grown.dcm", "replaced.dcm"):  # the latter is as large and as old as it was
            (row,) = again.of_path[f"change/{name}"]
            assert row["size"] == (seen.folder / name).lstat().st_size
            assert again.outcomes(row) == {"dicom-image"}
        assert "change/vanished.dcm" not in again.of_path
        assert again.of_path["change/pipe.dcm"][0]["kind"] == "fifo"
        assert again.of_path["change/linked"][0]["kind"] == "symlink"
