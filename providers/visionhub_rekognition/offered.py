"""What Rekognition offers: its tasks with their parameters, and the settings of how it is reached.

Defaults and ranges are those of the SDK's own model unless a comment says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

from visionhub.errors import UsageError
from visionhub.provider import Parameter, TaskSpec, Value
from visionhub.schema import Scale, Task
from visionhub_rekognition.operations import GUESSES, number

LABELS_FLOOR, MODERATION_FLOOR = 55.0, 50.0  # percent; AWS's own where none is sent
MAX_LABELS, MAX_COLORS = 1000, 20
WORDS, FACES, PERSONS, CELEBRITIES = 100, 100, 15, 64  # the most in one answer

_LABEL_PARAMETERS = {
    "min_confidence": Parameter(
        LABELS_FLOOR,
        "percent that a label must reach to be reported, 0 to 100 (AWS's own default: 55)",
    ),
    "max_results": Parameter(
        MAX_LABELS, f"the most labels in one answer, the surest first, 1 to {MAX_LABELS}"
    ),
}
TASKS: Mapping[Task, TaskSpec] = {
    Task.LABELS: TaskSpec(
        Scale.PERCENT,
        vocabulary="rekognition-labels",
        floor=LABELS_FLOOR,
        max_results=MAX_LABELS,
        parameters=_LABEL_PARAMETERS,
        sku="DetectLabels",
    ),
    # The floor is the label's: a label that is left out takes its boxes along. The boxes of a label
    # that is reported are all kept, whatever their own confidence.
    Task.OBJECTS: TaskSpec(
        Scale.PERCENT,
        vocabulary="rekognition-labels",
        floor=LABELS_FLOOR,
        parameters=_LABEL_PARAMETERS,
        sku="DetectLabels",
    ),
    Task.FACES: TaskSpec(
        Scale.PERCENT,
        max_results=FACES,
        parameters={
            "attributes": Parameter([], f"sensitive, comma-separated: {', '.join(GUESSES)}")
        },
        sensitive=tuple(GUESSES),
        sku="DetectFaces",
    ),
    # AWS documents 80 for a filter without a figure, and shows answers of 59 without a filter:
    # 0 is sent, so that no word is lost that was paid for.
    Task.TEXT: TaskSpec(
        Scale.PERCENT,
        max_results=WORDS,
        parameters={
            "min_confidence": Parameter(
                0.0, "percent that a word must reach to be reported, 0 to 100; 0 leaves out none"
            )
        },
        sku="DetectText",
    ),
    Task.SAFE_SEARCH: TaskSpec(
        Scale.PERCENT,
        vocabulary="rekognition-moderation",
        floor=MODERATION_FLOOR,
        parameters={
            "min_confidence": Parameter(
                MODERATION_FLOOR,
                "percent that a category must reach to be reported, 0 to 100 (AWS's own default: "
                "50)",
            )
        },
        sku="DetectModerationLabels",
    ),
    Task.COLORS: TaskSpec(
        Scale.PERCENT,
        parameters={
            "max_results": Parameter(
                MAX_COLORS,
                f"the most colours of the picture, and of its foreground and background, 1 to "
                f"{MAX_COLORS} (AWS's own default: 10)",
            )
        },
        sku="IMAGE_PROPERTIES",
    ),
    Task.PEOPLE: TaskSpec(
        Scale.PERCENT,
        vocabulary="rekognition-protective-equipment",
        max_results=PERSONS,
        sku="DetectProtectiveEquipment",
    ),
    Task.CELEBRITIES: TaskSpec(
        Scale.PERCENT,
        vocabulary="rekognition-celebrities",
        max_results=CELEBRITIES,
        sku="RecognizeCelebrities",
        gated=True,
    ),
    Task.FACE_MATCHES: TaskSpec(
        Scale.PERCENT,
        max_results=FACES,
        parameters={
            "source": Parameter("", "path of the picture with the face to look for (required)"),
            "min_similarity": Parameter(
                80.0,
                "percent of similarity from which a face is a match, 0 to 100 (AWS's own default: "
                "80)",
            ),
            "quality_filter": Parameter(
                "NONE",
                "which faces of poor quality are left out",
                ("NONE", "AUTO", "LOW", "MEDIUM", "HIGH"),
            ),
        },
        sku="CompareFaces",
        gated=True,
    ),
}

SETTINGS: Mapping[str, Parameter] = {
    "region": Parameter(
        "", "AWS region, such as us-east-1; empty: AWS_REGION, AWS_DEFAULT_REGION or the profile"
    ),
    "profile": Parameter("", "profile of ~/.aws/config; empty: AWS_PROFILE or the default one"),
    "instance_role": Parameter(
        False, "ask the machine for credentials (yes on EC2 with an instance role)"
    ),
    "endpoint": Parameter("", "another address of the service, such as that of a VPC endpoint"),
    "sandbox": Parameter("", "address of a rehearsal server, host:port, that answers instead"),
    "concurrency": Parameter(16, "calls in flight at once, and connections kept open"),
    "timeout": Parameter(60.0, "seconds to wait for a connection, and then for an answer"),
    "rate": Parameter(
        0.0,
        "calls a second, for each operation; 0: 50 in us-east-1 and us-west-2, 5 elsewhere "
        "(unverified: your account's quotas are in the AWS console)",
    ),
}

_RANGES = {"min_confidence": (0, 100), "min_similarity": (0, 100), "max_results": (1, MAX_LABELS)}


def check(task: Task, options: Mapping[str, Value]) -> None:
    """Raise UsageError for a parameter outside the range that the service takes."""
    for name, (least, most) in _RANGES.items():
        top = MAX_COLORS if (task, name) == (Task.COLORS, "max_results") else most
        value = number(options, name)
        if value is not None and not least <= value <= top:
            raise UsageError(f"--param {task}.{name}={value:g}: give {least} to {top}.")
    words = options.get("attributes", [])
    strange = sorted(set(words) - set(GUESSES)) if isinstance(words, list) else [str(words)]
    if strange:
        raise UsageError(
            f"--param {task}.attributes={strange[0]}: choose from {', '.join(GUESSES)}."
        )
