#!/usr/bin/env bash
# esp-secure-cert-tool 2.6.1, which makes the partition from which ESP32 applications take their
# TLS identity: `--device-cert` with a file of two certificates, the device's and that of the
# authority above it, as every other TLS tool takes it, writes the first one alone, and says that
# all entries were processed. The second certificate is nowhere in the partition, so a device
# below an intermediate authority sends a chain that a broker which knows the root alone refuses.
# One would guess that the file is stored as it is, or that a part that is left out is told.
#
# Seen: the tool ends with 0; of the device's certificate there is one in the partition, of its
# issuer none.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check esp-secure-cert-tool==2.6.1 \
  esptool==5.6.0 esp-idf-nvs-partition-gen==0.3.0 cryptography==50.0.2
cd "$folder"
"$folder/venv/bin/python" - <<'P'
import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NOW = dt.datetime.now(dt.timezone.utc)
NAMES = {name: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
         for name in ("root", "station", "unit-1")}
KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in NAMES}


def certificate(name, issuer):
    return (
        x509.CertificateBuilder()
        .subject_name(NAMES[name]).issuer_name(NAMES[issuer])
        .public_key(KEYS[name].public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(NOW).not_valid_after(NOW + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(name != "unit-1", None), True)
        .sign(KEYS[issuer], hashes.SHA256())
    )


def pem(*certificates):
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


root, station, unit = (certificate("root", "root"), certificate("station", "root"),
                       certificate("unit-1", "station"))
files = {
    "chain.pem": pem(unit, station),
    "root.pem": pem(root),
    "unit.der": unit.public_bytes(serialization.Encoding.DER),
    "station.der": station.public_bytes(serialization.Encoding.DER),
    "key.pem": KEYS["unit-1"].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()),
}
for name, content in files.items():
    with open(name, "wb") as file:
        file.write(content)
P
"$folder/venv/bin/python" "$folder/venv/bin/configure_esp_secure_cert.py" --skip_flash \
  --secure_cert_type cust_flash_tlv --target_chip esp32c3 --priv_key_algo ECDSA 256 \
  --private-key key.pem --device-cert chain.pem --ca-cert root.pem >said 2>&1
grep -i 'successfully processed' said
"$folder/venv/bin/python" - <<'P'
import base64
import pathlib

(partition,) = pathlib.Path(".").rglob("esp_secure_cert.bin")
bytes_ = partition.read_bytes()


def times(name):
    der = pathlib.Path(name).read_bytes()
    text = base64.b64encode(der)[:60]
    return bytes_.count(der) + bytes_.replace(b"\n", b"").count(text)


seen = times("unit.der"), times("station.der")
print("device's certificate: %d, its issuer's: %d" % seen)
assert seen == (1, 0), "changed"
P
