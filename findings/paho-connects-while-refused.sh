#!/usr/bin/env bash
# paho-mqtt 2.1.0: a broker that demands a client's certificate refuses a client that has none.
# By TLS 1.2 `connect()` raises the alert. By TLS 1.3 it returns success, since there a client's
# handshake ends before the server has looked at the certificate; the alert comes with the first
# read, is written to the library's log at a level that nobody sees by default, and the program
# is told "Unspecified error". One would guess that a `connect()` that returned success means
# that the broker knows the device, and that a refused certificate names itself. Only CONNACK
# says so, with any library.
#
# Seen:
#   TLSv1_2: connect raises SSLError, alert handshake failure
#   TLSv1_3: connect returns 0, on_connect is never called, on_disconnect says Unspecified error
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check paho-mqtt==2.1.0 cryptography==46.0.3
"$folder/venv/bin/python" - "$folder" <<'P'
import datetime as dt
import socket
import ssl
import sys
import threading

import paho.mqtt.client as mqtt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CERTIFICATE, KEY = sys.argv[1] + "/certificate.pem", sys.argv[1] + "/key.pem"


def make_broker():
    """A certificate of the broker's own, which is its clients' authority as well."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    with open(CERTIFICATE, "wb") as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
    with open(KEY, "wb") as file:
        file.write(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))


def refuse(listener, version):
    """The TLS side of a broker that wants a certificate; it stays until the client goes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    context.load_verify_locations(CERTIFICATE)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version
    raw, _ = listener.accept()
    connection = context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
    try:
        connection.do_handshake()
        raise SystemExit("the server took a client without a certificate")
    except ssl.SSLError:
        plain = socket.socket(fileno=connection.detach())
        try:
            while plain.recv(4096):
                pass
        except ConnectionError:
            pass


def told(version):
    listener = socket.create_server(("127.0.0.1", 0))
    broker = threading.Thread(target=refuse, args=(listener, version))
    broker.start()
    said = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.tls_set_context(ssl.create_default_context(cafile=CERTIFICATE))
    client.on_connect = lambda *_: said.append("on_connect")
    client.on_disconnect = lambda _c, _u, _f, reason, _p: said.append(f"on_disconnect: {reason}")
    try:
        code = client.connect("localhost", listener.getsockname()[1])
        said.append(f"connect returns {int(code)}")
        while client.loop(10) == mqtt.MQTT_ERR_SUCCESS:
            pass
    except ssl.SSLError as error:
        said.append(f"connect raises {error.reason}")
        client._sock_close()
    broker.join()
    return said


make_broker()
seen = {version.name: told(version) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)}
for version, said in seen.items():
    print(version, said)
assert seen["TLSv1_3"] == ["connect returns 0", "on_disconnect: Unspecified error"], "changed"
(old,) = seen["TLSv1_2"]
assert old.startswith("connect raises ") and "HANDSHAKE_FAILURE" in old, "changed"
P
