"""visionhub's adapter for Google Cloud Vision, over the vendor's own client."""

from visionhub_google.provider import GoogleVision

__all__ = ["GoogleVision"]
