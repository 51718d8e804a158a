#!/usr/bin/env bash
# Zephyr 4.4's SMP server (the native_sim build that the tests of PyPI's smpclient 7.3.0 carry):
# the upload of an empty file over one that is there is answered with success, offset 0, and the
# file keeps all of its old content. An upload of any other length replaces the file, a shorter
# one over a longer one too. One would guess an empty file, or an error. So no file can be
# emptied by this protocol, and whoever takes the answer for a deletion, for instance of an
# identity that a device is to lose, leaves it there: overwrite it with one byte and read back.
#
# Seen:
#   10 bytes, then 3 bytes:  the file has 3
#   then 0 bytes:            answered with offset 0 and no error; the file still has the 3
#
# The server is a program of 32 bits for Linux on x86.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip="$folder/venv/bin/pip --disable-pip-version-check -q"
$pip install 'smpclient[serial]==7.3.0'
$pip download --no-deps --no-binary smpclient -d "$folder" smpclient==7.3.0
tar -xzf "$folder/smpclient-7.3.0.tar.gz" -C "$folder" --wildcards '*native_sim_serial_fs.exe'
server="$(find "$folder" -name '*native_sim_serial_fs.exe')"
loader=()
if [ ! -e /lib/ld-linux.so.2 ]; then
  (cd "$folder" && apt-get download -qq libc6-i386 && dpkg -x libc6-i386_*.deb .)
  libraries="$(dirname "$(find "$folder" -name libc.so.6)")"
  loader=("$(find "$folder" -name 'ld-linux.so.2' -type f -o -name 'ld-linux.so.2' | head -1)")
  loader+=(--library-path "$libraries")
fi
"$folder/venv/bin/python" - "$folder" "${loader[@]}" "$server" <<'P'
import asyncio
import re
import subprocess
import sys

from smpclient import SMPClient
from smpclient.requests.file_management import FileUpload
from smpclient.transport.serial import SMPSerialTransport

NAME = "/lfs1/identity"
folder, command = sys.argv[1], sys.argv[2:]
server = subprocess.Popen(
    [*command, f"--flash={folder}/flash.bin"],
    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
port = next(found[1] for line in server.stdout if (found := re.search(r"(/dev/pts/\d+)", line)))


async def talk():
    seen = []
    async with SMPClient(SMPSerialTransport(), port) as client:
        for content in (b"0123456789", b"abc"):
            async for _ in client.upload_file(content, NAME):
                pass
            seen.append(bytes(await client.download_file(NAME)))
        answer = await client.request(FileUpload(name=NAME, off=0, data=b"", len=0))
        print("answer to the empty upload:", type(answer).__name__, "offset", answer.off)
        seen.append(bytes(await client.download_file(NAME)))
    return seen, type(answer).__name__, answer.off


try:
    seen, kind, offset = asyncio.run(asyncio.wait_for(talk(), 60))
finally:
    server.kill()
print(seen)
assert (kind, offset) == ("FileUploadResponse", 0), "changed"
assert seen == [b"0123456789", b"abc", b"abc"], "changed"
P
