// Draws each NAME.zpl of a folder as NAME.png, by a renderer of ZPL that is not the station's.
import fs from "node:fs";
import path from "node:path";
import { ready } from "zpl-renderer-js";

const folder = process.argv[2];
const { api } = await ready;
for (const name of fs.readdirSync(folder).filter((name) => name.endsWith(".zpl"))) {
  const zpl = fs.readFileSync(path.join(folder, name), "latin1");
  const picture = await api.zplToBase64Async(zpl, 250, 100, 8);
  fs.writeFileSync(path.join(folder, name.replace(/zpl$/, "png")), Buffer.from(picture, "base64"));
}
process.exit(0);
