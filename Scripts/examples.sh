#!/usr/bin/env bash
# Runs every program of Examples/ once, on the embedded model, in a folder that is removed afterwards.
#
#   Scripts/examples.sh BUILD_FOLDER
set -euo pipefail
cd -- "$(dirname -- "$0")/.."

programs=$(cd -- "$1" && pwd)
model=$PWD/Models/emoji
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd -- "$folder"

"$programs/example-text-to-image" "$model" "a running shoe" shoe.png
"$programs/example-image-to-image" "$model" shoe.png "a boot" boot.png
"$programs/example-repaint" "$model" boot.png shoe.png "a sandal" sandal.png
"$programs/example-serve-concurrently" "$model" "a handbag" "a dress" "a coat"
for picture in shoe boot sandal picture-0 picture-1 picture-2; do
  [[ -s $picture.png ]] || { echo "$picture.png is missing" >&2; exit 1; }
done
echo "all examples run"
