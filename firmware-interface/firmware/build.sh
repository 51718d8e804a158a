#!/usr/bin/env bash
# Builds the firmware for QEMU's mps2-an385 and prints the path of its ELF file.
#
#     firmware-interface/firmware/build.sh [FOLDER]
#
# Needs arm-none-eabi-gcc (Debian: gcc-arm-none-eabi, no libc for it) and, once, the crate registry,
# from which it takes the C sources of micro-ecc (BSD-2-Clause; its licence is put beside them).
# Does nothing where the ELF is newer than all it is made of. STATION_C_DEVICE names another source
# for the device, for tests that seed a bug.
set -euo pipefail
here="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
folder="${1:-$here/../../target/firmware${STATION_C_DEVICE:+-other}}"
device="${STATION_C_DEVICE:-$here/../c/station_device.c}"
mkdir -p "$folder"
folder="$(cd "$folder" && pwd)"
elf="$folder/mps2-an385.elf"

# Several tests may want it at once.
exec 9>"$folder/lock"
flock 9

is_fresh() {
  [ -f "$elf" ] && [ -z "${STATION_C_DEVICE:-}" ] || return 1
  [ -z "$(find "$here" "$here/../c" "$device" -type f -newer "$elf" -print -quit)" ]
}
if is_fresh; then echo "$elf"; exit 0; fi

"$here/micro-ecc.sh" "$folder"

own=(-std=c99 -Wall -Wextra -Werror -pedantic)
common=(-mcpu=cortex-m3 -mthumb -O2 -g -ffreestanding -ffunction-sections -fdata-sections
  -fno-tree-loop-distribute-patterns -I "$folder/micro-ecc" -I "$here" -I "$here/../c")
curve=(-std=gnu99 -w -DuECC_PLATFORM=uECC_arm_thumb2 -DuECC_OPTIMIZATION_LEVEL=2
  -DuECC_SUPPORTS_secp160r1=0 -DuECC_SUPPORTS_secp192r1=0 -DuECC_SUPPORTS_secp224r1=0
  -DuECC_SUPPORTS_secp256k1=0 -DuECC_SUPPORTS_secp256r1=1 -DuECC_SUPPORT_COMPRESSED_POINT=0)

objects=()
compile() {
  local source="$1" object
  shift
  object="$folder/$(basename "$source" .c).o"
  arm-none-eabi-gcc "${common[@]}" "$@" -c "$source" -o "$object"
  objects+=("$object")
}
for source in main start uart flash curve semihosting sha256; do

  compile "$here/$source.c" "${own[@]}"
done
compile "$device" "${own[@]}"
compile "$folder/micro-ecc/uECC.c" "${curve[@]}"

arm-none-eabi-gcc -mcpu=cortex-m3 -mthumb -nostdlib -nostartfiles -Wl,--gc-sections \
  -T "$here/link.ld" "${objects[@]}" -lgcc -o "$elf.new"
mv "$elf.new" "$elf"
echo "$elf"
