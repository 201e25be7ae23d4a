"""The picture with the face that CompareFaces looks for."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from visionhub.errors import ProviderError, RefusedImage, UnreadableImage, UsageError
from visionhub.images import Limits, Rendering, render, sha256_of
from visionhub_rekognition.faults import NOT_TAKEN

NO_FACE = "InvalidParameterException"  # if the source, or the picture, shows no face


class Sources:
    """Source pictures by path: each is read once, so that what is sent is what was hashed."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._files: dict[str, bytes] = {}
        self._renderings: dict[str, Rendering] = {}
        self._worked: set[str] = set()
        self._reading = Lock()

    def worked(self, path: str) -> None:
        """Note that a picture was compared with this one, which so shows a face."""
        self._worked.add(path)

    def blamed(self, path: str, error: ProviderError) -> ProviderError:
        """The error of a comparison; of a source that never worked it says that it may be to blame.

        The service does not tell which of the two pictures it did not take.
        """
        if path in self._worked or not (isinstance(error, RefusedImage) and NO_FACE in str(error)):
            return error
        return RefusedImage(
            f"{str(error).removesuffix(NOT_TAKEN)}No picture has been compared with the source "
            f"yet: probably it is the source, {path}, that shows no face; give another with "
            f"--param face_matches.source=PATH."
        )

    def sha256(self, path: str) -> str:
        """The identity of the picture: the SHA-256 of the file's bytes.

        Raises UsageError when the file cannot be read.
        """
        return sha256_of(self._file(path))

    def bytes_of(self, path: str) -> bytes:
        """The bytes that are sent: the file's own, or its rendering within the limits.

        Raises UsageError for a file that is no picture, or too small a one.
        """
        data = self._file(path)
        with self._reading:
            if path not in self._renderings:
                self._renderings[path] = self._render(path, data)
            return self._renderings[path].data

    def _file(self, path: str) -> bytes:
        if not path:
            raise UsageError(
                "The task face_matches needs the picture to compare with: --param "
                "face_matches.source=PATH."
            )
        with self._reading:
            if path not in self._files:
                try:
                    self._files[path] = Path(path).read_bytes()
                except OSError as error:
                    raise UsageError(
                        f"--param face_matches.source={path}: {error.strerror or error}."
                    ) from error
            return self._files[path]

    def _render(self, path: str, data: bytes) -> Rendering:
        try:
            _, rendering = render(data, self._limits)
        except UnreadableImage as error:
            raise UsageError(f"--param face_matches.source={path}: {error}.") from error
        if min(rendering.width, rendering.height) < self._limits.min_side:
            raise UsageError(
                f"--param face_matches.source={path}: {rendering.width} x {rendering.height} "
                f"pixels; give a picture of {self._limits.min_side} or more a side."
            )
        return rendering
