"""What a page calls tasks, levels and measures, and what each measure means, for any reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from visionhub.analysis.measured import Measured
from visionhub.analysis.methods import title_of
from visionhub.analysis.scored import LIKELIHOODS
from visionhub.report.compared import HIDDEN

TITLES = {
    "labels": "Labels",
    "objects": "Objects",
    "faces": "Faces",
    "text": "Text",
    "safe_search": "Unsafe content",
    "ratings": "Ratings",
}
LEVELS = {
    "exact": "exact: the same words",
    "crosswalk": "crosswalk: the same things",
    "codebook": "codebook: your constructs",
}
LESS = (  # measures of which less is more agreement
    "character_error_rate",
    "word_error_rate",
    "bag_of_words_error_rate",
    "count_mean_absolute_difference",
)
# Measures that are not the same from both sides, with the one of the other side.
MIRROR = {
    "shared_of_a": "shared_of_b",
    "shared_of_a_comparable": "shared_of_b_comparable",
    "precision": "recall",
    "character_error_rate_of_a_as_reference": "character_error_rate_of_b_as_reference",
    "word_error_rate_of_a_as_reference": "word_error_rate_of_b_as_reference",
}
FIRST = (  # the order in which measures are offered; others follow as they come
    "jaccard_comparable", "jaccard", "alpha_jaccard", "alpha_jaccard_comparable", "masi",
    "masi_comparable", "alpha_masi", "alpha_masi_comparable", "shared_of_a",
    "shared_of_a_comparable", "rbo", "f1", "mean_iou", "precision", "panoptic_quality", "same_name",
    "count_icc", "count_equal", "count_mean_absolute_difference", "box_alpha",
    "character_error_rate", "word_error_rate", "bag_of_words_error_rate", "cohen_kappa",
    "gwet_ac1", "pabak", "positive_agreement", "negative_agreement", "percent_agreement",
    "alpha_nominal", "fleiss_kappa",
)  # fmt: skip
NAMES = {
    "cohen_kappa": "Cohen\u2019s kappa",
    "gwet_ac1": "Gwet\u2019s AC1",
    "fleiss_kappa": "Fleiss\u2019 kappa",
    "spearman": "Spearman\u2019s rank correlation",
    "kendall_tau_b": "Kendall\u2019s tau-b",
    "auc": "AUC",
    "weighted_kappa_linear": "weighted kappa, linear",
    "weighted_kappa_quadratic": "weighted kappa, quadratic",
    "weighted_kappa_after_monotone_fit": "weighted kappa after a monotone fit",
    "alpha_ordinal": "Krippendorff\u2019s alpha, ordinal",
    "alpha_interval": "Krippendorff\u2019s alpha, interval",
    "icc_agreement": "ICC(A,1)",
    "lin_ccc": "Lin\u2019s concordance",
    "mean_absolute_difference_degrees": "mean |difference|, degrees",
    "mean_absolute_difference_years": "mean |difference|, years",
    "ranges_overlap": "share of faces whose ranges meet",
    "middle_of_b_in_range_of_a": "share with the second\u2019s middle in the first\u2019s range",
    "middle_of_a_in_range_of_b": "share with the first\u2019s middle in the second\u2019s range",
    "mean_difference_years": "mean difference, years",
    "consensus_precision": "share of its boxes that the others see",
    "consensus_recall": "share of what the others see that it has",
    "consensus_f1": "F1",
    "consensus_mean_iou": "mean IoU",
    "consensus_panoptic_quality": "panoptic quality",
    "precision": "share of the first\u2019s boxes that the second has",
    "recall": "share of the second\u2019s boxes that the first has",
    "alpha_nominal": "Krippendorff\u2019s alpha",
    "box_alpha": "alpha of boxes",
    "coco_AP": "AP (COCO)",
    "coco_AP50": "AP at IoU .5",
    "coco_AP75": "AP at IoU .75",
    "coco_AR100": "AR, 100 boxes",
}
ACROSS = {  # what measures that have a mirror are called in a matrix, and what they mean there
    "shared_of_a": (
        "share of the row\u2019s labels that the column has",
        "Read along a row: of its labels, how many the rater of the column has too.",
    ),
    "shared_of_a_comparable": (
        "share of the row\u2019s comparable labels that the column has",
        "Read along a row: of its labels that both have a word for, how many the column has too.",
    ),
    "precision": (
        "share of the row\u2019s boxes that the column has",
        "Read along a row: of its boxes, how many the rater of the column has too.",
    ),
    "character_error_rate_of_a_as_reference": (
        "character error rate, the row as reference",
        "As if the rater of the row had read it right.",
    ),
    "word_error_rate_of_a_as_reference": (
        "word error rate, the row as reference",
        "As if the rater of the row had read it right.",
    ),
}
_SETS = "Of all that either says about a photograph, the share that both say: the mean of these."
_ALPHA = "Agreement beyond chance: 1 is perfect, 0 is what chance would give, below 0 is worse."
_COMPARABLE = " Only of what both have a word for, where one of them says any of it."
MEANING = {
    "jaccard": f"{_SETS} A word that the other has no word for counts as a difference.",
    "jaccard_comparable": _SETS + _COMPARABLE,
    "masi": "As Jaccard, but sets of which one holds the other count more than sets that overlap.",
    "masi_comparable": f"As MASI.{_COMPARABLE}",
    "alpha_jaccard": f"Krippendorff\u2019s alpha of sets of labels. {_ALPHA}",
    "alpha_jaccard_comparable": f"Krippendorff\u2019s alpha of sets. {_ALPHA}{_COMPARABLE}",
    "alpha_masi": f"Krippendorff\u2019s alpha with the distance MASI. {_ALPHA}",
    "alpha_masi_comparable": f"Krippendorff\u2019s alpha with MASI. {_ALPHA}{_COMPARABLE}",
    "rbo": "How far two ranked lists agree (rank-biased overlap); the first places weigh most.",
    "f1": "Of both raters\u2019 boxes, the share with a partner that overlaps it so far (IoU).",
    "mean_iou": "How far matched boxes cover one another: area in common by area of both.",
    "panoptic_quality": "F1 times the mean IoU of matched boxes.",
    "same_name": "Of boxes that lie on one another, the share whose names mean the same.",
    "count_icc": "Whether both count as many in each photograph: ICC(A,1), 1 is perfect.",
    "count_equal": "The share of photographs in which both count exactly as many.",
    "count_mean_absolute_difference": "By how many the two counts differ on average.",
    "box_alpha": f"Krippendorff\u2019s alpha of boxes. {_ALPHA}",
    "character_error_rate": "Characters to change to make one text the other, by the length of the "
    "longer: 0 is the same text.",
    "word_error_rate": "Words to change to make one text the other: 0 is the same text.",
    "bag_of_words_error_rate": "Words that one has and the other has not, whatever their order.",
    "spearman": "Whether both put photographs in the same order, -1 to 1; only ranks count.",
    "kendall_tau_b": "As Spearman\u2019s, from pairs of photographs: how often both agree on the "
    "order.",
    "weighted_kappa_after_monotone_fit": "Words beside numbers: the numbers are cut where they fit "
    "the words best on other photographs, and then compared.",
    "auc": "How well the numbers of one tell apart what the words of the other tell apart: .5 is "
    "chance.",
    "cohen_kappa": "Agreement beyond what both would reach by chance with the prevalences that "
    "they have: low where a thing is rare or everywhere, whatever they agree on.",
    "gwet_ac1": "Agreement beyond chance that is not pulled down where a thing is rare.",
    "pabak": "Agreement beyond chance as if yes and no were equally frequent: twice the share of "
    "equal answers, less 1.",
    "positive_agreement": "When one says it, how often the other does.",
    "negative_agreement": "When one does not say it, how often the other does not either.",
    "percent_agreement": "The share of photographs (or faces) on which both say the same.",
    "alpha_nominal": _ALPHA,
    "fleiss_kappa": _ALPHA,
}
CUT = "number of the word from which on it counts as yes"


def name_of(measure: str) -> str:
    """A measure's name on the page."""
    return NAMES.get(measure, title_of(measure))


def ordered(measures: Iterable[str]) -> list[str]:
    """Measures that are offered, each once, the best known ones first."""
    there = [one for one in dict.fromkeys(measures) if one not in HIDDEN]
    known: Mapping[str, int] = {name: place for place, name in enumerate(FIRST)}
    return sorted(there, key=lambda one: known.get(one, len(FIRST)))


def at_words(row: Measured) -> str:
    """The threshold that a row holds at; empty without one."""
    if row.at is None:
        return ""
    if row.at_what == CUT:
        return f"{LIKELIHOODS[int(row.at)].replace('_', ' ').lower()} or more"
    return f"{row.at_what} {row.at:g}"


def facet(row: Measured) -> str:
    """What tells rows of one measure and one pair apart: level, thing, threshold."""
    parts: Sequence[str] = (LEVELS.get(row.level, row.level), row.thing, at_words(row))
    return ", ".join(part for part in parts if part)
