"""A stand-in for the cloud services on this machine, speaking their wire formats."""

from visionhub_sandbox.faults import FAULTS_HELP, read_faults
from visionhub_sandbox.server import Sandbox

__all__ = ["FAULTS_HELP", "Sandbox", "read_faults"]
