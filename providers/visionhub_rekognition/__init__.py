"""Amazon Rekognition through boto3: labels, objects, faces, text, unsafe content, colours, people.

Importing this package loads no SDK; boto3 is imported when the first picture is about to be sent.
"""

from visionhub_rekognition.provider import Rekognition

__all__ = ["Rekognition"]
