"""What every worker imports, so that the fork server has it once and a worker starts at once."""

from __future__ import annotations

import boto3  # noqa: F401
import botocore.client  # noqa: F401
import google.cloud.vision_v1  # noqa: F401
import rich.live
import rich.progress  # noqa: F401
import sqlite_utils  # noqa: F401
import tenacity  # noqa: F401
import visionhub_google  # noqa: F401
import visionhub_rekognition  # noqa: F401
import zstandard  # noqa: F401

import visionhub.cli.watch
import visionhub.engine.quote
import visionhub.facade
import visionhub.report.summary  # noqa: F401
