"""Reads DetectLabels: labels, the boxes among them, and the picture's colours.

A label is a word for the whole picture. Its `Instances` are the things that it names, each with a
box: they alone are objects, and all of them are. A label without Instances is never an object.
"""

from __future__ import annotations

from collections.abc import Mapping

from visionhub.provider import Value
from visionhub.schema import Annotation, Color, ImageAttribute, Label, Object, Status
from visionhub_rekognition import offered
from visionhub_rekognition.operations import number as option
from visionhub_rekognition.reading import (
    Json,
    box,
    maybe_number,
    maybe_percent,
    maybe_text,
    names,
    number,
    part,
    parts,
    percent,
    required,
    text,
)

REGIONS = {"image": "", "foreground": "Foreground", "background": "Background"}
QUALITIES = {"brightness": "Brightness", "sharpness": "Sharpness", "contrast": "Contrast"}


def read_labels(answer: Json, options: Mapping[str, Value]) -> Annotation:
    """The labels that the request asked for."""
    found, full = _kept(answer, options)
    labels = tuple(
        Label(
            text(label, "Name"),
            percent(label),
            parents=names(label, "Parents"),
            aliases=names(label, "Aliases"),
            categories=names(label, "Categories"),
        )
        for label in found
    )
    return Annotation(_status(len(labels), full=full, options=options), labels=labels)


def read_objects(answer: Json, options: Mapping[str, Value]) -> Annotation:
    """Every instance of the labels that the request asked for."""
    found, full = _kept(answer, options)
    objects = tuple(
        Object(text(label, "Name"), percent(one), box(one), parents=names(label, "Parents"))
        for label in found
        for one in parts(label, "Instances")
    )
    return Annotation(_status(len(objects), full=full, options=options), objects=objects)


def read_colors(answer: Json, options: Mapping[str, Value]) -> Annotation:
    """Dominant colours and quality of the picture, its foreground and its background."""
    properties = part(answer, "ImageProperties")
    if not properties:
        raise ValueError("no member ImageProperties")
    most = option(options, "max_results") or offered.MAX_COLORS
    colors: list[Color] = []
    qualities: list[ImageAttribute] = []
    full = False
    for region, member in REGIONS.items():
        described = part(properties, member) if member else properties
        found = parts(described, "DominantColors")
        full = full or len(found) >= most
        colors += [_color(one, region) for one in found[: int(most)]]
        qualities += _quality(part(described, "Quality"), region)
    status = Status.TRUNCATED if full else Status.OBSERVED
    return Annotation(status, colors=tuple(colors), image_attributes=tuple(qualities))


def _kept(answer: Json, options: Mapping[str, Value]) -> tuple[list[Json], bool]:
    """The labels that this request alone would have brought, and whether that is the most.

    One call may have answered another request too, with a lower floor or a higher maximum.
    """
    least, most = option(options, "min_confidence"), option(options, "max_results")
    found = required(answer, "Labels")
    if least is not None:
        found = [label for label in found if number(label, "Confidence") >= least]
    top = int(most or offered.MAX_LABELS)
    if len(found) > top:
        order = sorted(range(len(found)), key=lambda i: -number(found[i], "Confidence"))
        found = [found[i] for i in sorted(order[:top])]
    return found, len(found) >= top


def _status(count: int, *, full: bool, options: Mapping[str, Value]) -> Status:
    if full:  # objects: labels that were left out may have had boxes
        return Status.TRUNCATED
    return Status.OBSERVED if count else nothing(options, offered.LABELS_FLOOR)


def nothing(options: Mapping[str, Value], default: float) -> Status:
    """What an empty answer says: censored where a floor held, and an observation elsewhere.

    default: the floor, in percent, that holds where none was sent, or none is known to have been.
    """
    floor = option(options, "min_confidence")
    return Status.BELOW_FLOOR if (default if floor is None else floor) else Status.OBSERVED


def _color(one: Json, region: str) -> Color:
    share = maybe_number(one, "PixelPercent")
    return Color(
        number(one, "Red"),
        number(one, "Green"),
        number(one, "Blue"),
        fraction=None if share is None else share / 100,
        region=region,
        group=maybe_text(one, "SimplifiedColor"),
    )


def _quality(quality: Json, region: str) -> list[ImageAttribute]:
    scores = {name: maybe_percent(quality, member) for name, member in QUALITIES.items()}
    return [
        ImageAttribute(name, score, region=region)
        for name, score in scores.items()
        if score is not None
    ]
