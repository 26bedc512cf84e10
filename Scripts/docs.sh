#!/usr/bin/env bash
# Renders the documentation of every library module into out/docs/MODULE, from an optimised build.
set -euo pipefail
cd -- "$(dirname -- "$0")/.."

build=.build/release
graphs=.build/symbol-graphs
includes=(-I "$build/Modules")
for folder in Sources/*/include Sources/ItoCCodecs; do includes+=(-I "$folder"); done

for catalog in Sources/*/*.docc; do
  module=$(basename "$catalog" .docc)
  rm -rf "${graphs:?}/$module"
  mkdir -p "$graphs/$module" "out/docs/$module"
  swift symbolgraph-extract -module-name "$module" "${includes[@]}" \
    -target "$(uname -m)-unknown-linux-gnu" -minimum-access-level public -output-dir "$graphs/$module"
  docc convert "$catalog" --additional-symbol-graph-dir "$graphs/$module" \
    --fallback-display-name "$module" --fallback-bundle-identifier "$module" \
    --transform-for-static-hosting --hosting-base-path "$module" --output-dir "out/docs/$module"
done
echo "out/docs holds a folder for each module; serve it with: python3 -m http.server -d out/docs"
