# A device with MicroPython's ssl, which is mbedTLS. Licensed under Apache-2.0 OR MIT.
# It takes a certificate's DER, and no bytes of anything that stands behind it.

import socket
import ssl
import sys

SEC1 = (bytes([0x30, 0x31, 2, 1, 1, 4, 0x20]), bytes([0xA0, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7]))


def read(directory, name):
    with open(directory + "/" + name, "rb") as file:
        return file.read()


def main(directory, port, low, high):
    key = read(directory, "key.bin")
    if len(key) == 138:
        how = "PKCS#8"
    else:
        key, how = SEC1[0] + key + SEC1[1], "SEC1"
    print("key:", how)
    if low == "1.3":
        # Its mbedTLS is built without: the server says that it knows no protocol of the client's.
        print("failed: no TLS 1.3")
        return 1
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=read(directory, "roots.der"))
    context.load_cert_chain(read(directory, "cert.der") + read(directory, "chain.der"), key)
    plain = socket.socket()
    plain.connect(socket.getaddrinfo("127.0.0.1", int(port))[0][-1])
    tls = context.wrap_socket(plain, server_hostname="localhost")
    name = read(directory, "client-id")
    body = b"\0\4MQTT\4\2\0\x3c" + bytes([0, len(name)]) + name
    tls.write(b"\x10" + bytes([len(body)]) + body)
    answer = tls.read(4)
    assert answer[:1] == b"\x20" and answer[3:] == b"\0", answer
    tls.write(b"\xc0\0")
    assert tls.read(2) == b"\xd0\0"
    print("connected")
    return 0


if len(sys.argv) == 1:
    print(".".join(str(number) for number in sys.implementation.version[:2]))
else:
    sys.exit(main(*sys.argv[1:]))
