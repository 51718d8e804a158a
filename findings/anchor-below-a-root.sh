#!/usr/bin/env bash
# A certificate authority below an offline root, handed alone to whoever verifies: OpenSSL
# (here 3.5, in PyPI's cryptography 46.0.3 by pyOpenSSL 25.3.0) refuses every certificate that
# this authority issued, error 2, "unable to get issuer certificate", although the very
# certificate that it was told to trust signed the leaf. The X.509 verifier of the same
# cryptography package takes it. OpenSSL wants the path to end in a self-signed certificate
# unless X509_V_FLAG_PARTIAL_CHAIN is set, and servers that are built on it (mosquitto, Node)
# don't set it, as Erlang's own verifier wants the root too: they need the root in the file as
# well, which then lets in everybody below that root.
#
# Seen:
#   cryptography's verifier, authority alone:  accepted
#   OpenSSL, authority alone:                  error 2
#   OpenSSL, authority alone, partial chain:   accepted
#   OpenSSL, authority and root:               accepted
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check cryptography==46.0.3 pyOpenSSL==25.3.0
"$folder/venv/bin/python" - <<'P'
import datetime as dt

from cryptography import x509
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification
from OpenSSL import crypto

NOW = dt.datetime.now(dt.timezone.utc)


def certificate(name, key, issuer, issuer_key, ca):
    """One certificate; `ca` is its path length, or None for a client."""
    usage = {word: False for word in (
        "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "encipher_only", "decipher_only")}
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca is not None, ca), True)
        .add_extension(x509.KeyUsage(digital_signature=ca is None, key_cert_sign=ca is not None,
                                     crl_sign=ca is not None, **usage), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    )
    if ca is None:
        name = x509.DNSName("unit-1.example")
        builder = builder.add_extension(x509.SubjectAlternativeName([name]), False)
        purpose = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = builder.add_extension(purpose, False)
    return builder.sign(issuer_key, hashes.SHA256())


root_key, line_key, unit_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
root = certificate("root", root_key, "root", root_key, 1)
line = certificate("line 1", line_key, "root", root_key, 0)
unit = certificate("unit-1", unit_key, "line 1", line_key, None)


def own_verifier(*anchors):
    store = verification.Store(list(anchors))
    try:
        verification.PolicyBuilder().store(store).build_client_verifier().verify(unit, [])
        return "accepted"
    except verification.VerificationError as error:
        return str(error)


def openssl(*anchors, flags=0):
    store = crypto.X509Store()
    for anchor in anchors:
        store.add_cert(crypto.X509.from_cryptography(anchor))
    store.set_flags(flags)
    try:
        crypto.X509StoreContext(store, crypto.X509.from_cryptography(unit)).verify_certificate()
        return "accepted"
    except crypto.X509StoreContextError as error:
        return f"error {error.errors[0]}, {error.errors[2]}"


print(backend.openssl_version_text())
seen = [
    own_verifier(line),
    openssl(line),
    openssl(line, flags=crypto.X509StoreFlags.PARTIAL_CHAIN),
    openssl(line, root),
]
for each in seen:
    print(each)
wanted = ["accepted", "error 2, unable to get issuer certificate", "accepted", "accepted"]
assert seen == wanted, seen
P
