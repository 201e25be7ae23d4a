"""The questions that a comparison answers on a terminal, and which measures answer them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """A question, and the columns that answer it: (title, measure, threshold).

    levels: whether each measure has a column a level instead; then title is not used. thing: what
    it is about, empty for all together.
    """

    title: str
    columns: tuple[tuple[str, str, float | None], ...]
    levels: bool = False
    note: str = ""
    thing: str = ""


def _by_level(title: str, measure: str, at: float | None = None, note: str = "") -> Block:
    return Block(title, (("", measure, at),), True, note)


BOXES = (
    Block(
        "Are the same places found? F1 of boxes that overlap by an IoU of",
        tuple((f"{at:g} or more", "f1", at) for at in (0.3, 0.5, 0.75)),
    ),
    Block(
        "Boxes at an IoU of 0.5",
        (
            ("precision", "precision", 0.5),
            ("recall", "recall", 0.5),
            ("mean IoU", "mean_iou", 0.5),
        ),
        note="precision: the share of the first's boxes that the second has; recall: the reverse.",
    ),
    _by_level("Are boxes on one another called the same, or something broader?", "same_name", 0.5),
    Block(
        "How many things are there in an image?",
        (
            ("as many", "count_equal", None),
            ("mean |difference|", "count_mean_absolute_difference", None),
            ("ICC(A,1)", "count_icc", None),
        ),
        note="as many: the share of images.",
    ),
    Block(
        "Against what the others see together (IoU 0.5)",
        (
            ("precision", "consensus_precision", 0.5),
            ("recall", "consensus_recall", 0.5),
            ("F1", "consensus_f1", 0.5),
        ),
        note="Of two raters alone: against what both see, which flatters.",
    ),
    Block(
        "Krippendorff's alpha of boxes (IoU 0.5)",
        (("alpha", "box_alpha", 0.5),),
        note="n counts things; one that only one rater has is disagreement.",
    ),
    Block(
        "Against gold: COCO's average precision, crosswalk",
        (("AP", "coco_AP", None), ("AP50", "coco_AP50", None), ("AP75", "coco_AP75", None)),
    ),
)
BLOCKS: Mapping[str, tuple[Block, ...]] = {
    "labels": (
        _by_level(
            "How alike are the labels of an image? Mean Jaccard of all labels",
            "jaccard",
            note="0: nothing in common; 1: the same. exact: the same words; crosswalk: the same "
            "things, with what is broader; codebook: your constructs.",
        ),
        _by_level(
            "The same, of labels that both have words for",
            "jaccard_comparable",
            note="Of the images of which one of the two says any of them. The crosswalk finds more "
            "labels that can be compared, on more images, so this can be lower than exact.",
        ),
        _by_level("Beyond chance: Krippendorff's alpha of all labels (Jaccard)", "alpha_jaccard"),
    ),
    "objects": BOXES,
    "faces": BOXES,
    "text": (
        Block(
            "How much of the text is read otherwise? 0: the same text",
            (
                ("characters", "character_error_rate", None),
                ("words", "word_error_rate", None),
                ("in any order", "bag_of_words_error_rate", None),
            ),
            note="Edits over the length of the longer of two texts; capitals count.",
        ),
        Block(
            "Do both see any text at all?",
            (
                ("share of images", "percent_agreement", None),
                ("kappa", "cohen_kappa", None),
                ("where one does", "positive_agreement", None),
            ),
            thing="any text",
        ),
    ),
}
