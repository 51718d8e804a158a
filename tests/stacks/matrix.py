"""Devices with real TLS stacks against real servers, with the bytes of a device's flash.

For each profile a station of its own provisions a simulated device; the device's flash is read as
docs/protocol.md says where everything stands, and its objects are all that a client gets. Each
client connects to each server, which demands a client certificate below the exported CA file, and
shows by MQTT that it is connected. What comes out is the table in docs/firmware.md.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "firmware.md"
BEGIN, END = "<!-- tests/stacks: begin -->", "<!-- tests/stacks: end -->"
ENVIRONMENT = {**os.environ, "STATION_AUTHORITY_PASSPHRASE": "a passphrase for tests alone"}
# A machine that does much else lets a virtual machine start for a minute. The table has nobody who
# waits for so long, so it costs nothing.
PATIENCE = 300

C_CLIENTS = {"mbedTLS": "mbedtls", "wolfSSL": "wolfssl", "GnuTLS": "gnutls", "BearSSL": "bearssl", "OpenSSL": "openssl"}
SERVERS = ["mosquitto", "Erlang", "Java", "GnuTLS", "rustls"]


class Profile:
    def __init__(self, title, valid_for="20y", key=None, root=None, prefix="", tls=("1.2", "1.3")):
        self.title, self.valid_for, self.key, self.root = title, valid_for, key, root
        self.prefix, self.tls = prefix, tls


PROFILES = [
    Profile("20y, scalar"),
    Profile("20y, pkcs8", key='key_format = "pkcs8"'),
    Profile("no expiry", valid_for="no-expiry"),
    Profile("CN of 64", prefix="x" * 50),
    Profile("below P-256", root="ec", key='key_format = "pkcs8"'),
    Profile("below RSA", root="rsa"),
    Profile("key of the device", key='key_origin = "device"'),
    Profile("TLS 1.2 only", tls=("1.2", "1.2")),
    Profile("TLS 1.3 only", tls=("1.3", "1.3")),
]


def run(command, folder, **more):
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=ENVIRONMENT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, **more)
    if done.returncode != 0:
        sys.exit(f"{command}: {done.stdout}")
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_server_certificate(folder):
    """A root for servers, and a server below it, of this machine."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run(["openssl", "req", "-x509", *curve, "-keyout", "server-root.key", "-out", "server-root.pem",
         "-subj", "/CN=Servers of a test", "-days", "30", "-addext", "basicConstraints=critical,CA:TRUE",
         "-addext", "keyUsage=critical,keyCertSign"], folder)
    run(["openssl", "req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost"], folder)
    (folder / "server.ext").write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
        "subjectAltName=DNS:localhost\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    run(["openssl", "x509", "-req", "-in", "server.csr", "-CA", "server-root.pem", "-CAkey", "server-root.key",
         "-days", "30", "-extfile", "server.ext", "-out", "server.pem"], folder)


def make_authority(station, profile, folder):
    """The station's CA; below an offline root where the profile says so."""
    if profile.root is None:
        run([station, "authority", "init", "--common-name", "Stacks CA"], folder)
    else:
        curve = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if profile.root == "ec" else ["rsa:3072"]
        run(["openssl", "req", "-x509", "-newkey", *curve, "-nodes", "-keyout", "root.key", "-out", "root.pem",
             "-subj", "/CN=Offline root", "-days", "20000", "-addext", "basicConstraints=critical,CA:TRUE,pathlen:1",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign"], folder)
        run([station, "authority", "request", "--out", "line.csr"], folder)
        (folder / "line.ext").write_text(
            "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
            "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        run(["openssl", "x509", "-req", "-in", "line.csr", "-CA", "root.pem", "-CAkey", "root.key", "-days", "15000",
             "-extfile", "line.ext", "-out", "line.pem"], folder)
        (folder / "chain.pem").write_text((folder / "line.pem").read_text() + (folder / "root.pem").read_text())
        run([station, "authority", "import", "chain.pem"], folder)
    (folder / "cas.pem").write_text(run([station, "authority", "export", "--chain"], folder))


def provision(station, profile, folder):
    """One device, provisioned; gives its flash."""
    (folder / "station.toml").write_text(f"""
[station]
id = "stacks"
data_dir = "data"
[product]
name = "TH200"
serial_pattern = "TH200-[0-9]{{8}}"
client_id = "{profile.prefix}{{serial}}"
{profile.key or ""}
[certificate]
organization = "ExampleDevices"
valid_for = "{profile.valid_for}"
[authority]
certificate = "ca.pem"
key = "ca.key"
[broker]
host = "localhost"
server_root = "server-root.pem"
tls_min = "{profile.tls[0]}"
tls_max = "{profile.tls[1]}"
[[slots]]
name = "A"
port = "slot-a"
""")
    make_authority(station, profile, folder)
    keygen = ["--keygen"] if profile.key and "device" in profile.key else []
    device = subprocess.Popen(
        [station, "sim", "device", "--link", "slot-a", "--state", "devices", "--baud", "0", *keygen],
        cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: (folder / "slot-a").exists(), "a simulated device")
        run([station, "batch", "--serials", "-"], folder, input="TH200-00000001\n")
    finally:
        device.terminate()
        device.wait()
    flashes = list((folder / "devices").glob("*.flash"))
    assert len(flashes) == 1, flashes
    return flashes[0].read_bytes()


def objects_of(flash):
    """What docs/protocol.md, section 9, says of a slot: its header, its objects by kind."""
    lock, header = 16, 96
    capacity = (len(flash) - lock - 2 * header) // 2
    for slot in range(2):
        head = flash[lock + slot * header:][:header]
        crc = struct.unpack("<I", head[92:])[0]
        if head[:4] != b"PSI1" or crc != zlib.crc32(head[:92]):
            continue
        at, found = lock + 2 * header + slot * capacity, {}
        for entry in range(head[40]):
            kind, length = struct.unpack_from("<BH", head, 41 + 3 * entry)
            found[kind] = flash[at:at + length]
            at += length
        if 2 in found:
            found[1] = head[56:88]
        return found
    sys.exit("no slot of the flash holds an identity")


def lay_out(objects, folder):
    """The objects as files, and where and as whom to connect."""
    folder.mkdir()
    settings = objects[6]
    length = settings[5]
    for name, content in [
        ("key.bin", objects.get(1) or objects[7]), ("cert.der", objects[3]), ("chain.der", objects.get(4, b"")),
        ("roots.der", objects[5]), ("client-id", settings[6:6 + length]),
    ]:
        (folder / name).write_bytes(content)
    return [f"1.{settings[1] - 1}", f"1.{settings[2] - 1}"]


def wait_until(holds, what):
    until = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > until:
            sys.exit(f"{what} did not come")
        time.sleep(0.02)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def server_commands(folder, programs, port):
    files = [folder / "server.pem", folder / "server.key", folder / "cas.pem"]
    (folder / f"mosquitto-{port}.conf").write_text(
        f"listener {port} 127.0.0.1\nuser root\ncafile {files[2]}\ncertfile {files[0]}\nkeyfile {files[1]}\n"
        "require_certificate true\nuse_identity_as_username true\n")
    return {
        "mosquitto": ["mosquitto", "-c", folder / f"mosquitto-{port}.conf"],
        "Erlang": ["escript", HERE / "servers" / "server.escript", port, *files],
        "Java": ["java", "-cp", programs, "Server", port, *files],
        "GnuTLS": [programs / "server-gnutls", port, *files],
        "rustls": [programs / "server-rustls", port, *files],
    }


def start_servers(folder, programs):
    started = {}
    for name in SERVERS:
        port = free_port()
        command = [str(word) for word in server_commands(folder, programs, port)[name]]
        log = open(folder / f"{name}.log", "w")
        started[name] = (port, subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL))
    for name, (port, _) in started.items():
        wait_until(lambda: listens(port), name)
    return started


def client_commands(programs):
    commands = {title: [programs / f"client-{name}"] for title, name in C_CLIENTS.items()}
    commands["Python"] = ["/usr/bin/python3", HERE / "clients" / "client.py"]
    commands["Java"] = ["java", "-cp", programs, "Client"]
    commands["Erlang"] = ["escript", HERE / "clients" / "client.escript"]
    commands["Node"] = ["node", HERE / "clients" / "client.mjs"]
    commands["MicroPython"] = [programs / "venv/bin/micropython", HERE / "clients" / "micropython.py"]
    return commands


def connect(command, device, port, tls, **environment):
    try:
        done = subprocess.run([str(word) for word in [*command, device, port, *tls]], text=True,
                              env={**ENVIRONMENT, **environment},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return "silent", ""
    key = re.search(r"^key: (.*)$", done.stdout, re.M)
    if done.returncode == 0 and done.stdout.endswith("connected\n"):
        return "connected", key[1]
    reason = re.search(r"^failed: (.*)$", done.stdout, re.M)
    return (reason[1] if reason else done.stdout.strip()[-300:]), key[1] if key else ""


def try_profile(station, programs, profile):
    """What came of each client at each server, and how each took its key."""
    with tempfile.TemporaryDirectory(prefix="stacks.") as name:
        folder = pathlib.Path(name)
        make_server_certificate(folder)
        tls = lay_out(objects_of(provision(station, profile, folder)), folder / "device")
        assert tls == list(profile.tls), tls
        servers = start_servers(folder, programs)
        try:
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                tried = {
                    (client, server): pool.submit(connect, command, folder / "device", port, tls)
                    for client, command in client_commands(programs).items()
                    for server, (port, _) in servers.items()
                }
            results = {pair: future.result() for pair, future in tried.items()}
            if profile is PROFILES[0]:
                # With a clock that was never set, at one server.
                port = servers["GnuTLS"][0]
                for client, command in client_commands(programs).items():
                    unset = {"LD_PRELOAD": str(programs / "clock.so")}
                    results[client, "clock"] = connect(command, folder / "device", port, tls, **unset)
            return results
        finally:
            for _, process in servers.values():
                process.terminate()
                process.wait()


def cell(outcomes):
    """One client in one profile, over all servers."""
    wrong = {server: re.sub(r" \(.*", "", said) for server, said in outcomes.items() if said != "connected"}
    if not wrong:
        return "all"
    if len(wrong) == len(outcomes) and len(set(wrong.values())) == 1:
        return next(iter(wrong.values()))
    return "not " + ", ".join(f"{server}: {said}" for server, said in wrong.items())


def versions(programs):
    def package(name):
        shown = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], text=True, stdout=subprocess.PIPE)
        return re.split(r"[-+]", shown.stdout.split(":")[-1])[0]

    def minor(version):
        return ".".join(version.split(".")[:2])

    def said(command, pattern):
        shown = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return re.search(pattern, shown.stdout)[1]

    return {
        "mbedTLS": package("libmbedtls-dev"), "wolfSSL": package("libwolfssl-dev"), "GnuTLS": package("libgnutls28-dev"),
        "BearSSL": package("libbearssl-dev"), "OpenSSL": minor(package("libssl-dev")),
        "Python": said(["/usr/bin/python3", "--version"], r"(\d+\.\d+)"),
        "Java": said(["java", "-version"], r'version "(\d+)'), "Erlang": "OTP " + package("erlang-base").split(".")[0],
        "Node": said(["node", "--version"], r"v(\d+)"),
        "MicroPython": said([programs / "venv/bin/micropython", HERE / "clients" / "micropython.py"], r"(\d+\.\d+)"),
        "mosquitto": minor(package("mosquitto")),
        "rustls": re.search(r'name = "rustls"\nversion = "(\d+\.\d+)', (ROOT / "Cargo.lock").read_text())[1],
    }


def table(results, programs):
    known = versions(programs)
    lines = ["| device's stack | " + " | ".join(profile.title for profile in PROFILES) + " | scalar gets in as | pkcs8 gets in as | clock at 1970 |"]
    lines.append("|" + " --- |" * (len(PROFILES) + 4))
    for client in client_commands(pathlib.Path()):
        cells = [cell({server: results[profile.title][client, server][0] for server in SERVERS}) for profile in PROFILES]
        said = results[PROFILES[0].title][client, "clock"][0]
        clock = "connects" if said == "connected" else "refuses the server"
        keys = [results[title][client, SERVERS[0]][1] for title in ("20y, scalar", "20y, pkcs8")]
        lines.append(f"| {client} {known[client]} | " + " | ".join([*cells, *keys, clock]) + " |")
    servers = ", ".join(f"{name} {known[name]}" for name in SERVERS)
    return "\n".join(lines) + f"\n\n*All*: {servers}.\n"


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--programs", required=True, type=pathlib.Path)
    words.add_argument("--station", required=True, type=pathlib.Path)
    words.add_argument("--update", action="store_true", help="write the table into docs/firmware.md")
    given = words.parse_args()
    results = {}
    for profile in PROFILES:
        print(f"== {profile.title}", flush=True)
        results[profile.title] = try_profile(given.station.resolve(), given.programs.resolve(), profile)
        for (client, server), (said, _) in results[profile.title].items():
            if said != "connected" and server != "clock":
                print(f"   {client} at {server}: {said}", flush=True)
    made = table(results, given.programs.resolve())
    page = PAGE.read_text()
    before, rest = page.split(BEGIN + "\n")
    shown, after = rest.split(END)
    if given.update:
        PAGE.write_text(before + BEGIN + "\n" + made + END + after)
    elif shown != made:
        print(made)
        sys.exit("docs/firmware.md has another table; look at it, then: tests/stacks/run --update")
    print(made)


if __name__ == "__main__":
    main()
