"""Where a study may be written: on a disk of this computer, and not over a network.

SQLite cannot tell whether a network file system keeps its locks and writes in order, and a study
that records payments must not be damaged (sqlite.org/faq.html question 5,
sqlite.org/useovernet.html). Reading a study there is allowed.

Linux tells the kind of a mount (man 5 proc_pid_mountinfo). Elsewhere the kind is unknown, which
counts as local. Counted as networks, although no cable is involved, are the shares between a
virtual machine and its host (virtiofs, 9p, which is also how WSL 2 shows C:, vboxsf, vmhgfs, prl_fs
and Docker Desktop's): locks and page caches of the two systems know nothing of each other, and
databases on them were damaged. Not counted: overlay and fuse-overlayfs, which lie on a local disk
of the same kernel, fuseblk (ntfs-3g, exfat), encrypting FUSE layers, and shared-disk systems whose
locks are coherent (ocfs2, gfs2).
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from visionhub.errors import StudyError

MOUNTS = Path("/proc/self/mountinfo")
NETWORKS = """
    nfs nfs4 cifs smb2 smb3 smbfs ncp ncpfs afs coda ceph lustre gpfs beegfs beegfs_nodev pvfs2
    orangefs glusterfs panfs wekafs davfs acfs 9p virtiofs vboxsf prl_fs
"""
NETWORKS_OF_FUSE = """
    sshfs rclone gcsfuse s3fs goofys mountpoint-s3 blobfuse blobfuse2 davfs davfs2 curlftpfs
    smbnetfs drive google-drive-ocamlfuse onedriver juicefs seaweedfs glusterfs ceph ceph-fuse
    cephfs lizardfs mfs moosefs alluxio dfuse gvfsd-fuse kio-fuse fuse_dfs nfs virtiofs vmhgfs-fuse
    vboxsf grpcfuse osxfs
"""
REMOTE = re.compile(r"^//|^[a-z][a-z0-9+.-]*://|^[^/\s]+:/", re.IGNORECASE)  # what is mounted
OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system: where, of what kind, and what is mounted there."""

    point: str
    kind: str
    source: str = ""

    @property
    def network(self) -> bool:
        """Whether files lie, or are cached, on a computer that this kernel does not control."""
        family, _, kind = self.kind.partition(".")
        if family == "fuse":
            return kind in NETWORKS_OF_FUSE.split() or bool(REMOTE.match(self.source))
        return self.kind in NETWORKS.split()


def mount_of(folder: str, mountinfo: str) -> Mount | None:
    """The mount that holds a folder, by its resolved path; None when the text names none.

    mountinfo: the text of /proc/self/mountinfo. Of several at one point the last lies on top.
    """
    found: Mount | None = None
    for mount in filter(None, map(_read, mountinfo.split("\n"))):
        inside = folder == mount.point or folder.startswith(mount.point.rstrip("/") + "/")
        if inside and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found


def mount_at(path: Path) -> Mount | None:
    """The mount that a study lies on, or will; None where this system does not tell."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        text = os.fsdecode(MOUNTS.read_bytes())
    except OSError:  # no /proc in this container
        return None
    return mount_of(str(path.resolve().parent), text)


def refuse_network(path: Path) -> None:
    """Raise StudyError for a study that would be written over a network."""
    mount = mount_at(path)
    if mount is not None and mount.network:
        raise StudyError(
            f"The study {str(path)!r} lies on a network file system ({mount.kind}, mounted at "
            f"{mount.point!r}), where payments cannot be recorded safely: name a study on a local "
            f"disk with --study, and copy it when the run is over."
        )


def _read(line: str) -> Mount | None:
    """One line: ... root POINT options [fields...] - KIND SOURCE options."""
    before, separator, after = line.partition(" - ")
    fields, about = before.split(" "), after.split(" ")
    if not separator or len(fields) < 6 or not about[0]:  # noqa: PLR2004 - fields up to the options
        return None
    source = about[1] if len(about) > 1 else ""
    return Mount(_plain(fields[4]), about[0], _plain(source))


def _plain(escaped: str) -> str:
    """Undo the octal escapes of space, tab, newline and backslash."""
    return OCTAL.sub(lambda match: chr(int(match[1], 8)), escaped)
