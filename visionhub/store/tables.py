"""What every column of a study means, and its unit. Data only; `docs/study.md` is made from it."""

from __future__ import annotations

from visionhub.store.cells import HASH, JSON, UTC, Meaning, TableMeaning
from visionhub.store.meanings import ANNOTATIONS
from visionhub.store.meanings_ledger import LEDGER, V_LEDGER

_VIEW = {
    "path": Meaning(
        "the first path under which the image was met, from the study's folder; empty when its "
        "file changed"
    ),
    "image": Meaning("identity of the image (images.sha256)", HASH),
    "provider": Meaning("who answered"),
    "revision": Meaning("API version or hash of the weights that answered"),
}

_IMAGES = {
    "images": TableMeaning(
        "One image, by the bytes of its file. What the file says is empty until it was decoded.",
        {
            "id": Meaning("number of the image in this study"),
            "sha256": Meaning("identity: the hash of the file's bytes", HASH),
            "bytes": Meaning("size of the file", "bytes"),
            "format": Meaning("file format, found from its content: JPEG, PNG, TIFF…"),
            "mode": Meaning("how the file holds colour, in Pillow's words: RGB, CMYK, I;16…"),
            "width": Meaning("width of the upright picture", "pixels"),
            "height": Meaning("height of the upright picture", "pixels"),
            "frames": Meaning("frames or pages; only the first is annotated"),
            "orientation": Meaning("how the camera was held, from EXIF; 1 is upright", "1..8"),
            "taken_at": Meaning(
                "when the photograph was taken, by the camera's clock (EXIF)",
                "local time, YYYY-MM-DDThh:mm:ss",
            ),
            "utc_offset": Meaning("offset of that clock from UTC, where EXIF tells", "±hh:mm"),
            "latitude": Meaning("where it was taken (EXIF), north positive", "degrees, WGS 84"),
            "longitude": Meaning("where it was taken (EXIF), east positive", "degrees, WGS 84"),
            "altitude": Meaning("height above sea level (EXIF)", "metres"),
            "make": Meaning("maker of the camera (EXIF)"),
            "model": Meaning("model of the camera (EXIF)"),
            "problem": Meaning("why the image cannot be decoded, as one word; empty when it can"),
            "problem_detail": Meaning("the decoder's own words about that"),
            "decoder": Meaning("what decoded it; an unreadable image is tried again on a change"),
            "added_at": Meaning("when the study first met the image", UTC),
        },
    ),
    "paths": TableMeaning(
        "One path that was looked at. Several may hold one image.",
        {
            "id": Meaning("number of the path"),
            "path": Meaning(
                "the path, from the folder that the study lies in; bytes that are no UTF-8 as \\xNN"
            ),
            "path_bytes": Meaning("the exact path where it is no UTF-8, else empty", "bytes"),
            "given": Meaning(
                "the cell of the table that named the file, as it stands there; else empty"
            ),
            "image_id": Meaning("what it held when last read (images.id)"),
            "problem": Meaning("why the file could not be read; empty when it could"),
            "seen_at": Meaning("when that was noted; an unchanged path keeps its time", UTC),
        },
    ),
    "renderings": TableMeaning(
        "One picture as it was sent: upright, sRGB, without alpha, within the providers' limits.",
        {
            "id": Meaning("number of the rendering"),
            "image_id": Meaning("what it renders (images.id)"),
            "limits": Meaning("the limits that it keeps: media types, bytes, longest side"),
            "sha256": Meaning("hash of the bytes that were sent", HASH),
            "media_type": Meaning("image/jpeg or image/png"),
            "bytes": Meaning("size of what was sent", "bytes"),
            "width": Meaning("width of what was sent", "pixels"),
            "height": Meaning("height of what was sent", "pixels"),
            "transform": Meaning(
                "what was done to the file, in order; an empty list when it was sent untouched",
                f"{JSON}, a list of steps",
            ),
        },
    ),
}

_REQUESTS = {
    "marks": TableMeaning(
        "What is true of the whole study: `rehearsal` when a stand-in answered for a service.",
        {
            "name": Meaning("what is marked"),
            "value": Meaning("its value"),
        },
    ),
    "runs": TableMeaning(
        "One run of `visionhub annotate`.",
        {
            "id": Meaning("number of the run"),
            "started_at": Meaning("when it began", UTC),
            "finished_at": Meaning("when it ended; empty when it was cut off", UTC),
            "version": Meaning("version of visionhub"),
            "platform": Meaning("operating system and processor"),
            "asked": Meaning("sources and questions, as given", JSON),
            "summary": Meaning("counts at its end", JSON),
        },
    ),
    "questions": TableMeaning(
        "What one provider is asked about images: a changed parameter or revision is another one.",
        {
            "id": Meaning("number of the question"),
            "provider": Meaning("who is asked"),
            "task": Meaning("what is asked: labels, objects, faces, people, text, safe_search…"),
            "revision": Meaning("API version or hash of the weights that answer"),
            "parameters": Meaning("all parameters, defaults included", JSON),
            "scale": Meaning("scale of the scores: see `labels.scale`"),
            "vocabulary": Meaning("name of the closed label set, or of the vendor's open one"),
            "floor": Meaning(
                "lowest score that is reported: what is absent below it is censored, not 'no'",
                "as `scale` says",
            ),
            "max_results": Meaning("most results in one answer; empty for no limit"),
        },
    ),
    "canary_images": TableMeaning(
        "The photographs that a provider is asked about again and again, to see whether its "
        "answers change: chosen once, in the order of their hashes.",
        {
            "provider": Meaning("who is asked again"),
            "image_id": Meaning("the image (images.id)"),
            "chosen_at": Meaning("when the set was chosen", UTC),
        },
    ),
    "canaries": TableMeaning(
        "Questions that were asked again about the canary images. Their answers are never current.",
        {
            "question_id": Meaning("the question as it was asked then (questions.id)"),
            "asked_at": Meaning("when that began; it stands in questions.revision, too", UTC),
            "revision": Meaning("API version or hash of the weights, without that moment"),
            "finished_at": Meaning(
                "when all of it was asked; empty when it was cut off, and goes on within a day", UTC
            ),
        },
    ),
    "bodies": TableMeaning(
        "One answer exactly as it was received. Every annotation can be rebuilt from it.",
        {
            "id": Meaning("number of the body"),
            "sha256": Meaning("hash of the body before compression", HASH),
            "bytes": Meaning("size before compression", "bytes"),
            "encoding": Meaning("how `data` is compressed: zstd"),
            "media_type": Meaning("media type of the body"),
            "model_version": Meaning(
                "model version as the provider reported it; 'not reported' when it never tells"
            ),
            "received_at": Meaning("when it came", UTC),
            "data": Meaning("the body", "bytes, compressed"),
            "client": Meaning("the SDK that received it, with its version"),
        },
    ),
    "requests": TableMeaning(
        "One question about one rendering, and how it ended. Older answers stay.",
        {
            "id": Meaning("number of the request"),
            "image_id": Meaning("the image (images.id)"),
            "rendering_id": Meaning("what was sent (renderings.id)"),
            "question_id": Meaning("what was asked (questions.id)"),
            "run_id": Meaning("the run that asked last (runs.id)"),
            "status": Meaning("how it ended: see `status.status`"),
            "reason": Meaning("why, in words; empty when nothing needs explaining"),
            "results": Meaning("how many things were reported"),
            "body_id": Meaning("the answer (bodies.id); empty when none came"),
            "unknown": Meaning(
                "members of the body that the parser does not know", f"{JSON}, a list of paths"
            ),
        },
    ),
    "status": TableMeaning(
        "Where one (image, provider, task) stands now: the reason why it has, or has not, rows.",
        {
            "image_id": Meaning("the image (images.id)"),
            "provider": Meaning("who was asked"),
            "task": Meaning("what was asked"),
            "status": Meaning(
                "observed (answered in full: no row means that it looked and found none), "
                "below_floor (nothing reached the floor: censored), truncated (the most results "
                "were reached), unsupported (not offered), withdrawn (no longer offered), refused "
                "(the provider does not take this image), error (no answer), not_requested (never "
                "asked about this image: in `v_status` and in exports, where no row of `status` "
                "is). Two thresholds divide observed from below_floor: a local detector keeps "
                "candidates down to a lower one than the floor in its raw answer (faces .3, people "
                ".1, objects .01, text any). Not even a candidate: observed with no row. "
                "Candidates, but none at the floor: below_floor"
            ),
            "reason": Meaning("why, in words; empty when nothing needs explaining"),
            "results": Meaning("how many things were reported"),
            "request_id": Meaning("the current answer (requests.id); empty when none was sent"),
        },
    ),
}

TABLES: dict[str, TableMeaning] = _IMAGES | _REQUESTS | ANNOTATIONS | LEDGER
"""Meanings by table and column."""

VIEWS: dict[str, TableMeaning] = {
    f"v_{name}": TableMeaning(
        f"`{name}` with path and provider, each provider's current answer only.",
        _VIEW | ANNOTATIONS[name].columns,
    )
    for name in ANNOTATIONS
} | {
    "v_status": TableMeaning(
        "`status` for every image and everything that was ever asked in this study; what was not "
        "asked about an image is `not_requested`.",
        {name: _VIEW[name] for name in ("path", "image")}
        | {
            name: _REQUESTS["status"].columns[name]
            for name in ("provider", "task", "status", "reason", "results")
        },
    ),
    "v_ledger": V_LEDGER,
}
"""Meanings by view and column."""
