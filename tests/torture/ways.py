"""How the services are asked under torture, and what about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.torture.server import REGION, Prices

TASKS = ("labels", "objects", "safe_search", "text")
THREADS = 4


@dataclass(frozen=True, slots=True)
class Way:
    """How a provider is asked. parts: requests of one image by price line."""

    provider: str
    settings: tuple[str, ...]
    parts: Mapping[str, int]

    @property
    def name(self) -> str:
        """For notes."""
        words = [one.partition("=")[2] for one in self.settings if ".transport=" in one]
        return " ".join([self.provider, *words])

    @property
    def cost(self) -> int:
        """Micro-units for one image, all tasks, once."""
        return Prices(self.provider).of(tuple(self.parts))


_GOOGLE = {
    "LABEL_DETECTION": 1,
    "OBJECT_LOCALIZATION": 1,
    "SAFE_SEARCH_DETECTION": 1,
    "TEXT_DETECTION": 1,
}
_GOOGLE_SETTINGS = ("google.rate_calls=5000", "google.rate_units=5000", "google.batch=3")
WAYS = (
    Way("google", (*_GOOGLE_SETTINGS, "google.transport=grpc"), _GOOGLE),
    Way(
        "rekognition",
        (f"rekognition.region={REGION}", "rekognition.rate=5000"),
        {"DetectLabels": 2, "DetectModerationLabels": 1, "DetectText": 1},
    ),
    Way("google", (*_GOOGLE_SETTINGS, "google.transport=rest"), _GOOGLE),
)


def arguments(
    way: Way, study: Path, photos: Path, address: str, *, retry: bool, cap: int | None
) -> list[str]:
    """The command line that fills a study. photos: a folder. cap: micro-units."""
    name = way.provider
    settings = (
        *way.settings,
        f"{name}.sandbox={address}",
        f"{name}.concurrency={THREADS}",
        f"{name}.timeout=5",
    )
    given = ["annotate", str(photos), "--study", str(study), "-p", name, "-t", ",".join(TASKS)]
    given += [word for setting in settings for word in ("--set", setting)]
    given += ["--on-ambiguous", "retry" if retry else "skip"]
    return given if cap is None else [*given, "--max-cost", f"{cap / 1_000_000:.6f}"]


def photographs(folder: Path, number: int) -> Path:
    """A folder of small JPEGs, all different."""
    from PIL import Image

    folder.mkdir()
    for n in range(number):
        image = Image.linear_gradient("L").resize((96, 96)).convert("RGB")
        image.paste((n % 256, n // 256, 128), (8, 8, 40, 40 + n % 50))
        image.save(folder / f"{n:04}.jpg", "JPEG", quality=90)
    return folder
