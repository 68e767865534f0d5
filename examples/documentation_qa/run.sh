#!/usr/bin/env bash
# From the data to numbers, here: run.sh [SET] [--seeds 3] [--tiny]
# At a vendor's emulator:          run.sh --provider openai --sandbox
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "${PYTHON:-python3}" "$here/../loop.py" "$here" "$@"
