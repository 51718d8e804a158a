// aedes behind Node's TLS: PORT CERTIFICATE KEY CAS, in a folder that has it in node_modules.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:tls'

const [port, certificate, key, cas] = process.argv.slice(2)
const { Aedes } = createRequire(process.cwd() + '/')('aedes')
const broker = await Aedes.createBroker()
const files = { cert: readFileSync(certificate), key: readFileSync(key), ca: readFileSync(cas) }
const options = { ...files, requestCert: true, rejectUnauthorized: true }
createServer(options, broker.handle).listen(Number(port), '127.0.0.1')
