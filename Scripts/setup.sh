#!/usr/bin/env bash
# Installs what the build needs and the machine lacks.
#
#   Scripts/setup.sh [build|test]
#
# On Debian, Ubuntu and their relatives the packages come from apt when this may install them (root, or
# sudo without a password); otherwise the line to run is printed and the exit status is 1. Elsewhere the
# wanted libraries are looked for and the missing ones named. When nothing is missing it installs
# nothing, prints nothing and takes some hundredths of a second.
set -euo pipefail

goal=${1:-build}

libraries=(libdnnl-dev libpng-dev libjpeg-dev libwebp-dev zlib1g-dev)
test_data=(dataset-fashion-mnist)

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# The newest GCC directory, which is where Swift's clang takes libgcc, libstdc++ and libgomp from.
newest_gcc() {
  local folder newest=
  for folder in /usr/lib/gcc/*-linux-gnu/*/; do
    folder=${folder%/}
    folder=${folder##*/}
    if [[ $folder =~ ^[0-9]+$ && $folder -gt ${newest:-0} ]]; then newest=$folder; fi
  done
  printf '%s' "$newest"
}

# The packages this machine lacks, one a line.
missing_packages() {
  local wanted=("${libraries[@]}") gcc
  if [[ $goal == test ]]; then wanted+=("${test_data[@]}"); fi
  has git || echo git
  has pkg-config || echo pkg-config
  if ! has ld.gold; then
    # Swift links with gold, which binutils 2.44 (Debian 13) moved into a package of its own.
    if [[ -n $(apt-cache --names-only search '^binutils-gold$' 2>/dev/null) ]]; then
      echo binutils-gold
    else
      echo binutils
    fi
  fi
  gcc=$(newest_gcc)
  if [[ -z $gcc ]]; then
    echo g++
  else
    compgen -G "/usr/lib/gcc/*-linux-gnu/$gcc/libgomp.so" >/dev/null || echo "libgcc-$gcc-dev"
    [[ -d /usr/include/c++/$gcc ]] || echo "libstdc++-$gcc-dev"
  fi
  # Fetching models looks for libcurl when it runs. Debian 13 and Ubuntu 24.04 renamed its package.
  if ! compgen -G "/usr/lib/*/libcurl*.so.4" >/dev/null; then
    if [[ -n $(apt-cache madison libcurl4t64 2>/dev/null) ]]; then echo libcurl4t64; else echo libcurl4; fi
  fi
  # One query for all; unknown packages are not an error here, they are what is missing.
  local installed name
  # shellcheck disable=SC2016  # ${…} is dpkg-query's own
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
  for name in "${wanted[@]}"; do
    if [[ $'\n'$installed$'\n' != *$'\n'"$name installed"$'\n'* ]]; then echo "$name"; fi
  done
}

install_by_apt() {
  local as_root=() line="apt-get install -y --no-install-recommends $*"
  if [[ $(id -u) -ne 0 ]]; then
    if has sudo && sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    else
      fail "Itô needs system packages that only an administrator can install. Run" "" \
        "    sudo apt-get update && sudo $line" "" "and then the same make command again."
    fi
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
  echo "Installing $*"
  # An old or unreachable index is not fatal yet: the packages may be known or cached.
  "${apt[@]}" update </dev/null || echo "apt-get update failed; trying with the package lists at hand." >&2
  # Ubuntu keeps oneDNN and the data set in its "universe" part, which a trimmed machine may lack.
  local name unknown=()
  for name in "$@"; do
    [[ -n $(apt-cache madison "$name" 2>/dev/null) ]] || unknown+=("$name")
  done
  if [[ ${#unknown[@]} -gt 0 ]]; then
    fail "apt knows no package ${unknown[*]}." \
      "On Ubuntu enable the part of the archive that holds it and run the same make command again:" "" \
      "    sudo apt-get install -y software-properties-common && sudo add-apt-repository -y universe" "" \
      "Elsewhere check the machine's network and its apt sources."
  fi
  "${apt[@]}" install -y --no-install-recommends "$@" </dev/null || fail \
    "apt-get could not install: $*." "Its message is above. When that is mended, run the same make command again."
}

# Without apt: which libraries does clang find?
missing_libraries() {
  local header library
  while read -r library header; do
    printf '#include <cstdio>\n#include <%s>\nint main() {}\n' "$header" |
      clang++ -x c++ -std=c++17 - -o /dev/null "-l$library" >/dev/null 2>&1 || echo "  $library ($header)"
  done <<'LIST'
dnnl dnnl.hpp
png png.h
jpeg jpeglib.h
webp webp/decode.h
z zlib.h
gomp cstddef
LIST
}

if ! has swift; then
  fail "Itô needs Swift 6.1 or newer, and there is no swift on the PATH." "See https://www.swift.org/install/linux"
fi
if has apt-get && has dpkg-query; then
  mapfile -t missing < <(missing_packages)
  if [[ ${#missing[@]} -gt 0 ]]; then install_by_apt "${missing[@]}"; fi
else
  missing=$(missing_libraries)
  if [[ -n $missing ]]; then
    fail "Itô needs these libraries with their headers, which this machine's clang does not find:" "$missing" "" \
      "They are oneDNN 2.5 or newer built on GNU OpenMP, libpng, libjpeg-turbo, libwebp, zlib and GCC's" \
      "libgomp. Install them by this system's package manager and run the same make command again."
  fi
  if [[ $goal == test && ! -e /usr/share/dataset-fashion-mnist ]]; then
    echo "The Fashion-MNIST data set (Debian's dataset-fashion-mnist) is absent: tests that read it will be skipped." >&2
  fi
fi
