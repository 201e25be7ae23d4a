"""One vocabulary out of several: which labels of two services mean the same, and how that is known.

terms       what raters emit; `emitted` reads it out of a study
crosswalk   the table of relations between labels; a file that people read, edit and cite
propose     fills it: `identifiers` first, words second (`senses`, `same_words`), `vectors` last
codebook    the user's own constructs, which win
alignment   terms to concepts, at three levels, as arrays
accounting  what fell together, what could not be mapped, tier by tier
checks      contradictions, and what does not fit the study
"""
