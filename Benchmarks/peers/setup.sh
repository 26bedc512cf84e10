#!/usr/bin/env bash
# Makes the virtual environment of the PyTorch peers, .venv beside this file; does nothing when it is there.
#
# A build of PyTorch for processors only is a tenth of the size of the common one and just as fast here:
# name the index that has it to pip (PIP_EXTRA_INDEX_URL), and it is preferred.
set -euo pipefail
cd -- "$(dirname -- "$0")"

wanted=$(cksum <requirements.txt)
if [[ -f .venv/requirements && $(<.venv/requirements) == "$wanted" ]]; then exit 0; fi

if ! python3 -m venv .venv; then
  rm -rf .venv
  echo "The PyTorch peers need Python's venv module. On Debian and Ubuntu:" >&2
  echo "    sudo apt-get install -y python3-venv" >&2
  exit 1
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt </dev/null
printf '%s' "$wanted" >.venv/requirements
