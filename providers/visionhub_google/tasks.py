"""What Google Cloud Vision offers: tasks, their parameters, features, and its limits in figures.

Sources: the model of google-cloud-vision 3.16.0; Google's pages on features, quotas and limits and
its release notes, as read in 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from visionhub.provider import Parameter, TaskSpec, Value, Withdrawal
from visionhub.schema import Scale, Task

OPERATION = "BatchAnnotateImages"
IMAGES_PER_CALL = 16  # the vendor's limit, which its client does not check
CALL_BYTES = 7_000_000
"""Image bytes in one call: a JSON request may have 10 MB, and base64 makes 4 bytes out of 3; the
rest is left for the envelope. Google states no other limit for gRPC, so it holds for both."""
PER_SECOND = 30.0  # 1,800 calls, 1,800 images with labels and 1,800 with text a minute
MOST_RATIOS = 16  # aspect ratios in one request for crop hints

FEATURES: Mapping[Task, str] = MappingProxyType(
    {
        Task.LABELS: "LABEL_DETECTION",
        Task.OBJECTS: "OBJECT_LOCALIZATION",
        Task.FACES: "FACE_DETECTION",
        Task.TEXT: "TEXT_DETECTION",
        Task.SAFE_SEARCH: "SAFE_SEARCH_DETECTION",
        Task.LANDMARKS: "LANDMARK_DETECTION",
        Task.LOGOS: "LOGO_DETECTION",
        Task.COLORS: "IMAGE_PROPERTIES",
        Task.CROP_HINTS: "CROP_HINTS",
        Task.WEB: "WEB_DETECTION",
    }
)
"""The feature that answers a task; its name is also the price line (`TaskSpec.sku`)."""

METERED = ("LABEL_DETECTION", "TEXT_DETECTION")  # features with a quota of their own

EMOTION = "emotion"
WITHDRAWN = (
    Withdrawal(EMOTION, date(2026, 10, 15), "new projects and those without recent use"),
    Withdrawal(EMOTION, date(2027, 1, 14)),
)

MODELS = ("builtin/stable", "builtin/latest", "builtin/legacy")
MODEL = Parameter(
    MODELS[0], "which of the vendor's models answers; legacy exists around changes only", MODELS
)
TEXT_MODEL = Parameter(MODEL.default, MODEL.help, (*MODELS, "builtin/weekly"))
MAX_RESULTS = Parameter(50, "most results in one answer (the vendor's own default is 10)")
KIND = Parameter("text", "text: words in a photograph; document: dense pages", ("text", "document"))
HINTS = Parameter([], "languages to expect (BCP 47), such as en,zh-Hant; empty lets it decide")
CONFIDENCE = Parameter(True, "also ask for confidence scores of words")
RATIOS = Parameter([], f"width/height of the wanted crops, such as 1,1.78; at most {MOST_RATIOS}")


def _spec(task: Task, scale: Scale, own: Mapping[str, Parameter], vocabulary: str = "") -> TaskSpec:
    return TaskSpec(
        scale,
        vocabulary=vocabulary,
        parameters=MappingProxyType({"model": MODEL, **own}),
        sensitive=(EMOTION,) if task is Task.FACES else (),
        sku=FEATURES[task],
        withdrawn=WITHDRAWN if task is Task.FACES else (),
    )


_MOST = {"max_results": MAX_RESULTS}
_TEXT = {"model": TEXT_MODEL, "kind": KIND, "language_hints": HINTS, "confidence": CONFIDENCE}
_SPECS: tuple[tuple[Task, Scale, Mapping[str, Parameter], str], ...] = (
    (Task.LABELS, Scale.PROBABILITY, _MOST, "google labels"),
    (Task.OBJECTS, Scale.PROBABILITY, _MOST, "google objects"),
    (Task.FACES, Scale.PROBABILITY, _MOST, ""),
    (Task.TEXT, Scale.PROBABILITY, _TEXT, ""),
    (Task.SAFE_SEARCH, Scale.LIKELIHOOD, {}, "google safe search"),
    (Task.LANDMARKS, Scale.PROBABILITY, _MOST, "google landmarks"),
    (Task.LOGOS, Scale.PROBABILITY, _MOST, "google logos"),
    (Task.COLORS, Scale.UNCALIBRATED, {}, ""),
    (Task.CROP_HINTS, Scale.PROBABILITY, {"aspect_ratios": RATIOS}, ""),
    (Task.WEB, Scale.UNCALIBRATED, _MOST, "google web entities"),
)
TASKS: Mapping[Task, TaskSpec] = MappingProxyType({row[0]: _spec(*row) for row in _SPECS})

SETTINGS: Mapping[str, Parameter] = MappingProxyType(
    {
        "transport": Parameter("grpc", "how it is called", ("grpc", "rest")),
        "batch": Parameter(IMAGES_PER_CALL, f"images in one call, 1 to {IMAGES_PER_CALL}"),
        "call_bytes": Parameter(CALL_BYTES, "image bytes in one call"),
        "concurrency": Parameter(16, "calls in flight at once"),
        "timeout": Parameter(60.0, "seconds after which a call is given up"),
        "rate_calls": Parameter(0.0, f"calls a second; 0 is the vendor's {PER_SECOND:g}"),
        "rate_units": Parameter(
            0.0, f"images a second with labels, and with text; 0 is the vendor's {PER_SECOND:g}"
        ),
        "endpoint": Parameter("", "another host, such as eu-vision.googleapis.com"),
        "sandbox": Parameter("", "host:port of a rehearsal server instead of the service"),
    }
)


def feature_of(task: Task, options: Mapping[str, Value]) -> str:
    """The feature that one request asks for; of text, the one for its `kind`."""
    dense = task is Task.TEXT and options.get("kind") == "document"
    return "DOCUMENT_TEXT_DETECTION" if dense else FEATURES[task]
