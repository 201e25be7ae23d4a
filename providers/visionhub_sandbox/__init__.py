"""A stand-in for the cloud services on this machine, speaking their wire formats."""
