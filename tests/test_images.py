"""The canonical rendering: what is touched, what is not, and what comes out."""

from __future__ import annotations

import csv
import io
import struct
import threading
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageChops, ImageCms, ImageStat, features
from PIL.TiffImagePlugin import IFDRational

from visionhub.decode import REASONS, patiently
from visionhub.encode import fitting_size
from visionhub.errors import UnreadableImage, UsageError
from visionhub.images import CACHED_PIXELS, Limits, decoder_version, load, render, sha256_of

LIMITS = Limits()
CORNERS = {(0, 0): (220, 30, 30), (39, 0): (30, 200, 30), (0, 23): (30, 30, 220)}
TO_STORED = {  # how upright pixels are stored under each orientation: the inverse of the fix
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def scene(mode: str = "RGB", size: tuple[int, int] = (40, 24)) -> Image.Image:
    """A picture with no symmetry: a gradient each way and a red block near one corner."""
    wide = Image.linear_gradient("L").rotate(90).resize(size)
    high = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (wide, high, Image.new("L", size, 90)))
    image.paste((250, 0, 0), (1, 2, size[0] // 3, size[1] // 4))
    return image.convert(mode)


def saved(image: Image.Image, format_: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def exif(**tags: object) -> Image.Exif:
    block = Image.Exif()
    for name, value in tags.items():
        block[ExifTags.Base[name]] = value
    return block


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of two pictures of equal size, in levels."""
    assert one.size == other.size
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean)


@pytest.mark.parametrize(
    "data",
    [
        saved(scene(), "JPEG"),
        saved(scene("L"), "JPEG"),
        saved(scene(), "JPEG", progressive=True),
        saved(scene()),
        saved(scene("L")),
        saved(scene(), "JPEG", exif=exif(Orientation=1, Make="A")),
        saved(scene(), "JPEG", exif=exif(Orientation=0)),
        saved(scene(), "JPEG", exif=exif(Orientation=9)),
        saved(
            scene(),
            icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        ),
        saved(scene(), icc_profile=b"no profile at all"),
        saved(scene("L"), "JPEG") + b"trailing rubbish",
    ],
)
def test_what_conforms_is_sent_untouched(data: bytes) -> None:
    facts, sent = render(data, LIMITS)
    assert sent.data is data
    assert sent.transform == ()
    assert sent.sha256 == sha256_of(data)
    assert (sent.width, sent.height) == (facts.width, facts.height) == (40, 24)
    assert facts.orientation == 1
    assert difference(sent.open(), Image.open(io.BytesIO(data))) == 0


def test_a_passthrough_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _, sent = render(saved(scene(), "JPEG"), LIMITS)
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("decoded again"))
    assert sent.open().mode == "RGB"
    assert sent.open() is sent.open()


def test_a_large_picture_is_not_kept_in_memory() -> None:
    side = int(CACHED_PIXELS**0.5) + 1
    _, sent = render(saved(Image.new("RGB", (side, side))), LIMITS)
    assert sent.transform == ()
    assert sent.open().size == (side, side)
    assert sent.pixels is None


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_orientation_is_baked_in_exactly(orientation: int, format_: str) -> None:
    stored = scene()
    if orientation > 1:
        stored = stored.transpose(TO_STORED[orientation])
    facts, sent = render(saved(stored, format_, exif=exif(Orientation=orientation)), LIMITS)
    assert (facts.width, facts.height, facts.orientation) == (40, 24, orientation)
    assert (sent.width, sent.height) == (40, 24)
    assert difference(sent.open(), scene()) == 0
    assert (f"orientation {orientation}" in sent.transform) == (orientation > 1)
    if orientation > 1:
        assert not Image.open(io.BytesIO(sent.data)).getexif()


def test_the_orientation_of_xmp_is_no_exif() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    data = saved(scene(), "JPEG", xmp=xmp)
    assert Image.open(io.BytesIO(data)).getexif()[274] == 6  # Pillow would turn it
    assert render(data, LIMITS)[1].transform == ()


@pytest.mark.parametrize(
    ("data", "step", "expected"),
    [
        (saved(scene("1")), "1-bit->8-bit", scene("1")),
        (saved(scene("P")), "palette->rgb", scene("P")),
        (saved(scene("RGB"), "GIF"), "palette->rgb", scene()),
        (saved(scene("CMYK"), "JPEG", quality=95), "cmyk->rgb without a profile", scene()),
        (saved(scene("CMYK"), "TIFF"), "cmyk->rgb without a profile", scene()),
        (saved(scene("YCbCr"), "TIFF"), "ycbcr->rgb", scene()),
        (saved(scene("L"), "BMP"), "encode png", scene("L")),
        (saved(scene(), "TIFF"), "encode png", scene()),
        (saved(scene(), "WEBP", lossless=True), "encode png", scene()),
        (saved(scene(), "WEBP", quality=95), "encode jpeg q95", scene()),
    ],
)
def test_every_mode_comes_out_as_it_looks(data: bytes, step: str, expected: Image.Image) -> None:
    _, sent = render(data, LIMITS)
    assert step in sent.transform
    assert Image.open(io.BytesIO(sent.data)).mode in ("L", "RGB")
    assert difference(sent.open(), expected) < 6  # a palette or lossy coding of hard edges


@pytest.mark.parametrize(
    ("mode", "format_"), [("I;16", "PNG"), ("I;16", "TIFF"), ("I;16B", "TIFF")]
)
def test_sixteen_bits_are_scaled_not_clipped(mode: str, format_: str) -> None:
    wide = Image.new(mode, (256, 1))
    for x in range(256):
        wide.putpixel((x, 0), x * 257)
    _, sent = render(saved(wide, format_), LIMITS)
    assert sent.transform == ("16-bit->8-bit", "encode png")
    assert list(sent.open().getchannel("R").tobytes()) == list(range(256))


def test_floats_are_stretched_or_refused() -> None:
    ramp = Image.linear_gradient("L").convert("F").point(lambda level: level * 8 - 100)
    _, sent = render(saved(ramp, "TIFF"), LIMITS)
    assert sent.transform[0] == "range -100..1940->8-bit"
    assert difference(sent.open(), Image.linear_gradient("L")) <= 1
    with pytest.raises(UnreadableImage, match="finite"):
        render(saved(ramp.point(lambda level: level * float("inf")), "TIFF"), LIMITS)


def test_lab_becomes_srgb() -> None:
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(scene(), to_lab)
    lab.info.clear()  # as most writers leave it, without a profile
    _, sent = render(saved(lab, "TIFF"), LIMITS)
    assert "lab->srgb" in sent.transform
    assert difference(sent.open(), scene()) < 3


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_alpha_is_flattened_on_white(mode: str) -> None:
    image = Image.new("RGBA", (20, 10), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 10, 10))
    image.putpixel((19, 9), (0, 0, 0, 128))
    _, sent = render(saved(image.quantize() if mode == "P" else image.convert(mode)), LIMITS)
    assert "alpha flattened on white" in sent.transform
    shown = sent.open()
    assert shown.getpixel((2, 2)) == (0, 0, 0)
    assert shown.getpixel((15, 2)) == (255, 255, 255)
    assert abs(shown.getpixel((19, 9))[0] - 127) <= 1


@pytest.mark.parametrize(("mode", "key"), [("RGB", (250, 0, 0)), ("L", 76), ("1", 0)])
def test_a_transparent_colour_is_alpha_too(mode: str, key: object) -> None:
    image = Image.new(mode, (8, 8), key)
    _, sent = render(saved(image, transparency=key), LIMITS)
    assert "alpha flattened on white" in sent.transform
    assert sent.open().getpixel((3, 3)) == (255, 255, 255)


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_only(format_: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    data = saved(frames[0], format_, save_all=True, append_images=frames[1:])
    facts, sent = render(data, LIMITS)
    assert facts.frames == 3
    assert sent.transform[0] == "first of 3 frames"
    assert difference(sent.open(), frames[0]) < 3


def test_mpo_is_a_jpeg_with_more_pictures_behind_it() -> None:
    """Every decoder shows the first, so that the photograph is sent as the camera wrote it."""
    data = saved(scene(), "MPO", save_all=True, append_images=[scene().rotate(180)])
    facts, sent = render(data, LIMITS)
    assert (facts.format, facts.frames, sent.media_type) == ("MPO", 2, "image/jpeg")
    assert (sent.transform, sent.data) == ((), data)
    assert difference(sent.open(), scene()) < 10 < difference(sent.open(), scene().rotate(180))
    _, small = render(data, Limits(max_side=20))
    assert small.transform[0] == "first of 2 frames"
    assert small.data.count(b"\xff\xd8\xff") == 1, "the others were sent too"


def deep_png(image: Image.Image, colour: int) -> bytes:
    """A PNG of 16 bits a channel, which Pillow does not write; `colour` as in the PNG header."""
    wide = b"".join(bytes((level, 255 - level)) for level in image.tobytes())
    row = len(wide) // image.height
    rows = b"".join(b"\0" + wide[at : at + row] for at in range(0, len(wide), row))
    header = struct.pack(">IIBBBBB", *image.size, 16, colour, 0, 0, 0)
    out = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        out += struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc32(name + body))
    return out


@pytest.mark.parametrize(("mode", "colour"), [("RGB", 2), ("RGBA", 6), ("LA", 4), ("L", 0)])
def test_sixteen_bits_a_colour_are_not_what_every_service_reads(mode: str, colour: int) -> None:
    picture = scene().convert(mode)
    _, sent = render(deep_png(picture, colour), LIMITS)
    assert sent.transform[0] == "16-bit->8-bit"
    assert sent.transform.count("16-bit->8-bit") == 1
    assert sent.data[24] == 8
    assert difference(sent.open(), scene().convert(mode[0] if mode[0] == "L" else "RGB")) < 1


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF codec")
def test_avif_with_its_orientation() -> None:
    stored = scene(size=(80, 48)).transpose(TO_STORED[6])
    facts, sent = render(saved(stored, "AVIF", quality=95, exif=exif(Orientation=6)), LIMITS)
    assert (facts.format, facts.orientation, sent.width, sent.height) == ("AVIF", 6, 80, 48)
    assert difference(sent.open(), scene(size=(80, 48))) < 5
    assert "avif" in decoder_version()


def swapped_profile() -> bytes:
    """An RGB profile whose red and blue primaries are those of sRGB the other way round."""
    srgb = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = srgb.index(b"rXYZ"), srgb.index(b"bXYZ")
    srgb[red : red + 4], srgb[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(srgb)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_foreign_profile_is_converted_and_dropped(mode: str) -> None:
    image = Image.new("RGB", (8, 8), (200, 20, 60))
    image = image.quantize() if mode == "P" else image.convert(mode)
    _, sent = render(saved(image, icc_profile=swapped_profile()), LIMITS)
    assert "icc->srgb" in sent.transform
    red, green, blue = sent.open().getpixel((4, 4))
    assert max(abs(red - 60), abs(green - 20), abs(blue - 200)) < 6
    assert "icc_profile" not in Image.open(io.BytesIO(sent.data)).info


@pytest.mark.parametrize("cut", [60, 200, 1000])
def test_a_broken_profile_is_ignored(cut: int) -> None:
    data = saved(scene(), icc_profile=swapped_profile()[:cut])
    if cut < 200:
        assert render(data, LIMITS)[1].transform == ()
    _, sent = render(data, LIMITS)
    assert sent.width == 40


def test_a_profile_for_another_colour_space_is_ignored() -> None:
    data = saved(scene("L"), icc_profile=swapped_profile())
    assert render(data, LIMITS)[1].data is data


def test_no_metadata_in_what_is_encoded() -> None:
    tags = exif(Orientation=6, Make="Secret", GPSInfo={1: "N", 2: (1.0, 2.0, 3.0)})
    data = saved(scene(), "JPEG", exif=tags, comment=b"Secret", dpi=(300, 300))
    _, sent = render(data, LIMITS)
    assert b"Secret" in data
    assert b"Secret" not in sent.data
    assert b"Exif" not in sent.data
    with Image.open(io.BytesIO(sent.data)) as again:
        assert again.layer[1][1:3] == (1, 1)  # no chroma subsampling


def test_what_was_encoded_is_what_is_seen() -> None:
    noise = Image.effect_noise((64, 64), 90)
    image = Image.merge("RGB", (noise, noise.rotate(90), noise.rotate(180)))
    _, sent = render(saved(image, "JPEG", exif=exif(Orientation=3)), LIMITS)
    assert sent.media_type == "image/jpeg"
    assert difference(sent.open(), Image.open(io.BytesIO(sent.data))) == 0


def test_bytes_do_not_depend_on_when_or_where() -> None:
    data = saved(scene("RGBA", (300, 200)), exif=exif(Orientation=5))
    first = render(data, LIMITS)[1]
    with ThreadPoolExecutor(4) as pool:
        others = list(pool.map(lambda _: render(data, LIMITS)[1], range(8)))
    assert {other.data for other in others} == {first.data}
    assert {other.transform for other in others} == {first.transform}


def test_a_side_that_is_too_long_is_made_smaller() -> None:
    _, sent = render(saved(scene(size=(400, 240))), Limits(max_side=100))
    assert (sent.width, sent.height) == (100, 60)
    assert sent.transform == ("resize 400x240->100x60", "encode png")
    assert difference(sent.open(), scene(size=(400, 240)).resize((100, 60))) < 4


def test_bytes_that_are_too_many() -> None:
    noise = Image.effect_noise((300, 300), 120)
    data = saved(noise)
    _, jpeg = render(data, Limits(max_bytes=len(data) - 1))
    assert jpeg.media_type == "image/jpeg"
    _, small = render(data, Limits(max_bytes=20_000))
    assert len(small.data) <= 20_000
    assert small.transform[0].startswith("resize 300x300->")
    assert 100 < small.width == small.height < 300
    with pytest.raises(UnreadableImage) as error:
        render(data, Limits(max_bytes=40))
    assert error.value.reason == "cannot_fit"


def test_only_what_is_allowed_is_sent() -> None:
    jpeg, png = frozenset({"image/jpeg"}), frozenset({"image/png"})
    assert render(saved(scene()), Limits(jpeg))[1].transform == ("encode jpeg q95",)
    assert render(saved(scene(), "JPEG"), Limits(png))[1].media_type == "image/png"
    noise = saved(Image.effect_noise((300, 300), 120), "JPEG")
    assert len(render(noise, Limits(png, max_bytes=20_000))[1].data) <= 20_000
    with pytest.raises(UsageError, match="no image format in common"):
        render(saved(scene()), Limits(jpeg) & Limits(png))


def test_limits_join_to_what_both_take() -> None:
    both = Limits(max_side=10, min_side=1, max_pixels=7) & Limits(max_side=20, min_side=5)
    assert (both.max_side, both.min_side, both.max_pixels) == (10, 5, 7)


@given(
    st.integers(1, 100_000),
    st.integers(1, 100_000),
    st.integers(1, 20_000),
    st.integers(1, 90_000_000),
)
def test_a_fitting_size_fits(width: int, height: int, side: int, pixels: int) -> None:
    new = fitting_size((width, height), side, pixels)
    assert min(new) >= 1
    assert max(new) <= max(side, 1)
    assert new[0] * new[1] <= pixels or 1 in new
    assert new[0] <= width
    assert new[1] <= height
    if width <= side and height <= side and width * height <= pixels:
        assert new == (width, height)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"]),
    st.sampled_from(["PNG", "TIFF", "GIF", "JPEG", "WEBP", "BMP"]),
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.integers(0, 9),
    st.integers(2_000, 60_000),
)
def test_every_rendering_is_canonical(
    mode: str, format_: str, size: tuple[int, int], orientation: int, max_bytes: int
) -> None:
    limits = Limits(max_side=64, max_bytes=max_bytes)
    try:
        data = saved(
            scene().resize(size).convert("L" if mode == "I;16" else mode).convert(mode),
            format_,
            exif=exif(Orientation=orientation),
        )
    except (OSError, ValueError):
        return  # a format that cannot hold this mode
    facts, sent = render(data, limits)
    with Image.open(io.BytesIO(sent.data)) as again:
        assert again.mode in ("L", "RGB")
        assert again.size == (sent.width, sent.height)
        assert again.get_format_mimetype() == sent.media_type
        assert getattr(again, "n_frames", 1) == 1
    assert max(sent.width, sent.height) <= 64
    assert len(sent.data) <= max_bytes
    assert sent.sha256 == sha256_of(sent.data)
    assert (sent.data == data) == (sent.transform == ())
    assert render(sent.data, limits)[1].data == sent.data  # a rendering conforms
    wide, wide_sent = facts.width - facts.height, sent.width - sent.height
    assert wide * wide_sent >= 0


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_is_a_reason_or_a_picture(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"]))
    raw = bytearray(saved(scene(), form, exif=exif(Orientation=6, Make="M")))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        _, sent = render(bytes(raw[: data.draw(st.integers(0, len(raw)))]), LIMITS)
    except UnreadableImage as error:
        assert error.reason in REASONS  # noqa: PT017 (either outcome is right)
    else:
        assert sent.open().mode == "RGB"


@given(st.binary(max_size=400))
def test_random_exif_gives_facts_or_nothing(block: bytes) -> None:
    data = saved(scene(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0" + block)
    facts, _ = render(data, LIMITS)
    assert facts.orientation in range(1, 9)
    assert facts.latitude is None or -90 <= facts.latitude <= 90


def gps(**values: object) -> Image.Exif:
    block = exif(Make=" Cam\0junk ", Model="\x1b[31mX")
    place = {
        "GPSLatitudeRef": "S",
        "GPSLatitude": (12.0, 30.0, 36.0),
        "GPSLongitudeRef": "E",
        "GPSLongitude": (5.0, 0.0, 0.0),
        "GPSAltitudeRef": b"\1",
        "GPSAltitude": 12.5,
    }
    ifd = block.get_ifd(ExifTags.IFD.GPSInfo)
    for name, value in {**place, **values}.items():
        if value is not None:
            ifd[ExifTags.GPS[name]] = value
    return block


def test_place_and_camera() -> None:
    facts, _ = render(saved(scene(), "JPEG", exif=gps()), LIMITS)
    assert (facts.latitude, facts.longitude, facts.altitude) == (-12.51, 5.0, -12.5)
    assert (facts.make, facts.model) == ("Cam", "[31mX")


@pytest.mark.parametrize(
    "values",
    [
        {"GPSLatitude": (91.0, 0.0, 0.0)},
        {"GPSLatitude": (1.0, 61.0, 0.0)},
        {"GPSLatitude": (1.0, 2.0)},
        {"GPSLatitudeRef": "Q"},
        {"GPSLatitudeRef": None},
        {"GPSLatitude": (IFDRational(3, 0), 0.0, 0.0)},
        {"GPSLongitude": None},
        {"GPSLatitude": (0.0, 0.0, 0.0), "GPSLongitude": (0.0, 0.0, 0.0)},
    ],
)
def test_half_a_place_is_none(values: dict[str, object]) -> None:
    facts, _ = render(saved(scene(), "JPEG", exif=gps(**values)), LIMITS)
    assert (facts.latitude, facts.longitude) == (None, None)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2008:10:22 16:28:39", "2008-10-22T16:28:39"),
        ("2008-10-22 16:28:39", "2008-10-22T16:28:39"),
        ("0000:00:00 00:00:00", None),
        ("2008:02:30 10:00:00", None),
        ("2008:10:22 24:00:00", None),
        ("1066:10:14 09:00:00", None),
        ("    :  :     :  :  ", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(written: str, read: str | None) -> None:
    block = exif(DateTime="2020:01:01 00:00:00")
    camera = block.get_ifd(ExifTags.IFD.Exif)
    camera[ExifTags.Base.DateTimeOriginal] = written
    camera[ExifTags.Base.OffsetTimeOriginal] = "+01:00" if read else "+99:99"
    facts, _ = render(saved(scene(), "JPEG", exif=block), LIMITS)
    assert (facts.taken_at, facts.utc_offset) == (read, "+01:00" if read else None)


def test_the_truth_of_the_exif_photographs(shared: Path) -> None:
    table = (shared / "images/exif/truth.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(table.splitlines()))
    scenes: dict[str, list[tuple[str, Image.Image]]] = {}
    for row in rows:
        facts, sent = render((shared / "images/exif" / row["file"]).read_bytes(), LIMITS)
        told = int(row["orientation"] or 1)
        assert facts.orientation == (told or 1), row["file"]
        upright = (int(row["upright_width"]), int(row["upright_height"]))
        assert (facts.width, facts.height) == (sent.width, sent.height) == upright, row["file"]
        assert (sent.transform == ()) == (told <= 1), row["file"]
        date = row["datetime_original"].replace(":", "-", 2).replace(" ", "T")
        assert facts.taken_at == (date or None), row["file"]
        assert (facts.make or "") == row["make"], row["file"]
        assert (facts.model or "") == row["model"], row["file"]
        for seen, true in ((facts.latitude, "gps_lat"), (facts.longitude, "gps_lon")):
            assert seen == (pytest.approx(float(row[true]), abs=1e-4) if row[true] else None)
        if group := row["same_scene_group"]:
            scenes.setdefault(group, []).append((row["file"], sent.open()))
    assert sorted(scenes) == ["hopper", "recurser"]
    for group in scenes.values():
        small = [(name, image.resize((64, 64))) for name, image in group]
        plain = small[0][1]
        for name, image in small[1:]:
            assert difference(image, plain) < 3, name
            assert difference(image.transpose(Image.Transpose.ROTATE_90), plain) > 10, name


def test_load_gives_the_stored_picture() -> None:
    image, facts = load(saved(scene().rotate(90, expand=True), "PNG", exif=exif(Orientation=6)))
    assert image.size == (24, 40)
    assert (facts.width, facts.height) == (40, 24)


def test_warnings_as_errors_change_nothing() -> None:
    answers = iter([UserWarning("odd file"), None])

    def step() -> str:
        if (answer := next(answers)) is not None:
            warnings.warn_explicit(answer, None, "x.py", 1, module="PIL.Image")
        return "decoded"

    assert patiently(step) == "decoded"


def test_no_global_state_of_pillow_is_touched() -> None:
    before = (Image.MAX_IMAGE_PIXELS, len(Image.OPEN))
    threads = [threading.Thread(target=render, args=(saved(scene()), LIMITS)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Image.MAX_IMAGE_PIXELS, len(Image.OPEN)) == before
