#!/usr/bin/env bash
# Scripts/format.sh check|write: the Swift sources against the style of .swift-format.
set -euo pipefail
cd -- "$(dirname -- "$0")/.."

sources=(Package.swift Scripts Sources Tests Benchmarks/Package.swift Benchmarks/Sources)
case ${1:-check} in
  check) swift format lint --strict --parallel --recursive "${sources[@]}" ;;
  write) swift format format --in-place --parallel --recursive "${sources[@]}" ;;
  *) echo "usage: Scripts/format.sh check|write" >&2; exit 2 ;;
esac
