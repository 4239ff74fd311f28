from pathlib import Path

import pytest

from isocenter.stores.filesystems import is_remote, kind_of

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /data rw - nfs4 server:/export rw
31 30 0:27 / /data/local\040disk rw - xfs /dev/sdb1 rw
32 22 0:28 / /scratch rw shared:2 master:3 - lustre 10.0.0.1@tcp:/fs rw
33 22 0:29 / /scratch rw - tmpfs tmpfs rw
"""


@pytest.fixture
def mounts(tmp_path):
    (tmp_path / "mountinfo").write_text(MOUNTS)
    return tmp_path / "mountinfo"


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/database", "ext4"),
        ("/data/study/work", "nfs4"),
        ("/data/local disk/work", "xfs"),
        ("/scratch/work", "tmpfs"),
    ],
)
def test_the_nearest_mount_tells_the_kind(mounts, folder, kind):
    assert kind_of(Path(folder), mounts) == kind


def test_where_the_machine_does_not_tell_nothing_is_said(tmp_path):
    assert kind_of(Path("/"), tmp_path / "none") == ""
    assert not is_remote("")


def test_disks_of_other_machines_are_known():
    far = ["nfs", "nfs4", "cifs", "smb3", "lustre", "9p", "fuse.sshfs", "fuse", "ceph", "beegfs", "gpfs"]
    assert [k for k in far if not is_remote(k)] == []
    near = ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "apfs", "ntfs3", "f2fs"]
    assert [k for k in near if is_remote(k)] == []
