#!/usr/bin/env bash
# Builds the emoji data set from Debian packages.
#
#   Recipes/emoji/build.sh [FOLDER]        (Data/emoji when no folder is given)
#
# Needs fonts-noto-color-emoji, unicode-data, unicode-cldr-core, python3-pil and python3-numpy; installs
# them when it may (root, or sudo without a password), otherwise prints the line to run.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-$here/../../Data/emoji}
packages=(fonts-noto-color-emoji unicode-data unicode-cldr-core python3-pil python3-numpy)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if ((${#missing[@]})); then
  install=(apt-get install -y --no-install-recommends "${missing[@]}")
  if [[ $(id -u) == 0 ]]; then
    "${install[@]}"
  elif sudo -n true 2>/dev/null; then
    sudo "${install[@]}"
  else
    printf 'Packages are missing. Run:\n  sudo %s\n' "${install[*]}" >&2
    exit 1
  fi
fi
exec /usr/bin/python3 "$here/build.py" "$folder"
