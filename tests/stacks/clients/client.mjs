// A device with Node. Licensed under Apache-2.0 OR MIT.
import { readFileSync } from "node:fs";
import { createPrivateKey } from "node:crypto";
import { connect } from "node:tls";

const [directory, port, low, high] = process.argv.slice(2);
const read = (name) => readFileSync(`${directory}/${name}`);
const fail = (why) => {
  console.log(`failed: ${why}`);
  process.exit(1);
};

function each(runTogether) {
  const found = [];
  for (let at = 0; at < runTogether.length; ) {
    const length = 4 + runTogether.readUInt16BE(at + 2);
    found.push(runTogether.subarray(at, at + length));
    at += length;
  }
  return found;
}

const pem = (der) => `-----BEGIN CERTIFICATE-----\n${der.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;

const raw = read("key.bin");
const head = Buffer.from("30310201010420", "hex");
const tail = Buffer.from("a00a06082a8648ce3d030107", "hex");
const key =
  raw.length === 138
    ? createPrivateKey({ key: raw, format: "der", type: "pkcs8" })
    : createPrivateKey({ key: Buffer.concat([head, raw, tail]), format: "der", type: "sec1" });
console.log(raw.length === 138 ? "key: PKCS#8" : "key: SEC1");

const name = read("client-id");
const socket = connect({
  host: "127.0.0.1",
  port: Number(port),
  servername: "localhost",
  minVersion: `TLSv${low}`,
  maxVersion: `TLSv${high}`,
  key: key.export({ type: "pkcs8", format: "pem" }),
  cert: [read("cert.der"), ...each(read("chain.der"))].map(pem).join(""),
  ca: each(read("roots.der")).map(pem),
});
let heard = Buffer.alloc(0);
socket.setTimeout(120000, () => fail("silence"));
socket.on("error", (error) => fail(error.code ?? error.message));
socket.on("secureConnect", () => {
  const body = Buffer.concat([Buffer.from([0, 4, 77, 81, 84, 84, 4, 2, 0, 60, 0, name.length]), name]);
  socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
});
socket.on("end", () => fail("closed"));
socket.on("data", (data) => {
  const before = heard.length;
  heard = Buffer.concat([heard, data]);
  if (before < 4 && heard.length >= 4) {
    if (heard[0] !== 0x20 || heard[3] !== 0) fail(`CONNACK ${heard.toString("hex")}`);
    socket.write(Buffer.from([0xc0, 0]));
  }
  if (heard.length >= 6) {
    if (heard[4] !== 0xd0) fail("no PINGRESP");
    console.log("connected");
    process.exit(0);
  }
});
