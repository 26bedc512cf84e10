#!/usr/bin/env bash
# Compares networks and solvers with golden folders made by reference implementations.
#
#   Scripts/parity.sh ITO FOLDER
#
# Runs `ITO parity` on every case of Scripts/parity-cases.txt in FOLDER. Without the folder, which is
# not part of this repository, it says so and succeeds; with it, an absent case is an error.
set -euo pipefail

ito=$1 folder=$2
if [[ ! -d $folder ]]; then
  echo "parity: no golden folders at $folder, so the comparison is left out."
  exit 0
fi
cases=()
while read -r name; do
  [[ -z $name || $name == '#'* ]] || cases+=("$folder/$name")
done <"$(dirname -- "$0")/parity-cases.txt"
"$ito" parity "${cases[@]}"
