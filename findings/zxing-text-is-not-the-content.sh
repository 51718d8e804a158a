#!/usr/bin/env bash
# zxing-cpp 3.1.1: two different symbols are read as one and the same text. What separates the
# fields of a label in GS1 and ISO/IEC 15434 symbols, the byte 0x1D, comes back in `text` as the
# four characters <GS>, and a symbol in which these four characters are really printed gives the
# same text. TAB, CR and LF come back as they are. One would guess that the text of a symbol is
# what was encoded, as it is for all characters before 0x7F but these. A test that reads a label
# back by its text can't tell a good one from one whose separator was printed as letters: bytes
# must be compared.
#
# Seen, for QR Code, Data Matrix, Code 128, Aztec and PDF417 alike:
#   printed A 0x1D B:  text A<GS>B, bytes A 0x1D B
#   printed A<GS>B:    text A<GS>B, bytes A<GS>B
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check zxing-cpp==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'P'
import zxingcpp

KINDS = ("QRCode", "DataMatrix", "Code128", "Aztec", "PDF417")


def read_back(content, kind):
    symbol = zxingcpp.create_barcode(content, getattr(zxingcpp.BarcodeFormat, kind))
    (found,) = zxingcpp.read_barcodes(zxingcpp.write_barcode_to_image(symbol, scale=3))
    return found.text, found.bytes


for kind in KINDS:
    separator, letters = read_back("A\x1dB", kind), read_back("A<GS>B", kind)
    print(kind, separator, letters)
    assert separator == ("A<GS>B", b"A\x1dB"), "changed"
    assert letters == ("A<GS>B", b"A<GS>B"), "changed"
    assert read_back("A\tB\r\n", kind) == ("A\tB\r\n", b"A\tB\r\n"), "changed"
P
