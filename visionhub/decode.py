"""From untrusted bytes to decoded pixels, or to `UnreadableImage` with one of a few reasons.

Reasons (`UnreadableImage.reason` is always one of `REASONS`):

    empty               no bytes
    not_an_image        the first bytes are those of no image format
    unsupported_format  an image, in a format that is not decoded here (see FORMATS)
    truncated           the file ends before the picture does
    damaged             the decoder gave up
    too_many_pixels     decoding would take more memory than MEMORY
    too_large           the file is larger than MAX_FILE_BYTES
    cannot_fit          no rendering fits the chosen providers' limits
    no_memory           the machine had no memory left for it
    missing, no_access, not_a_file, symlink_loop   the file could not be opened

A format is chosen by the file's first bytes, never by its name, and Pillow is told to try that one
only: PostScript, for which Pillow would start Ghostscript, is never handed to it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

from visionhub.errors import UnreadableImage

if TYPE_CHECKING:
    from PIL.Image import Image

T = TypeVar("T")

REASONS = frozenset(
    {
        "empty",
        "not_an_image",
        "unsupported_format",
        "truncated",
        "damaged",
        "too_many_pixels",
        "too_large",
        "cannot_fit",
        "no_memory",
        "missing",
        "no_access",
        "not_a_file",
        "symlink_loop",
    }
)
FORMATS = {  # Pillow's name -> the plugin module that brings it
    "JPEG": "PIL.JpegImagePlugin",
    "PNG": "PIL.PngImagePlugin",
    "WEBP": "PIL.WebPImagePlugin",
    "GIF": "PIL.GifImagePlugin",
    "BMP": "PIL.BmpImagePlugin",
    "TIFF": "PIL.TiffImagePlugin",
    "AVIF": "PIL.AvifImagePlugin",
    "HEIF": "pillow_heif",
}
MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"%PDF-", "PDF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"8BPS", "Photoshop"),
    (b"\x01\xda\0", "SGI"),
    (b"\x01\xda\x01", "SGI"),
    (b"\0\0\x01\0", "icon"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"IIRO", "camera raw"),
    (b"IIU\0", "camera raw"),
)
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_PIXELS = 178_956_970  # Pillow refuses more by default; fixed here, so that no setting moves it
MEMORY = 800_000_000  # bytes that decoding and converting one picture may take
DNG_VERSION, SUB_IFDS, SUBFILE_TYPE = 50706, 330, 254


def sniff(head: bytes) -> str:
    """The format that a file's first 32 bytes announce: a key of FORMATS, another name, or ""."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        brands = {head[at : at + 4] for at in (8, *range(16, 32, 4))}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        return "HEIF" if brands & HEIF_BRANDS else "camera raw" if b"crx " in brands else ""
    if head[:2] == b"BM" and head[15:18] == b"\0\0\0":  # the header's size is below 256
        return "BMP"
    if head[:4] == b"II*\0" and head[8:10] == b"CR":
        return "camera raw"
    return next((name for magic, name in MAGIC if head.startswith(magic)), "")


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever a decoder raises on hostile bytes into UnreadableImage."""
    from PIL import UnidentifiedImageError
    from PIL.Image import DecompressionBombError

    try:
        yield
    except (UnreadableImage, Warning):
        raise
    except DecompressionBombError as error:
        raise UnreadableImage("too_many_pixels", str(error)) from error
    except UnidentifiedImageError as error:  # its own text holds a memory address
        raise UnreadableImage("damaged", "its header cannot be read") from error
    except MemoryError as error:
        raise UnreadableImage("no_memory", "the machine has not enough memory") from error
    except Exception as error:  # Pillow's plugins raise nearly every built-in exception
        short = isinstance(error, EOFError) or "truncated" in str(error).lower()
        detail = f"{type(error).__name__}: {error}"[:300]
        raise UnreadableImage("truncated" if short else "damaged", detail) from error


def ignore_decoder_warnings() -> None:
    """Keep Pillow's warnings about odd files off the terminal; call once, before threads start.

    The filter is process-wide and limited to Pillow's modules. Nothing depends on it: a warning
    that a stricter filter turned into an error is met by `patiently`.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")


def patiently(step: Callable[[], T]) -> T:
    """Run a decoder so that its outcome does not depend on the process's warning filters.

    `warnings.catch_warnings` swaps the filters of the whole process and is not safe in threads.
    Where a filter turns warnings into errors, Pillow's are ignored from then on, and the step is
    run again; another thread may be changing the filters meanwhile, hence more than once.
    """
    for _ in range(5):
        try:
            return step()
        except Warning:
            ignore_decoder_warnings()
    try:
        return step()
    except Warning as error:
        raise UnreadableImage("damaged", str(error)) from error


def open_picture(data: bytes) -> Image:
    """Read the header only: a Pillow image whose pixels are not decoded yet, and may be decoded."""
    if not data:
        raise UnreadableImage("empty", "the file has no bytes")
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableImage("too_large", f"{len(data)} bytes; at most {MAX_FILE_BYTES} are read")
    name = sniff(data[:32])
    if not name:
        whole = {b"\xff\xd8": "JPEG", b"\x89P": "PNG", b"BM": "BMP", b"GI": "GIF"}
        if len(data) < 6 and data[:2] in whole:  # noqa: PLR2004 (a signature cut short)
            raise UnreadableImage("truncated", f"{len(data)} bytes of a {whole[data[:2]]} file")
        raise UnreadableImage("not_an_image", "its first bytes are those of no image format")
    if not can_decode(name):
        raise UnreadableImage("unsupported_format", f"{name} is not read")
    if name == "WEBP" and int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise UnreadableImage("truncated", "the file is shorter than its header says")
    with decoding():
        image = _open(data, name)
        _check_size(image, len(data))
        if image.format == "TIFF":
            _check_tiff(image)
    return image


def can_decode(name: str) -> bool:
    """Whether this installation has the codec of a format."""
    from PIL import features

    if name == "HEIF":
        return find_spec("pillow_heif") is not None
    return name in FORMATS and (name not in ("AVIF", "WEBP") or bool(features.check(name.lower())))


def _open(data: bytes, name: str) -> Image:
    from PIL import Image as pillow  # noqa: N813

    plugin = import_module(FORMATS[name])  # else Pillow imports all of its plugins
    if name == "HEIF":
        plugin.register_heif_opener()
    return pillow.open(io.BytesIO(data), formats=(name,))


def _check_size(image: Image, size: int) -> None:
    """Refuse, from its header alone, a picture whose decoding would take more than MEMORY."""
    pixels = image.width * image.height
    if pixels < 1:
        raise UnreadableImage("damaged", f"{image.width}x{image.height} pixels")
    if pixels > MAX_PIXELS or memory_of(image, size) > MEMORY:
        detail = f"{image.width}x{image.height} pixels are more than memory is given for"
        raise UnreadableImage("too_many_pixels", detail)


def memory_of(image: Image, size: int) -> int:
    """Bytes that decoding and converting a picture takes at most; `size` are those of its file."""
    whole = image.width * image.height * _bytes_per_pixel(image)
    halved = whole > MEMORY and image.format in ("JPEG", "MPO")  # by `halve_if_large`
    return (whole // 4 if halved else whole) + size


def halve_if_large(image: Image) -> None:
    """Let the JPEG decoder give a picture that memory has no room for at half its size.

    The whole file is still decoded, and so validated; at this size every service's limits call for
    a smaller picture anyway.
    """
    if image.width * image.height * _bytes_per_pixel(image) > MEMORY:
        image.draft(image.mode, (image.width // 2, image.height // 2))


def _bytes_per_pixel(image: Image) -> int:
    """Memory at the peak of decoding and converting, counted in Pillow's storage for each mode."""
    if image.format in ("WEBP", "AVIF", "HEIF"):
        return 16  # the codec's own canvas or planes, its output, and Pillow's copy
    if image.has_transparency_data:
        return 16
    deep = 6 if image.mode.startswith("I;16") else 12 if image.mode == "P" else 10
    return 4 if image.mode in ("1", "L") else deep


def _check_tiff(image: Image) -> None:
    """Camera raw files are TIFF too, and open as their thumbnail: better none than that."""
    tags = getattr(image, "tag_v2", {})
    thumbnail = SUB_IFDS in tags and tags.get(SUBFILE_TYPE) == 1
    if DNG_VERSION in tags or thumbnail:
        raise UnreadableImage("unsupported_format", "camera raw is not read")


def count_frames(image: Image, data: bytes) -> int:
    """How many frames or pages; 1 when the file cannot say.

    GIF and TIFF are walked to count, which moves the file position: on a second handle, so that a
    damaged later frame does not spoil the first.
    """
    try:
        if image.format in ("GIF", "TIFF"):
            image = _open(data, str(image.format))
        return max(1, int(getattr(image, "n_frames", 1)))
    except Warning:
        raise
    except Exception:  # (the first frame decides whether the file is readable)
        return 1
