#!/bin/sh
# Finds a Python that is new enough and hands over to setup.py. PYTHON= names one.
cd "$(dirname "$0")/.." || exit 1
for python in "$PYTHON" python3 python3.14 python3.13 python3.12 python3.11 python; do
    # Running it is the test: a shim on the PATH may stand for a version that is not there.
    if [ -n "$python" ] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$python" scripts/setup.py "$@"
    fi
done
echo "set-up: livecommerce needs Python 3.11 or newer, and none was found on the PATH." >&2
echo "        Install one (Debian, Ubuntu: apt install python3 python3-venv), or name yours:" >&2
echo "        make run PYTHON=/path/to/python3.11" >&2
exit 1
