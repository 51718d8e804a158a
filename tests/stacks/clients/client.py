"""A device with Python's ssl. Licensed under Apache-2.0 OR MIT."""

import base64
import pathlib
import socket
import ssl
import sys
import tempfile

SEC1 = (bytes.fromhex("30310201010420"), bytes.fromhex("a00a06082a8648ce3d030107"))
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def pem(label, der):
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n"


def each(run_together):
    while run_together:
        length = 4 + int.from_bytes(run_together[2:4], "big")
        yield run_together[:length]
        run_together = run_together[length:]


def main(directory, port, low, high):
    read = lambda name: (pathlib.Path(directory) / name).read_bytes()
    key = read("key.bin")
    if len(key) == 138:
        text, how = pem("PRIVATE KEY", key), "PKCS#8"
    else:
        text, how = pem("EC PRIVATE KEY", SEC1[0] + key + SEC1[1]), "SEC1"
    print("key:", how)
    certificates = [read("cert.der"), *each(read("chain.der"))]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version, context.maximum_version = VERSIONS[low], VERSIONS[high]
    context.load_verify_locations(cadata="".join(pem("CERTIFICATE", d) for d in each(read("roots.der"))))
    # It takes files alone.
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text + "".join(pem("CERTIFICATE", der) for der in certificates))
        file.flush()
        context.load_cert_chain(file.name)
    plain = socket.create_connection(("127.0.0.1", int(port)), timeout=120)
    with context.wrap_socket(plain, server_hostname="localhost") as tls:
        stream = tls.makefile("rb")
        name = read("client-id")
        body = b"\0\4MQTT\4\2\0\x3c" + len(name).to_bytes(2, "big") + name
        tls.sendall(b"\x10" + bytes([len(body)]) + body)
        answer = stream.read(4)
        assert answer[:1] == b"\x20" and answer[3:] == b"\0", answer
        tls.sendall(b"\xc0\0")
        assert stream.read(2) == b"\xd0\0"
    print("connected")


main(*sys.argv[1:])
