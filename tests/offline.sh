#!/bin/sh
# The tests of the two clouds in a network namespace of their own, where only loopback exists. The
# tests' usual block is on Python's sockets, past which gRPC goes; past this one nothing goes.
# Where the machine allows no such namespace, this says so in one line and ends well.
set -u
cd "$(dirname "$0")/.." || exit 1
PYTHON="${PYTHON:-${VENV:-.venv}/bin/python}"

if [ "${1:-}" != inside ]; then
  if ! why=$(unshare --net --map-root-user sh -c 'ip link set lo up' 2>&1); then
    echo "No network namespace on this machine ($(echo "$why" | head -n 1)): the clouds' tests were not run without a network."
    exit 0
  fi
  exec unshare --net --map-root-user sh tests/offline.sh inside
fi

ip link set lo up
"$PYTHON" - <<'END' || exit 1
import errno, socket, sys
with socket.socket() as tried:
    tried.settimeout(5)
    if tried.connect_ex(("192.0.2.1", 443)) != errno.ENETUNREACH:  # RFC 5737: an address of nobody
        sys.exit("This network namespace has a way out.")
END
# Those that make the clouds' clients call something; what only reads answers is not among them.
exec "$PYTHON" -m pytest -q -n "${JOBS:-auto}" --dist loadgroup -m "not models" \
  tests/test_google_calls.py tests/test_google_credentials.py tests/test_google_sandbox.py \
  tests/test_rekognition_transport.py tests/test_sandbox*.py tests/test_clouds.py \
  tests/test_cassette*.py tests/test_record.py tests/contract/test_cassettes.py
