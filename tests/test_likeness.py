"""Near duplicates: copies of a photograph are found, other photographs are not taken for it."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from visionhub.engine.likeness import (
    BITS,
    CLOSE,
    CONFIRMED,
    CROWD,
    alike,
    distance,
    fingerprint,
    groups,
    near_pairs,
)
from visionhub.images import CACHED_PIXELS, Limits, Rendering, render

SAMPLE = 120  # photographs
FOLDERS = ("imagenet", "coco", "dated", "two_class")
EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "half": lambda image: image.resize((image.width // 2, image.height // 2)),
    "recompressed": lambda image: image,
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
}
QUALITY = {"recompressed": 40}


def rendered(image: Image.Image, quality: int = 90) -> Rendering:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return render(out.getvalue(), Limits())[1]


@pytest.fixture(scope="module")
def photographs(shared: Path) -> list[Rendering]:
    files = [path for name in FOLDERS for path in sorted((shared / "images" / name).rglob("*.jpg"))]
    random.Random(4).shuffle(files)
    return [render(path.read_bytes(), Limits())[1] for path in files[:SAMPLE]]


def test_copies_of_photographs_are_found_and_other_photographs_are_not(photographs, capsys):
    own = [fingerprint(photograph) for photograph in photographs]
    kept = [value for value in own if value is not None]
    others = sum(alike(a, b) for a, b in combinations(kept, 2))
    found = {}
    for name, edit in EDITS.items():
        made = [rendered(edit(p.open()), QUALITY.get(name, 90)) for p in photographs]
        hashes = [fingerprint(each) for each in made]
        pairs = [(a, b) for a, b in zip(own, hashes, strict=True) if a is not None]
        found[name] = sum(b is not None and alike(a, b) for a, b in pairs) / len(pairs)
    true = sum(found.values()) * len(kept)
    with capsys.disabled():
        recall = ", ".join(f"{name} {share:.3f}" for name, share in found.items())
        print(
            f"\nnear duplicates, {len(kept)} photographs: recall {recall}; of "
            f"{len(kept) * (len(kept) - 1) // 2} other pairs {others} taken for one "
            f"(precision {true / (true + others):.3f})"
        )
    assert min(found.values()) >= 0.9
    assert others <= 1


def test_a_cropped_a_mirrored_and_a_turned_photograph_are_others(photographs):
    image = next(p.open() for p in photographs if p.width > 300 and p.height > 200)
    first = fingerprint(rendered(image))
    side = image.width // 3
    for changed in (
        image.crop((side, 0, image.width, image.height)),
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        image.transpose(Image.Transpose.ROTATE_90),
    ):
        assert not alike(first, fingerprint(rendered(changed)))


def test_flat_pictures_have_no_hash():
    assert fingerprint(rendered(Image.new("RGB", (200, 150), (90, 90, 90)))) is None
    faint = Image.effect_noise((200, 150), 2).convert("RGB")  # noise that a camera's lid shows
    assert fingerprint(rendered(faint)) is None
    ramp = Image.linear_gradient("L").rotate(90).resize((200, 150)).convert("RGB")
    assert fingerprint(rendered(ramp)) is None  # every bit is the same


def test_a_big_picture_that_is_no_longer_decoded_has_the_hash_of_its_small_copy():
    rough = Image.effect_noise((24, 18), 200).resize((2400, 1800), Image.Resampling.BICUBIC)
    big = rendered(rough.convert("RGB"))
    assert big.width * big.height > CACHED_PIXELS
    assert big.pixels is None
    assert alike(fingerprint(big), fingerprint(rendered(rough.convert("RGB").resize((480, 360)))))


def flipped(value: int, bits: list[int]) -> int:
    for bit in bits:
        value ^= 1 << bit
    return value


HASHES = st.lists(
    st.builds(
        flipped,
        st.sampled_from([0x5A5A_0F0F_3C3C_1248_9999_7777_1111_2468, 0x1234_5678_9ABC_DEF0 << 70]),
        st.lists(st.integers(0, 2 * BITS - 1), max_size=5),
    ),
    max_size=CROWD,
    unique=True,
)


@given(HASHES)
def test_no_pair_is_missed_and_none_is_made_up(hashes):
    brute = {frozenset(pair) for pair in combinations(hashes, 2) if alike(*pair)}
    assert {frozenset(pair) for pair in near_pairs(hashes)} == brute


@given(HASHES, st.randoms(use_true_random=False))
def test_groups_are_what_hangs_together(hashes, chance):
    values = hashes + chance.sample(hashes, len(hashes) // 3)  # some twice
    chance.shuffle(values)
    left = set(range(len(values)))
    expected = []
    while left:
        group, border = set(), {left.pop()}
        while border:
            group |= border
            border = {
                b
                for b in left
                if any(values[a] == values[b] or alike(values[a], values[b]) for a in border)
            }
            left -= border
        if len(group) > 1:
            expected.append(sorted(group))
    assert sorted(groups(values)) == sorted(expected)


def test_the_bits_in_which_copies_may_differ():
    value = 0x0F0F_3C3C_5A5A_1248_9999_7777_1111_2468
    high = [BITS + n for n in range(CLOSE + 1)]
    assert alike(value, flipped(value, high[:CLOSE]))
    assert distance(value, flipped(value, high)) == CLOSE + 1
    assert not alike(value, flipped(value, high))
    low = list(range(CONFIRMED + 1))
    assert alike(value, flipped(value, low[:CONFIRMED]))
    assert not alike(value, flipped(value, low))


def test_a_fixed_camera_is_one_group_and_takes_no_square_of_time():
    chance = random.Random(1)
    frame = chance.getrandbits(2 * BITS)
    frames = [flipped(frame, chance.sample(range(2 * BITS), 2)) for _ in range(5 * CROWD)]
    assert [len(group) for group in groups(frames)] == [5 * CROWD]
    found = sum(1 for _ in near_pairs(sorted(set(frames))))
    assert found <= 20 * len(frames) * CROWD
