"""What brokers make of a device's certificate: the rows of docs/brokers.md, tried.

For each way of issuing, a station of its own provisions a simulated device; its certificate and
key then connect to RabbitMQ, aedes and amqtt, by MQTT 3.1.1 over Python's TLS: with its own client
id, with another, without a certificate, with one of another CA, and to a broker that has the
station's CA alone. Prints a line for each broker; where a line differs from what is known, this
fails.
"""

import argparse
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import tempfile

import matrix

HERE = pathlib.Path(__file__).resolve().parent

# What each is known to do with: the device itself, another client id, no certificate, a stranger's,
# and a device below a root whose broker has its CA alone.
KNOWN = {
    "RabbitMQ, no such user": ["refused 4", "refused 4", "no", "no", "no"],
    "RabbitMQ, the CN is a user": ["connected", "connected", "no", "no", "no"],
    "aedes": ["connected", "connected", "no", "no", "no"],
    "amqtt": ["connected", "connected", "connected", "no", "no"],
}


def string(text):
    return struct.pack(">H", len(text)) + text.encode()


def mqtt(port, client_id, files, root):
    """Connects, and has a PINGREQ answered."""
    context = ssl.create_default_context(cafile=root)
    if files:
        context.load_cert_chain(*files)
    body = string("MQTT") + bytes([4, 2]) + struct.pack(">H", 30) + string(client_id)
    try:
        with socket.create_connection(("127.0.0.1", port), 120) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as line:
                line.sendall(bytes([0x10, len(body)]) + body)
                answer = line.recv(4)
                if len(answer) < 4:
                    return "no"
                if answer[3] != 0:
                    return f"refused {answer[3]}"
                line.sendall(b"\xc0\x00")
                return "connected" if line.recv(2) == b"\xd0\x00" else "no"
    except (ssl.SSLError, ConnectionError):
        # Under TLS 1.3 a refused certificate shows at the first read only.
        return "no"


def pem_of(device):
    """Key and path of a laid out device as Python takes them."""
    path = device / "path.pem"
    ders, text = (device / "cert.der").read_bytes() + (device / "chain.der").read_bytes(), ""
    while ders:
        length = 4 + struct.unpack(">H", ders[2:4])[0]
        text += ssl.DER_cert_to_PEM_cert(ders[:length])
        ders = ders[length:]
    path.write_text(text)
    key = device / "key.pem"
    matrix.run(["openssl", "pkey", "-inform", "DER", "-in", "key.bin", "-out", "key.pem"], device)
    return path, key


def strangers(folder):
    matrix.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", "stranger.key", "-out", "stranger.pem", "-subj", "/CN=TH200-00000001", "-days", "30"], folder)
    return folder / "stranger.pem", folder / "stranger.key"


class Broker:
    """One that was started, with a file of CAs."""

    def __init__(self, kind, folder, tools, cas):
        self.kind, self.folder, self.port = kind, folder / f"{kind}-{cas.stem}", matrix.free_port()
        self.folder.mkdir()
        files = [folder / "server.pem", folder / "server.key", cas]
        environment = {**matrix.ENVIRONMENT}
        if kind == "rabbitmq":
            environment.update(self.rabbitmq(files))
            command = ["/usr/lib/rabbitmq/bin/rabbitmq-server"]
        elif kind == "aedes":
            command = ["node", HERE / "brokers" / "aedes.mjs", self.port, *files]
            (self.folder / "node_modules").symlink_to(tools / "aedes" / "node_modules")
        else:
            environment["PYTHONPATH"] = str(tools / "amqtt")
            command = [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", self.amqtt(files)]
        self.environment, log = environment, open(self.folder / "log", "w")
        self.process = subprocess.Popen([str(word) for word in command], cwd=self.folder, env=environment,
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            matrix.wait_until(lambda: matrix.listens(self.port), kind)
        except SystemExit:
            print((self.folder / "log").read_text()[-2000:])
            self.stop()
            raise

    def rabbitmq(self, files):
        self.folder.joinpath("plugins").write_text("[rabbitmq_mqtt,rabbitmq_auth_mechanism_ssl].\n")
        certificate, key, cas = files
        self.folder.joinpath("rabbitmq.conf").write_text(
            f"listeners.tcp = none\nmqtt.listeners.tcp = none\nmqtt.listeners.ssl.1 = 127.0.0.1:{self.port}\n"
            f"ssl_options.cacertfile = {cas}\nssl_options.certfile = {certificate}\nssl_options.keyfile = {key}\n"
            "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n"
            "mqtt.ssl_cert_login = true\nssl_cert_login_from = common_name\nmqtt.allow_anonymous = false\n")
        return {"RABBITMQ_NODENAME": f"station{self.port}@localhost", "RABBITMQ_MNESIA_BASE": str(self.folder),
                "RABBITMQ_LOG_BASE": str(self.folder), "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"), "HOME": str(self.folder),
                "RABBITMQ_DIST_PORT": str(matrix.free_port()), "ERL_EPMD_PORT": str(matrix.free_port()),
                "RABBITMQ_PID_FILE": str(self.folder / "pid"), "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder)}

    def amqtt(self, files):
        certificate, key, cas = files
        settings = self.folder / "amqtt.yaml"
        settings.write_text(
            f"listeners:\n  default:\n    type: tcp\n    bind: 127.0.0.1:{self.port}\n    ssl: true\n"
            f"    cafile: {cas}\n    certfile: {certificate}\n    keyfile: {key}\n"
            "plugins:\n  amqtt.plugins.authentication.AnonymousAuthPlugin:\n    allow_anonymous: true\n")
        return settings

    def add_user(self, name):
        for words in [["add_user", name, "never used"], ["clear_password", name], ["set_permissions", name, ".*", ".*", ".*"]]:
            subprocess.run(["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", *words], env=self.environment, check=True,
                           stdout=subprocess.DEVNULL)

    def stop(self):
        if self.kind == "rabbitmq":
            subprocess.run(["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", "stop"], env=self.environment, check=False)
            self.process.wait()
            subprocess.run(["epmd", "-port", self.environment["ERL_EPMD_PORT"], "-kill"], check=False,
                           stdout=subprocess.DEVNULL)
            return
        self.process.terminate()
        self.process.wait()


def provisioned(station, folder, root):
    profile = matrix.Profile("", key='key_format = "pkcs8"', root=root)
    folder.mkdir()
    matrix.make_server_certificate(folder)
    flash = matrix.provision(station, profile, folder)
    matrix.lay_out(matrix.objects_of(flash), folder / "device")
    return pem_of(folder / "device")


def tried(kind, work, plain, below, tools):
    """What one broker does, before and after it knows a user of the device's name."""
    rows = {}
    root = str(work / "plain" / "server-root.pem")
    stranger, device = strangers(work / "plain"), "TH200-00000001"
    broker = Broker(kind, work / "plain", tools, work / "plain" / "cas.pem")
    alone = work / "below" / "alone.pem"
    alone.write_text(matrix.run([work.station, "authority", "export"], work / "below"))
    other = Broker(kind, work / "below", tools, alone)
    try:
        def row():
            return [mqtt(broker.port, device, plain, root), mqtt(broker.port, "another", plain, root),
                    mqtt(broker.port, device, None, root), mqtt(broker.port, device, stranger, root),
                    mqtt(other.port, device, below, str(work / "below" / "server-root.pem"))]
        if kind == "rabbitmq":
            rows["RabbitMQ, no such user"] = row()
            for one in [broker, other]:
                one.add_user(device)
            rows["RabbitMQ, the CN is a user"] = row()
        else:
            rows[kind] = row()
    finally:
        broker.stop()
        other.stop()
    return rows


class Work(type(pathlib.Path())):
    station = None


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--station", required=True, type=pathlib.Path)
    arguments.add_argument("--tools", required=True, type=pathlib.Path)
    arguments.add_argument("brokers", nargs="*")
    given = arguments.parse_args()
    Work.station = given.station.resolve()
    with tempfile.TemporaryDirectory(prefix="brokers.") as name:
        work = Work(name)
        plain = provisioned(Work.station, work / "plain", None)
        below = provisioned(Work.station, work / "below", "ec")
        rows = {}
        for kind in given.brokers or ["rabbitmq", "aedes", "amqtt"]:
            rows.update(tried(kind, work, plain, below, given.tools.resolve()))
    columns = ["itself", "another client id", "no certificate", "a stranger's", "its CA alone"]
    for broker, row in rows.items():
        print(f"{broker}: " + ", ".join(f"{column} {said}" for column, said in zip(columns, row)))
    wrong = [broker for broker, row in rows.items() if row != KNOWN[broker]]
    if wrong:
        sys.exit(f"not as it is known: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
