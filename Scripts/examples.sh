#!/usr/bin/env bash
# Runs every program of Examples/ once, on the embedded model, in a folder that is removed afterwards.
#
#   Scripts/examples.sh BUILD_FOLDER
set -euo pipefail
cd -- "$(dirname -- "$0")/.."

programs=$(cd -- "$1" && pwd)
model=$PWD/Models/fashion-mnist
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd -- "$folder"

"$programs/example-text-to-image" "$model" sneaker sneaker.png
"$programs/example-image-to-image" "$model" sneaker.png "ankle boot" boot.png
"$programs/example-repaint" "$model" boot.png sneaker.png sandal sandal.png
"$programs/example-serve-concurrently" "$model" bag dress coat
for picture in sneaker boot sandal picture-0 picture-1 picture-2; do
  [[ -s $picture.png ]] || { echo "$picture.png is missing" >&2; exit 1; }
done
echo "all examples run"
