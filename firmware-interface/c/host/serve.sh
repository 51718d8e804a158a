#!/usr/bin/env bash
# Builds a host program around the C device, with P-256, strictly and with sanitizers, and prints
# its path; serve.c says how to use it.
#
#     firmware-interface/c/host/serve.sh FOLDER
#
# STATION_C_DEVICE names another source for the device, for tests that seed a bug.
set -euo pipefail
here="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
mkdir -p "$1"
folder="$(cd "$1" && pwd)"
device="${STATION_C_DEVICE:-$here/../station_device.c}"
firmware="$here/../../firmware"

"$firmware/micro-ecc.sh" "$folder"
sanitized=(-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
own=(-std=c99 -Wall -Wextra -Werror -pedantic "${sanitized[@]}")
curve=(-std=gnu99 -w -O2 -DuECC_SUPPORTS_secp160r1=0 -DuECC_SUPPORTS_secp192r1=0
  -DuECC_SUPPORTS_secp224r1=0 -DuECC_SUPPORTS_secp256k1=0 -DuECC_SUPPORT_COMPRESSED_POINT=0)
include=(-I "$folder/micro-ecc" -I "$firmware" -I "$here/..")

program="$folder/serve-$(basename "$device" .c)"
[ -f "$folder/uECC.o" ] ||
  cc "${curve[@]}" "${include[@]}" -c "$folder/micro-ecc/uECC.c" -o "$folder/uECC.o"
cc "${own[@]}" "${include[@]}" "$here/serve.c" "$device" "$firmware/sha256.c" "$firmware/curve.c" \
  "$folder/uECC.o" -o "$program.new"
mv "$program.new" "$program" # at once: one that is there may be started meanwhile
echo "$program"
