"""Every error that visionhub raises on purpose.

Each carries one sentence for the person at the keyboard (what is wrong, with which file or
option, and what to do) and the exit code that the command line ends with.

    VisionHubError
      x UsageError              an option or argument that cannot be used
      x UnknownProvider         says what to pip install
      x MissingExtra            a command or adapter needs an extra that is not installed
      x StudyError              the study file cannot be opened, read or written
        + StudyFull             its disk has no room left; freeing some is all that is needed
      x ModelError              a weight file is missing, refused or cannot be fetched
      x CapReached              the spending cap ended the run
      x Declined                the quote was shown, and the answer was no
        + Interrupted           stopped before there was an answer
      x UnreadableImage         which file, and why
      x ProviderError           something about one request
        + AuthenticationError   stops the run at once
        + RefusedImage          permanent: this provider will never take this image
        + UnexpectedBody        an answer came back that the parser cannot read; it is kept
        + TransientError        the only family that is retried
          - RateLimited         carries `retry_after` in seconds
          - ProviderUnavailable
"""

from __future__ import annotations

from typing import ClassVar

DISTRIBUTIONS = {  # where a module's name is not that of what is installed
    "ai_edge_litert": "ai-edge-litert",
    "google": "google-cloud-vision",
    "grpc": "google-cloud-vision",
    "sklearn": "scikit-learn",
}


class VisionHubError(Exception):
    """Base of all errors below; `str(error)` is the sentence that the user reads."""

    exit_code: ClassVar[int] = 1


class UsageError(VisionHubError):
    """An option or an argument cannot be used as it was given."""

    exit_code: ClassVar[int] = 2


class UnknownProvider(UsageError):
    """No installed package offers a provider of that name."""


class MissingExtra(VisionHubError):
    """A dependency that lies in an extra is not installed."""

    def __init__(self, extra: str, module: str) -> None:
        module = DISTRIBUTIONS.get(module, module)
        super().__init__(
            f"This needs the package {module!r}, which is not installed: "
            f"run  pip install 'visionhub[{extra}]'"
        )
        self.extra = extra
        self.module = module


class StudyError(VisionHubError):
    """The study file cannot be used; nothing in it was changed."""


class StudyFull(StudyError):
    """The study's disk, or the user's share of it, is full; what was committed is safe."""


class ModelError(VisionHubError):
    """A model's weights are missing, differ from their card, or could not be fetched."""


class CapReached(VisionHubError):
    """The cap ended the run: says what was done, what is left and what it would cost."""

    exit_code: ClassVar[int] = 3


class Declined(VisionHubError):
    """The quote of a paid run was not agreed to; nothing was sent."""


class Interrupted(Declined):
    """The run was stopped while its quote was made; nothing was sent."""

    exit_code: ClassVar[int] = 130


class UnreadableImage(VisionHubError):
    """A file is no image that can be decoded within the limits."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class ProviderError(VisionHubError):
    """One request failed.

    charged: whether the service charges for it all the same. None when nobody here can tell (a
    connection that broke, a 5xx): such an attempt is ambiguous, and counts as spent.
    """

    as_a_rule: ClassVar[bool | None] = None

    def __init__(self, message: str, *, charged: bool | None = None) -> None:
        super().__init__(message)
        self.charged = self.as_a_rule if charged is None else charged


class AuthenticationError(ProviderError):
    """Credentials are missing or were refused; no further request is sent."""

    as_a_rule: ClassVar[bool | None] = False


class RefusedImage(ProviderError):
    """The provider will never take this image; asking again is pointless."""

    as_a_rule: ClassVar[bool | None] = False


class UnexpectedBody(ProviderError):
    """The body is not what the provider documents; it stays in the store."""


class TransientError(ProviderError):
    """May succeed when asked again."""


class RateLimited(TransientError):
    """The provider asks for a slower rate; `retry_after` is in seconds, None when not said.

    Not charged, unless it is a service that is down and says when to come back: charged=None.
    """

    def __init__(
        self, message: str, retry_after: float | None = None, *, charged: bool | None = False
    ) -> None:
        super().__init__(message)
        self.charged = charged
        self.retry_after = retry_after


class ProviderUnavailable(TransientError):
    """The provider did not answer, or answered that it is down."""
