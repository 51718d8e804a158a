#!/usr/bin/env bash
# tpm2-pkcs11 1.9.0, which makes a TPM a PKCS#11 token: a P-256 key that shall sign and do nothing
# else. PKCS#11's way to say that is a template which names its uses, CKA_SIGN and CKA_VERIFY true,
# CKA_ENCRYPT and CKA_DECRYPT false, as several libraries write it by themselves. C_GenerateKeyPair
# answers CKR_GENERAL_ERROR, and of the attributes it is no single one: VERIFY true is taken,
# DECRYPT false is taken, both together are not, and ENCRYPT false never is. A template that leaves
# out what it does not want makes the same key on all tokens.
#
# Seen:
#   SIGN: made
#   VERIFY, SIGN: made
#   SIGN, no DECRYPT: made
#   VERIFY, SIGN, no DECRYPT: CKR_GENERAL_ERROR
#   no ENCRYPT, SIGN: CKR_GENERAL_ERROR
#
# The packages are those of Debian 12 on x86-64, with swtpm 0.7.1 as the TPM, below PyKCS11 1.5.20.
set -euo pipefail
folder="$(mktemp -d)"
trap 'kill "${tpm:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check PyKCS11==1.5.20
cd "$folder"
apt-get download -qq libtpm2-pkcs11-1=1.9.0-0.1+deb12u1 libtss2-esys-3.0.2-0=3.2.1-3 \
  libtss2-mu0=3.2.1-3 libtss2-rc0=3.2.1-3 libtss2-sys1=3.2.1-3 libtss2-tctildr0=3.2.1-3 \
  libtss2-tcti-swtpm0=3.2.1-3 libtss2-fapi1=3.2.1-3 libyaml-0-2 libjson-glib-1.0-0 libjson-c5 \
  swtpm=0.7.1-1.3 swtpm-libs=0.7.1-1.3 libtpms0=0.9.2-3.1+deb12u1 2>/dev/null
for package in *.deb; do dpkg -x "$package" .; done
libraries="$folder/usr/lib/x86_64-linux-gnu"
export LD_LIBRARY_PATH="$libraries:$libraries/swtpm"

cat >pairs.py <<'P'
import sys

from PyKCS11 import *

YES, NO = CK_TRUE, CK_FALSE
SIGN = (CKA_SIGN, YES)
PAIRS = [
    ("SIGN", [], [SIGN]),
    ("VERIFY, SIGN", [(CKA_VERIFY, YES)], [SIGN]),
    ("SIGN, no DECRYPT", [], [SIGN, (CKA_DECRYPT, NO)]),
    ("VERIFY, SIGN, no DECRYPT", [(CKA_VERIFY, YES)], [SIGN, (CKA_DECRYPT, NO)]),
    ("no ENCRYPT, SIGN", [(CKA_ENCRYPT, NO)], [SIGN]),
]
P256 = bytes.fromhex("06082a8648ce3d030107")

library = PyKCS11Lib()
library.load(sys.argv[1])
if sys.argv[2] == "token":
    library.initToken(library.getSlotList()[-1], "s-12345678", "line-1".ljust(32))
slot = next(one for one in library.getSlotList(tokenPresent=True)
            if library.getTokenInfo(one).label.strip() == "line-1")
session = library.openSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION)
if sys.argv[2] == "token":
    session.login("s-12345678", CKU_SO)
    session.initPin("p-12345678")
else:
    number = int(sys.argv[2])
    name, public, private = PAIRS[number]
    session.login("p-12345678")
    both = [(CKA_TOKEN, YES), (CKA_KEY_TYPE, CKK_EC), (CKA_LABEL, name), (CKA_ID, bytes([number]))]
    try:
        session.generateKeyPair(
            both + [(CKA_CLASS, CKO_PUBLIC_KEY), (CKA_EC_PARAMS, P256)] + public,
            both + [(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_PRIVATE, YES)] + private,
            mecha=Mechanism(CKM_EC_KEY_PAIR_GEN))
        print(f"{name}: made")
    except PyKCS11Error as error:
        print(f"{name}: {str(error).split()[0]}")
session.logout()
session.closeSession()
P
# A new TPM for each: one without a resource manager is soon full.
for number in 0 1 2 3 4; do
  here="$folder/$number"
  mkdir -p "$here/state" "$here/store"
  "$folder/usr/bin/swtpm" socket --tpm2 --tpmstate dir="$here/state" \
    --server type=unixio,path="$here/tpm" --ctrl type=unixio,path="$here/tpm.ctrl" \
    --flags startup-clear,not-need-init >"$here/log" 2>&1 &
  tpm=$!
  for _ in $(seq 100); do [ -S "$here/tpm" ] && break; read -r -t 0.1 <> <(:) || true; done
  export TPM2_PKCS11_STORE="$here/store" TPM2_PKCS11_TCTI="swtpm:path=$here/tpm"
  for what in token "$number"; do
    "$folder/venv/bin/python" pairs.py "$libraries/libtpm2_pkcs11.so.1" "$what" 2>>"$here/log" ||
      { cat "$here/log"; exit 1; }
  done
  kill "$tpm"
done | tee seen
[ "$(cat seen)" = "SIGN: made
VERIFY, SIGN: made
SIGN, no DECRYPT: made
VERIFY, SIGN, no DECRYPT: CKR_GENERAL_ERROR
no ENCRYPT, SIGN: CKR_GENERAL_ERROR" ]
