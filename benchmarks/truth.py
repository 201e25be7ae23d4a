"""Reading the photographs with ground truth that lie beside the checkout."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visionhub.analysis.coco import Truths

ROOT = Path(__file__).resolve().parents[1]
PICTURES = frozenset({".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff"})


def shared_folder() -> Path:
    """Find the folder of photographs: ../shared/images, or where VISIONHUB_SHARED points."""
    return Path(os.environ.get("VISIONHUB_SHARED", ROOT.parent / "shared")) / "images"


def rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV file, a dictionary a line."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def records(path: Path) -> list[dict[str, Any]]:
    """Read a file with one JSON object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def pictures(folder: Path) -> list[Path]:
    """List all photographs in a folder and below, in the order of their names."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)


@dataclass(frozen=True)
class Coco:
    """COCO's annotations by photograph: `images` and `things` by file, `categories` by name."""

    images: Mapping[Path, dict[str, Any]]
    things: Mapping[Path, list[dict[str, Any]]]
    categories: Mapping[str, int]
    credits: Sequence[Mapping[str, str]]

    @classmethod
    def read(cls, folder: Path) -> Coco:
        """Read instances.json."""
        data = json.loads((folder / "instances.json").read_text(encoding="utf-8"))
        images = {folder / "images" / image["file_name"]: image for image in data["images"]}
        file_of = {image["id"]: file for file, image in images.items()}
        things: dict[Path, list[dict[str, Any]]] = {file: [] for file in images}
        for thing in data["annotations"]:
            things[file_of[thing["image_id"]]].append(thing)
        categories = {c["name"]: c["id"] for c in data["categories"]}
        return cls(images, things, categories, rows(folder / "attribution.csv"))

    def described(self, files: Sequence[Path]) -> str:
        """Name the set, with how many of it a model of COCO has seen in training."""
        split = {row["file"]: row["split_in_coco"] for row in self.credits}
        seen = sum(split[f"images/{file.name}"].startswith("train") for file in files)
        return f"coco, {seen} of {len(files)} from its training set"

    def truths(self, files: Sequence[Path]) -> Truths:
        """All annotated boxes of these photographs."""
        return Truths.of(
            (t["image_id"], t["category_id"], t["bbox"], t["area"], t["iscrowd"])
            for file in files
            for t in self.things[file]
        )
