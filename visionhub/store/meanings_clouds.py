"""What the columns of the tables mean that cloud services fill, and their units. Data only."""

from __future__ import annotations

from visionhub.store.cells import BOX, JSON, KEY, SCORE, VENDOR_ID, Meaning, TableMeaning

_COVERS = "1 when it covers that part of the body, 0 when not; empty when nothing was found"
CLOUDS = {
    "landmarks": TableMeaning(
        "One known place.",
        KEY
        | {"name": Meaning("the place, in the provider's words")}
        | SCORE
        | BOX
        | {
            "vendor_id": VENDOR_ID,
            "locations": Meaning(
                "where it is, as [latitude, longitude] pairs", f"{JSON}, degrees, WGS 84"
            ),
        },
    ),
    "logos": TableMeaning(
        "One brand's logo.",
        KEY
        | {"name": Meaning("the brand, in the provider's words")}
        | SCORE
        | BOX
        | {"vendor_id": VENDOR_ID},
    ),
    "colors": TableMeaning(
        "One dominant colour.",
        KEY
        | {
            "name": Meaning("the colour as #rrggbb"),
            "region": Meaning("what it is the colour of: image, foreground or background"),
            "red": Meaning("red", "0..255, sRGB"),
            "green": Meaning("green", "0..255, sRGB"),
            "blue": Meaning("blue", "0..255, sRGB"),
            "fraction": Meaning("share of the region's pixels", "0..1"),
        }
        | SCORE
        | {"group": Meaning("the provider's own word for the colour")},
    ),
    "crop_hints": TableMeaning(
        "One proposed crop.",
        KEY
        | SCORE
        | BOX
        | {"importance": Meaning("share of the picture's salience that the crop keeps", "0..1")},
    ),
    "web": TableMeaning(
        "One thing on the web that the picture was matched with.",
        KEY
        | {
            "text": Meaning("its name or title, or its address where it has neither"),
            "kind": Meaning("entity, best_guess, full_match, partial_match, similar or page"),
            "url": Meaning("its address"),
        }
        | SCORE
        | {
            "vendor_id": VENDOR_ID,
            "page": Meaning("address of the page on which a matching image stands"),
            "language": Meaning("language of the text, where the provider tells", "BCP 47"),
        },
    ),
    "celebrities": TableMeaning(
        "One face with the name that the provider gives it. Sensitive: only when asked for.",
        KEY
        | {"name": Meaning("the name; empty for a face that the provider did not know")}
        | SCORE
        | BOX
        | {
            "vendor_id": VENDOR_ID,
            "urls": Meaning("addresses about the person", f"{JSON}, a list"),
            "gender": Meaning("gender as the provider's own data have it"),
        },
    ),
    "face_matches": TableMeaning(
        "One face compared with the source picture's; the score is the similarity. Sensitive: only "
        "when asked for.",
        KEY | SCORE | BOX,
    ),
    "face_boxes": TableMeaning(
        "Another box of a face, where the provider gives two; `rank` is the face's.",
        KEY | {"name": Meaning("which box: head (the whole head; `faces` has the skin)")} | BOX,
    ),
    "equipment": TableMeaning(
        "What a person wears on one part of the body; `rank` is the person's.",
        KEY
        | {
            "item": Meaning("number of the row within its person", "1, 2, 3…"),
            "body_part": Meaning("the part of the body: FACE, HEAD, LEFT_HAND…"),
            "body_part_score": Meaning("the provider's score for the part", "as `scale` says"),
            "name": Meaning("what is worn; empty when nothing was found on the part"),
        }
        | SCORE
        | BOX
        | {
            "covers": Meaning(_COVERS, "0 or 1"),
            "covers_score": Meaning("the provider's score for that", "as `scale` says"),
        },
    ),
    "image_attributes": TableMeaning(
        "One property of the picture itself, beside what a task is about.",
        KEY
        | {
            "name": Meaning("which property: brightness, sharpness, contrast, content_type"),
            "region": Meaning("what it is a property of: image, foreground or background"),
            "value": Meaning("the property as a word"),
        }
        | SCORE,
    ),
}
