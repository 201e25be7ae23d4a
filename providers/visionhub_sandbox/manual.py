"""What the command line says about the stand-in; nothing is imported for it."""

from __future__ import annotations

PURPOSE = """\
Rehearse without an account: answer Google Cloud Vision's REST and gRPC and Amazon Rekognition's
JSON on this machine, for their own SDKs. Pictures with a cassette get the recorded answer, others
what the embedded models see, in the service's shape. GET /calls counts every call that came in and
every unit that the service might bill; GET /_sandbox/calls shows the latest calls in full.
"""
FAULTS = """\
A faults file is TOML: any number of [[fault]], each with a kind.

  latency              seconds (0.15): every answer waits so long; adds up with other faults
  throttle             too many calls; retry_after (seconds; left out: not said), code, status
  error                status (500; also 400, 403, 503, ...), code: the vendor's own error code
  hang                 no answer until the client gives up, or for `seconds` (600)
  reset                the connection is reset
  truncated            200 with half a body; whole_length = true announces the whole length
  item_error           one image of a good call fails: item (0), code (13); services with batches
  unknown_field        new members at the top and in the first item of lists
  expired_credentials  status (401 or 403)

Which calls: provider (google, rekognition), transport (rest, grpc, json), operation (DetectLabels,
BatchAnnotateImages, or a feature such as LABEL_DETECTION), image (its SHA-256). When, among the
calls that match: after (the first n are spared), every (each n-th only), share (0 to 1, by lot)
with seed (0), times (n at most). Of several faults that meet one call the first in the file wins;
latency comes on top.

  [[fault]]
  kind = "throttle"
  provider = "rekognition"
  operation = "DetectLabels"
  after = 5
  times = 2
  retry_after = 1.5
"""
