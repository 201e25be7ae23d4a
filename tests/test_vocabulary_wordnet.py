"""WordNet's nouns in the package: made from Princeton's files, and what a label's words mean."""

from __future__ import annotations

import csv
import os
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from visionhub_embedded.imagenet import SYNSETS
from visionhub_embedded.objects import CATEGORIES

from visionhub.analysis.vocabulary.anchors import Anchors
from visionhub.analysis.vocabulary.meaning import choose
from visionhub.analysis.vocabulary.wordnet import FILE, WordNet, synset_of
from visionhub.analysis.vocabulary.wordnet_build import built, compressed
from visionhub.analysis.vocabulary.words import aside, key, readings, stem

DATA = files("visionhub.analysis.vocabulary") / "data"
SOURCE = Path(os.environ.get("VISIONHUB_WORDNET", "/usr/share/wordnet"))


@pytest.fixture(scope="module")
def wordnet() -> WordNet:
    return WordNet.packaged()


@pytest.fixture(scope="module")
def anchors() -> Anchors:
    return Anchors.packaged()


@pytest.fixture(scope="module")
def anchored() -> list[dict[str, str]]:
    return list(csv.DictReader((DATA / "anchors.csv").read_text("utf-8").splitlines()))


def test_the_file_is_made_of_princetons_again() -> None:
    if not (SOURCE / "data.noun").is_file():
        pytest.skip(f"no {SOURCE} (Debian: wordnet-base; or set VISIONHUB_WORDNET): not rebuilt")
    import zstandard

    packaged, text = (DATA / FILE).read_bytes(), built(SOURCE)
    assert zstandard.ZstdDecompressor().decompress(packaged).decode() == text
    assert len(compressed(text)) == pytest.approx(len(packaged), rel=0.01)  # equal with one libzstd


def test_the_licence_lies_beside_it() -> None:
    text = (DATA / "LICENSE.wordnet").read_text("utf-8")
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in text
    assert 'PROVIDED "AS IS"' in text
    assert len((DATA / FILE).read_bytes()) < 2_000_000


def test_the_builder_reads_wordnets_format(tmp_path: Path) -> None:
    """Two words of a synset, an instance, a pointer that is no hypernym, the licence."""
    (tmp_path / "data.noun").write_text(
        "  1 a licence | with a bar\n"
        "00000010 03 n 01 entity 0 001 ~ 00000200 n 0000 | what is | or not\n"
        "00000200 05 n 02 dog 0 domestic_dog 1 002 @ 00000010 n 0000 ! 00000300 a 0101 | barks\n"
        "00000300 05 n 01 Fido 0 001 @i 00000200 n 0000 | a dog\n"
    )
    (tmp_path / "index.noun").write_text(
        "  1 a licence\n"
        "dog n 2 2 @ ~ 2 1 00000300 00000200\n"
        "fido n 1 1 @ 1 0 00000300\n"
    )  # fmt: skip
    (tmp_path / "noun.exc").write_text("dogges dog\n")
    found = WordNet(built(tmp_path))
    assert found.senses("dogges") == ("n00000200", "n00000300")  # the single one last
    assert found.words("n00000200") == ("dog", "domestic dog")
    assert found.parents("n00000300") == ("n00000200",)
    assert found.is_single("n00000300")
    assert found.ancestors(["n00000300"]) == {"n00000010", "n00000200", "n00000300"}
    assert found.label("n00000200") == "n00000200 dog"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Hors d'oeuvre", "hors d'oeuvre"),
        ("hors d oeuvre", "hors d'oeuvre"),
        ("hors-d'œuvre".replace("œ", "oe"), "hors d'oeuvre"),
        ("Train Stations", "railway station"),
        ("Policemen", "policeman"),
        ("wine glass", "wineglass"),
        ("Skis", "ski"),
        ("St. Bernard", "Saint Bernard"),
        ("Buses", "bus"),
        ("Toaster", "toaster"),
    ],
)
def test_a_word_is_found_whatever_its_case_marks_and_number(
    label: str, name: str, wordnet: WordNet
) -> None:
    assert wordnet.name(wordnet.senses(key(label))[0]) == name


def test_what_can_be_seen_comes_first_where_frequencies_are_unknown(wordnet: WordNet) -> None:
    """WordNet's first toaster proposes a toast, its first crane wrote novels."""
    assert "appliance" in wordnet.name(wordnet.parents(wordnet.senses("toaster")[0])[0])
    cranes = wordnet.senses("crane")
    assert [wordnet.is_single(one) for one in cranes] == [False, False, True, True, True]
    assert wordnet.senses("dog")[0] == "n02084071"  # here they are known


def test_no_word_no_sense(wordnet: WordNet) -> None:
    assert wordnet.senses("selfie") == ()
    assert wordnet.senses("") == ()
    assert "n99999999" not in wordnet
    assert synset_of("no synset") is None


def test_everything_is_an_entity(wordnet: WordNet) -> None:
    for synset in SYNSETS:
        assert "n00001740" in wordnet.ancestors([synset])
    collie = wordnet.ancestors(["n02106030"])
    assert {"n02084071", "n01861778", "n00015388"} < collie  # a dog, a mammal, an animal


def test_every_anchor_is_a_synset(anchored: list[dict[str, str]], wordnet: WordNet) -> None:
    for row in anchored:
        synsets = row["synset"].split(" ")
        assert all(synset in wordnet for synset in synsets), row
        assert row["words"] == "; ".join(map(wordnet.name, synsets)), row
        assert row["relation"] in ("exact", "narrower")


def test_cocos_and_imagenets_classes_are_all_there(anchored: list[dict[str, str]]) -> None:
    coco = [row for row in anchored if row["vocabulary"] == "coco-80"]
    assert [int(row["number"]) for row in coco] == list(CATEGORIES)
    assert all(row["mid"].startswith("/m/") for row in coco)
    imagenet = [row["synset"] for row in anchored if row["vocabulary"] == "imagenet-1k"]
    assert tuple(imagenet) == SYNSETS
    mids = [row["mid"] for row in anchored if row["vocabulary"] == "open-images"]
    assert len(mids) == len(set(mids)) == 591


def test_equal_mids_of_coco_and_open_images_do_not_contradict(
    anchored: list[dict[str, str]], wordnet: WordNet
) -> None:
    """Where COCO's class has the mid of something broader, it is below it, and never beside it."""
    open_images = {r["mid"]: r for r in anchored if r["vocabulary"] == "open-images"}
    for row in (r for r in anchored if r["vocabulary"] == "coco-80" and r["mid"] in open_images):
        other = open_images[row["mid"]]["synset"].split(" ")
        assert set(other) & wordnet.ancestors(row["synset"].split(" ")), row


@pytest.mark.parametrize(
    ("words", "parents", "meant"),
    [
        (["mouse"], [], "n02330245"),  # a rodent
        (["mouse"], ["computer_hardware", "electronics"], "n03793489"),
        (["bike"], [], "n02834778"),  # to WordNet a motorcycle first
        (["cricket"], [], "n00476389"),
        (["cricket"], ["animal", "insect"], "n02229544"),
        (["church"], [], "n03028079"),  # the building
        (["sport"], ["person"], "n00523513"),  # vendors put sports under person; no sport is one
        (["people"], [], "n00007846"),
        (["wheel", "bicycle"], [], "n02834778"),  # which its two names share
        (["tench_tinca_tinca", "tench"], [], "n01440764"),
    ],
)
def test_the_sense_of_a_label(
    words: list[str], parents: list[str], meant: str, wordnet: WordNet, anchors: Anchors
) -> None:
    sense = choose(words, parents, wordnet, anchors)
    assert sense is not None
    assert sense.synsets == (meant,)


def test_a_sense_says_how_it_was_chosen(wordnet: WordNet, anchors: Anchors) -> None:
    def how(words: list[str], *parents: str) -> str:
        sense = choose(words, parents, wordnet, anchors)
        return sense.how if sense else ""

    assert how(["collie"]) == "collie, its only sense"
    assert how(["dog"]) == "dog, sense 1 of 7"
    assert how(["book"]) == "book, sense 2 of 11, as in pictures"
    assert how(["crane"], "bird") == "crane, sense 2 of 5, by its parents"
    assert how(["cab", "taxi"]) == "cab, sense 3 of 3, which its names share"
    assert how(["selfie"]) == ""


def test_what_wordnet_alone_tells_apart_is_one(wordnet: WordNet, anchors: Anchors) -> None:
    food = choose(["food"], [], wordnet, anchors)
    assert food is not None
    pizza, apple = (wordnet.ancestors([wordnet.senses(w)[0]]) for w in ("pizza", "apple"))
    assert all(set(food.synsets) & above for above in (pizza, apple))
    assert len(food.synsets) == 2


def test_readings_of_a_label() -> None:
    assert readings("tench, Tinca tinca") == ("tench_tinca_tinca", "tench", "tinca_tinca")
    assert readings("Bat (Animal)") == ("bat",)
    assert aside("Bat (Animal)") == ("animal",)
    assert readings("—") == ()
    assert stem(key("Selfies")) == stem(key("selfie"))
    assert stem(key("Lens flares")) == stem(key("lens-flare"))
    assert stem("glass") == "glass"
    assert stem("bus") == "bus"


@given(st.text())
def test_a_key_is_its_own_key(text: str) -> None:
    assert key(key(text)) == key(text)
