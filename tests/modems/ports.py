"""pyserial's list of ports, with those named in MODEM_PORTS besides.

Nordic's tools take no port that pyserial does not list, and it lists no pseudo-terminals. It is
found as `sitecustomize`, so that the tools themselves stay as they are.
"""

import os

import serial.tools.list_ports
import serial.tools.list_ports_common

_listed = serial.tools.list_ports.comports


def comports(include_links=False):
    ports = filter(None, os.environ.get("MODEM_PORTS", "").split(":"))
    info = serial.tools.list_ports_common.ListPortInfo
    return list(_listed(include_links)) + [info(os.path.realpath(port)) for port in ports]


serial.tools.list_ports.comports = comports
