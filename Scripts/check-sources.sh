#!/usr/bin/env bash
# Refuses what has no place in the tracked sources. Prints each offending line; status 1 when there is one.
set -euo pipefail
cd -- "$(dirname -- "$0")/.."

status=0

# refuse WHY PATTERN PATHSPEC…
refuse() {
  local why=$1 pattern=$2 found
  shift 2
  found=$(git grep -nIE -e "$pattern" -- "$@" || true)
  if [[ -n $found ]]; then
    printf '%s:\n%s\n\n' "$why" "$found" >&2
    status=1
  fi
}

refuse "unsafe flags bar a package from being a versioned dependency" 'unsafeFlags' \
  '*.swift' ':!Scripts'
refuse "paths of one machine" '(^|[^A-Za-z0-9_./-])/(home|root|Users|tmp|opt|work)/[A-Za-z]' .
# Storage is the one class behind tensors; the proof that its sharing is sound stands there.
refuse "escape hatches outside tests" \
  '@unchecked Sendable|nonisolated\(unsafe\)|[^A-Za-z]try!|[^A-Za-z]as!|fatalError\(\)' \
  'Sources/*.swift' 'Benchmarks/*.swift' ':!Sources/ItoTensors/Storage.swift'
refuse "unfinished work" '(^|[^A-Za-z])(TODO|FIXME|XXX)([^A-Za-z]|$)' \
  '*.swift' '*.h' '*.cpp' '*.inl' '*.py' '*.md' 'Scripts' 'Makefile' ':!Scripts/check-sources.sh'
# Foundation costs start-up time; the library targets go without.
refuse "Foundation in a library target" '^(public |internal |private |package |@_exported )*import Foundation$' \
  'Sources/*.swift' ':!Sources/ItoCommand'

for script in $(git ls-files '*.sh' .ci/run); do
  bash -n "$script" || status=1
done

exit "$status"
