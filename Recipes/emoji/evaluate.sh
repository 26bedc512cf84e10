#!/usr/bin/env bash
# How good the model that draws emoji is: the figures of Docs/emoji.md, and the sheet of Recipes/emoji/prompts.txt.
#
#   Recipes/emoji/evaluate.sh [MODEL [OUTPUT_FOLDER]]       (emoji and out/emoji when none is given)
#
# Needs Data/emoji (Recipes/emoji/build.sh) and `make build`. Takes about ten minutes.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
ito=${ITO:-.build/release/ito}
model=${1:-emoji}
folder=${2:-out/emoji}
judges=(--extractor emoji-extractor --encoder emoji-matcher)

mkdir -p -- "$folder"
for asked in untoned heldout; do
  echo "asked for the captions of $asked.jsonl:"
  "$ito" eval "$model" --reference Data/emoji/all.jsonl --asked "Data/emoji/$asked.jsonl" "${judges[@]}" |
    tee "$folder/$asked.txt"
done
"$ito" generate --model "$model" --from-file Recipes/emoji/prompts.txt --sheet "$folder/prompts.png"
