# What the scripts of this folder share: a station in the folder where it stands, its CA in a token.
# $station is the program, $devices the process of the devices that are plugged.

say() { printf '== %s\n' "$*"; }
fail() { printf 'tests/tokens: %s\n' "$*" >&2; exit 1; }

# $1: the module, $2: the key's label, $3: the token's.
configure() {
  cat >station.toml <<TOML
[station]
id = "tokens"
data_dir = "data"
[product]
name = "TH200"
serial_pattern = "TH200-[0-9]{8}"
client_id = "{serial}"
[certificate]
organization = "ExampleDevices"
valid_for = "20y"
[authority]
kind = "pkcs11"
module = "$1"
token_label = "$3"
key_label = "$2"
certificate = "$2.pem"
[broker]
host = "mqtt.example.com"
server_root = "$2.pem"
[ledger]
reserve = "1MiB"
[[slots]]
name = "A"
port = "slot-A"
[[slots]]
name = "B"
port = "slot-B"
TOML
}

# What a command says that must fail with a code.
refused() {
  local code="$1"
  shift
  if said="$("$station" "$@" 2>&1)"; then fail "$* was not refused"; fi
  grep -q "error\[$code\]" <<<"$said" || fail "$*: $said"
}

# $1: what the devices are called, $2: what makes them others than those before. A device that holds
# another unit's label stays where it is, and the line waits for a person.
plug() {
  "$station" sim device --link slot-A --link slot-B --units 12 --state "devices-$1" --seed "$2" --baud 0 >plugged 2>&1 &
  devices=$!
  until [ -e slot-A ] && [ -e slot-B ]; do kill -0 "$devices" || fail "$(cat plugged)"; done
}

unplug() {
  kill "$devices"
  wait "$devices" || true
  devices=
}

# $1: the key's label, $2: the first serial's number.
issues() {
  plug "$1" "$2"
  seq -f 'TH200-%08g' "$2" $(($2 + 23)) | timeout 300 "$station" batch --serials - >said 2>&1 || fail "$(cat said)"
  unplug
  local serial
  for serial in $(seq -f 'TH200-%08g' "$2" $(($2 + 23))); do
    "$station" unit show "$serial" --json | python3 -c \
      'import json,sys; print(json.load(sys.stdin)["certificates"][-1]["pem"])' >unit.pem
    openssl verify -x509_strict -CAfile "$1.pem" unit.pem >/dev/null || fail "$serial"
  done
}
