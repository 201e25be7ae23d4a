"""What the columns of the annotation tables mean, and their units. Data only."""

from __future__ import annotations

from visionhub.store.cells import BOX, JSON, KEY, POINT, SCORE, VENDOR_ID, Meaning, TableMeaning
from visionhub.store.meanings_clouds import CLOUDS

_PARENTS = Meaning("broader terms, from the vendor's taxonomy", f"{JSON}, a list of words")
ANNOTATIONS = {
    "labels": TableMeaning(
        "One word for a whole image.",
        KEY
        | {"name": Meaning("the label, in the provider's words")}
        | SCORE
        | {
            "vendor_id": VENDOR_ID,
            "parents": _PARENTS,
            "aliases": Meaning("other words for the same", f"{JSON}, a list of words"),
            "categories": Meaning("the vendor's categories", f"{JSON}, a list of words"),
        },
    ),
    "objects": TableMeaning(
        "One thing with a box.",
        KEY
        | {"name": Meaning("what it is, in the provider's words")}
        | SCORE
        | BOX
        | {"vendor_id": VENDOR_ID, "parents": _PARENTS},
    ),
    "faces": TableMeaning(
        "One face with a box.",
        KEY
        | SCORE
        | BOX
        | {
            "roll": Meaning("tilt of the head in the plane of the picture", "degrees"),
            "yaw": Meaning("turn of the head to the side", "degrees"),
            "pitch": Meaning("nod of the head, up or down", "degrees"),
        },
    ),
    "people": TableMeaning(
        "One person with a box; the pose is in keypoints, what is worn in equipment.",
        KEY | SCORE | BOX,
    ),
    "text_lines": TableMeaning(
        "One piece of text that was read in the picture.",
        KEY
        | {
            "text": Meaning("the text as it was read"),
            "level": Meaning(
                "what it is: page (all text of the picture in one), block, paragraph, line or word"
            ),
        }
        | SCORE
        | BOX
        | {
            "polygon": Meaning(
                "outline, clockwise, as [x, y] pairs", f"{JSON}, ratios of width and height"
            ),
            "language": Meaning("language, where the provider tells", "BCP 47"),
        },
    ),
    "safe_search": TableMeaning(
        "One category of unsafe content.",
        KEY
        | {
            "category": Meaning("the category, in the provider's words"),
            "parent": Meaning("the category above it"),
            "level": Meaning("depth in the vendor's taxonomy", "1 is the top"),
        }
        | SCORE,
    ),
    "face_landmarks": TableMeaning(
        "One named point of a face; `rank` is the face's.",
        KEY | {"name": Meaning("which point: left_eye, nose… (left is the person's own)")} | POINT,
    ),
    "face_attributes": TableMeaning(
        "One property of a face, guessed from its appearance. Age, gender and emotion are "
        "sensitive: only when asked for.",
        KEY
        | {
            "item": Meaning("number of the property within its face", "1, 2, 3…"),
            "name": Meaning("which property: age, gender, emotion…"),
            "value": Meaning("the property as a word"),
            "number": Meaning("the property as a number", "years for age"),
            "low": Meaning("lower end of a range", "as `number`"),
            "high": Meaning("upper end of a range", "as `number`"),
        }
        | SCORE,
    ),
    "face_embeddings": TableMeaning(
        "One biometric template of a face. Sensitive: only when asked for.",
        KEY
        | {
            "dimensions": Meaning("length of the vector"),
            "vector": Meaning("the vector", "32-bit floats, little-endian"),
        },
    ),
    "keypoints": TableMeaning(
        "One named point of a body pose; `rank` is the person's.",
        KEY
        | {"name": Meaning("which point: left_elbow, nose… (left is the person's own)")}
        | POINT,
    ),
} | CLOUDS
