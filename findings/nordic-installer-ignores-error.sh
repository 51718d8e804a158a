#!/usr/bin/env bash
# nrfcloud-utils 3.3.1, Nordic's installer of device credentials: a modem that answers ERROR to
# the command that stores a certificate (AT%CMNG=0), as one does whose tag is taken or whose store
# is full, is a success for it. The tool ends with 0 and names nothing: the library under it hands
# the modem's answer back, and the installer does not look at it. One would guess that a tool
# whose work is to store a certificate says whether it was stored. Only `--verify`, which asks the
# modem for what it holds, tells, and with `--local-cert-file` that is not reached.
#
# Seen: the modem got AT%CMNG=0, answered ERROR; the installer ended with 0.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check nrfcloud-utils==3.3.1 \
  nrfcredstore==2.1.0 pyserial==3.5 cryptography==50.0.2
cd "$folder"
printf -- '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n' >certificate.pem
"$folder/venv/bin/python" - <<'P'
import os
import pty
import sys
import threading
import tty

import serial.tools.list_ports
import serial.tools.list_ports_common

master, slave = pty.openpty()
tty.setraw(slave)
port = os.ttyname(slave)
# The tool takes no port that pyserial does not list, and it lists no pseudo-terminals.
listed = serial.tools.list_ports_common.ListPortInfo(port)
serial.tools.list_ports.comports = lambda include_links=False: [listed]

ANSWERS = {
    b"AT+CGSN": b"352656100367872\r\n\r\nOK\r\n",
    b"AT+CGMR": b"mfw_nrf9160_1.3.6\r\n\r\nOK\r\n",
    b"AT+CGMM": b"nRF9160-SICA\r\n\r\nOK\r\n",
}
stored = []


def modem():
    line, quoted = b"", False
    while True:
        for byte in os.read(master, 1):
            quoted ^= byte == 0x22
            if quoted or byte not in b"\r\n":
                line += bytes([byte])
                continue
            command, line = line.strip(), b""
            if command.startswith(b"AT%CMNG=0"):
                stored.append(command[:20])
                os.write(master, b"ERROR\r\n")
            elif command:
                os.write(master, ANSWERS.get(command, b"OK\r\n"))


threading.Thread(target=modem, daemon=True).start()

from nrfcloud_utils import device_credentials_installer as installer

try:
    installer.main(["--port", port, "--cmd-type", "at", "--sectag", "42", "--cert-type", "1",
                    "--local-cert-file", "certificate.pem"])
    ended = 0
except SystemExit as end:
    ended = end.code
print("the modem refused", [command.decode() for command in stored], "- the installer ended with", ended)
assert len(stored) == 1 and ended in (0, None), "changed"
P
