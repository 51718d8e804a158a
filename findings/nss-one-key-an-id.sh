#!/usr/bin/env bash
# NSS softokn 3.87.1, a PKCS#11 token whose store goes by CKA_ID: C_GenerateKeyPair with an id that
# a key of the token has already, under another label, gives CKR_OK, and the older private key is
# gone for good, with its public key and its label. PKCS#11 asks for no unique id, and SoftHSM2
# 2.6.1 keeps both pairs; a program that looks for a free *label* before it makes an authority's key
# therefore destroys another one's on NSS alone. The id must be looked for as well.
#
# Seen, each pair of id 01:
#   SoftHSM2: after `first` 1 private key; after `second` 2: first second
#   NSS:      after `first` 1 private key; after `second` 1: second
#
# The packages are those of Debian 12 on x86-64, below python-pkcs11 0.10.1.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check python-pkcs11==0.10.1
cd "$folder"
apt-get download -qq libnss3=2:3.87.1-1+deb12u4 libnss3-tools=2:3.87.1-1+deb12u4 \
  libnspr4=2:4.35-1 libp11-kit0=0.24.1-2 p11-kit-modules=0.24.1-2 \
  softhsm2=2.6.1-2.1 softhsm2-common=2.6.1-2.1 libsofthsm2=2.6.1-2.1 2>/dev/null
for package in *.deb; do dpkg -x "$package" .; done
libraries="$folder/usr/lib/x86_64-linux-gnu"
export PATH="$folder/usr/bin:$PATH" LD_LIBRARY_PATH="$libraries:$libraries/nss"

mkdir nss soft home
printf 'p-12345678' >pin
certutil -N -d "sql:$folder/nss" -f pin
printf 'directories.tokendir = %s/soft\n' "$folder" >softhsm2.conf
export SOFTHSM2_CONF="$folder/softhsm2.conf"
softhsm="$(find "$folder/usr/lib" -name libsofthsm2.so | head -1)"
softhsm2-util --module "$softhsm" --init-token --free --label line-1 --pin p-12345678 \
  --so-pin s-12345678 >/dev/null

# NSS wants parameters when it starts; p11-kit's proxy gives them. It reads a user's own settings
# for anybody but root.
mkdir -p home/.config/pkcs11/modules
echo 'user-config: only' >home/.config/pkcs11/pkcs11.conf
printf '%s\n' "module: $libraries/libsoftokn3.so" \
  "x-init-reserved: configdir='sql:$folder/nss' certPrefix='' keyPrefix='' secmod='secmod.db' dbTokenDescription='line-1' flags=" \
  >home/.config/pkcs11/modules/nss.module
as_user=()
if [ "$(id -u)" = 0 ]; then as_user=(unshare --user --map-user=1000); fi

cat >pairs.py <<'P'
import sys

import pkcs11
from pkcs11 import Attribute, KeyType, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters

library = pkcs11.lib(sys.argv[1])
token = next(one for one in library.get_tokens() if one.label.strip() == "line-1")
with token.open(rw=True, user_pin="p-12345678") as session:
    curve = session.create_domain_parameters(
        KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True)
    for label in ("first", "second"):
        curve.generate_keypair(store=True, id=b"\x01", label=label)
        keys = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: b"\x01"})
        print(*sorted(key.label for key in keys))
P

pairs() { HOME="$folder/home" "${as_user[@]}" "$folder/venv/bin/python" pairs.py "$1"; }

soft="$(pairs "$softhsm")"
nss="$(pairs "$libraries/p11-kit-proxy.so")"
printf 'SoftHSM2, after each pair: %s\nNSS, after each pair: %s\n' "${soft//$'\n'/; }" "${nss//$'\n'/; }"
[ "$soft" = $'first\nfirst second' ]
[ "$nss" = $'first\nsecond' ]
