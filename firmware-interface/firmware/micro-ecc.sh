#!/usr/bin/env bash
# Puts the C sources of micro-ecc (BSD-2-Clause, its licence beside them) into FOLDER/micro-ecc.
#
#     firmware-interface/firmware/micro-ecc.sh FOLDER
#
# Cargo fetches them from its registry, once, and checks them by their digest.
set -euo pipefail
here="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
folder="$1"
manifest="$here/third-party/Cargo.toml"
if [ -f "$folder/micro-ecc/uECC.c" ]; then exit 0; fi
crate="$(cargo metadata --quiet --locked --format-version 1 --manifest-path "$manifest" |
  tr ',' '\n' | sed -n 's/^"manifest_path":"\(.*micro-ecc-sys-[0-9.]*\)\/Cargo.toml"$/\1/p' | head -n 1)"
if [ -z "$crate" ]; then echo "micro-ecc.sh: cargo did not fetch micro-ecc-sys" >&2; exit 1; fi
mkdir -p "$folder/micro-ecc"
cp -r "$crate/micro-ecc/." "$folder/micro-ecc/"
