"""Reads each NAME.png of a folder and holds its bytes against those of NAME.txt."""

import pathlib
import sys

import zxingcpp
from PIL import Image

folder = pathlib.Path(sys.argv[1])
wrong = 0
pictures = sorted(folder.glob("*.png"))
for picture in pictures:
    wanted = picture.with_suffix(".txt").read_bytes()
    found = [code.bytes for code in zxingcpp.read_barcodes(Image.open(picture))]
    if found != [wanted]:
        wrong += 1
        print(f"{picture.name}: {found}, not {wanted}")
print(f"{len(pictures) - wrong} of {len(pictures)} labels read back")
sys.exit(1 if wrong or not pictures else 0)
