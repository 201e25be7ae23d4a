"""Where a study may be written: kinds of file systems as Linux names them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from visionhub.errors import StudyError
from visionhub.store import filesystem
from visionhub.store.filesystem import Mount, mount_at, mount_of
from visionhub.store.study import StudyFile

MOUNTINFO = r"""
21 28 0:19 / /sys rw,nosuid shared:7 - sysfs sysfs rw
22 28 0:20 / /proc rw,nosuid shared:13 - proc proc rw
28 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro
95 28 8:3 /home /home rw,relatime shared:30 master:2 - btrfs /dev/sda3 rw,subvol=/home
120 95 0:50 / /home/ana/team rw,relatime shared:61 - nfs4 10.0.0.5:/team rw,vers=4.2
121 95 0:51 / /home/ana/my\040share rw - cifs //server/photos rw,vers=3.1.1
122 95 0:52 / /home/ana/back\134slash\011tab rw - fuse.sshfs ana@host:/data rw
123 28 0:53 / /data rw,relatime - autofs systemd-1 rw,fd=53
124 123 0:54 / /data rw,relatime - lustre 10.1.1.1@o2ib:/scratch rw,flock
125 28 0:55 / /var/lib/image/merged rw - overlay overlay rw,lowerdir=/l,upperdir=/u
126 28 8:17 / /media/stick rw shared:9 - fuseblk /dev/sdb1 rw,user_id=0
127 28 0:56 / /tmp rw - tmpfs tmpfs rw
a line that is none
""".strip()


@pytest.mark.parametrize(
    ("folder", "point", "kind", "network"),
    [
        ("/", "/", "ext4", False),
        ("/srv/studies", "/", "ext4", False),
        ("/home/ana", "/home", "btrfs", False),
        ("/homes", "/", "ext4", False),
        ("/home/ana/team", "/home/ana/team", "nfs4", True),
        ("/home/ana/team/2026", "/home/ana/team", "nfs4", True),
        ("/home/ana/teamwork", "/home", "btrfs", False),
        ("/home/ana/my share/x", "/home/ana/my share", "cifs", True),
        ("/home/ana/back\\slash\ttab", "/home/ana/back\\slash\ttab", "fuse.sshfs", True),
        ("/data/run", "/data", "lustre", True),
        ("/var/lib/image/merged/w", "/var/lib/image/merged", "overlay", False),
        ("/media/stick", "/media/stick", "fuseblk", False),
        ("/tmp/x", "/tmp", "tmpfs", False),
    ],
)
def test_the_mount_of_a_folder(folder, point, kind, network):
    mount = mount_of(folder, MOUNTINFO)
    assert mount is not None
    assert (mount.point, mount.kind, mount.network) == (point, kind, network)


def test_what_lies_on_top_counts():
    below = "1 0 8:2 / /data rw - ext4 /dev/sda2 rw\n"
    above = "2 0 0:9 / /data rw - nfs server:/data rw\n"
    assert mount_of("/data", below + above).kind == "nfs"
    assert mount_of("/data", above + below).kind == "ext4"


def test_no_text_no_mount():
    assert mount_of("/home", "") is None


@pytest.mark.parametrize(
    ("kind", "source", "network"),
    [
        *[(kind, "", True) for kind in ("nfs", "smb3", "afs", "9p", "ceph", "virtiofs", "vboxsf")],
        *[(f"fuse.{kind}", kind, True) for kind in ("rclone", "gcsfuse", "s3fs", "grpcfuse")],
        ("fuse", "https://cloud.example/dav", True),  # davfs2
        ("fuse.unheard-of", "ana@host:/home", True),
        ("fuse.unheard-of", "//server/share", True),
        ("fuse.fuse-overlayfs", "fuse-overlayfs", False),
        ("fuse.gocryptfs", "/home/ana/cipher", False),
        ("fuse.mergerfs", "/disk1:/disk2", False),
        ("fuse", "/dev/fuse", False),
        *[(kind, "/dev/x", False) for kind in ("xfs", "zfs", "exfat", "ocfs2", "ntfs3", "apfs")],
    ],
)
def test_which_kinds_are_networks(kind, source, network):
    assert Mount("/x", kind, source).network is network


@pytest.fixture
def on_nfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as one of a file server."""
    text = tmp_path / "mountinfo"
    share = (tmp_path / "share").resolve()
    share.mkdir()
    lines = f"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:9 / {share} rw - nfs a:/b rw\n"
    text.write_bytes(os.fsencode(lines))
    monkeypatch.setattr(filesystem, "MOUNTS", text)
    monkeypatch.setattr(sys, "platform", "linux")
    return share


@pytest.mark.parametrize("shared", [False, True])
def test_a_study_is_not_written_over_a_network(on_nfs, shared):
    with pytest.raises(StudyError) as error:
        StudyFile(on_nfs / "study.db", write=True, shared=shared)
    assert f"'{on_nfs}/study.db' lies on a network file system (nfs, mounted at" in str(error.value)
    assert "on a local disk with --study, and copy it when the run is over." in str(error.value)
    assert list(on_nfs.iterdir()) == []


def test_a_link_to_a_network_is_one(on_nfs, tmp_path):
    link = tmp_path / "study.db"
    link.symlink_to(on_nfs / "study.db")
    with pytest.raises(StudyError, match="network file system"):
        StudyFile(link, write=True)
    assert not mount_at(tmp_path / "other.db").network


def test_a_study_is_read_over_a_network(on_nfs, tmp_path):
    StudyFile(tmp_path / "study.db", write=True).close()
    (tmp_path / "study.db").rename(on_nfs / "study.db")
    with StudyFile(on_nfs / "study.db") as study:
        assert len(study.query("SELECT * FROM images")) == 0


def test_where_the_system_does_not_tell_all_is_local(on_nfs, monkeypatch):
    monkeypatch.setattr(filesystem, "MOUNTS", on_nfs / "absent")
    assert mount_at(on_nfs / "study.db") is None
    StudyFile(on_nfs / "study.db", write=True).close()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert mount_at(on_nfs / "study.db") is None


@pytest.mark.skipif(not filesystem.MOUNTS.exists(), reason="no /proc/self/mountinfo here")
def test_this_machine_tells():
    mount = mount_at(Path("/proc/self/study.db"))
    assert mount.kind == "proc"
    assert mount.point == "/proc"
