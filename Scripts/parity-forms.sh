#!/usr/bin/env bash
# Compares whole pipelines with their goldens when the model is one file: safetensors, pickle or GGUF.
#
#   Scripts/parity-forms.sh ITO FOLDER
#
# Scripts/single-file.py makes the files from the folders of FOLDER/pipelines in a folder that is removed
# afterwards. It needs a Python (ITO_PYTHON, else python3) with torch, safetensors, diffusers and gguf;
# without one this says so and succeeds.
set -euo pipefail

ito=$1 folder=$2 python=${ITO_PYTHON:-python3}
scripts=$(dirname -- "$0")
if [[ ! -d $folder/pipelines ]]; then
  echo "parity of single files: no golden pipelines at $folder/pipelines, so the comparison is left out."
  exit 0
fi
if ! "$python" -c 'import diffusers, gguf, safetensors, torch' 2>/dev/null; then
  echo "parity of single files: $python lacks torch, safetensors, diffusers or gguf, so the comparison is left out."
  exit 0
fi
made=$(mktemp -d)
trap 'rm -rf -- "$made"' EXIT
failures=0
while read -r name; do
  [[ $name == pipelines/* ]] || continue
  "$python" "$scripts/single-file.py" "$folder/$name" "$made"
  for ending in safetensors ckpt gguf; do
    "$ito" parity "$folder/$name" --model "$made/${name##*/}.$ending" || failures=$((failures + 1))
  done
done <"$scripts/parity-cases.txt"
exit $((failures > 0))
