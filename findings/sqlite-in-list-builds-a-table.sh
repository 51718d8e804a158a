#!/usr/bin/env bash
# SQLite (here 3.54.1, by PyPI's apsw 3.54.1.0): a CHECK constraint with an IN list of three
# words or more opens a temporary b-tree and fills it anew in every single INSERT; the same
# rule as BETWEEN over small integers, or as a chain of OR, opens none. So does a partial
# index whose WHERE has such a list, for every row that is written. One would guess that a
# list of constants is looked up like a set that was built when the table was made.
#
# Seen: opcodes of the compiled statement, which count, whatever the machine's speed is.
#   IN of three words: 1 OpenEphemeral
#   IN of two words:   0
#   OR of three words: 0
#   BETWEEN:           0
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check apsw==3.54.1.0
"$folder/venv/bin/python" - <<'P'
import apsw

TABLES = {
    "in": "CREATE TABLE t (s TEXT CHECK (s IN ('waiting', 'sent', 'done')))",
    "in, two words": "CREATE TABLE t (s TEXT CHECK (s IN ('waiting', 'sent')))",
    "or": "CREATE TABLE t (s TEXT CHECK (s = 'waiting' OR s = 'sent' OR s = 'done'))",
    "between": "CREATE TABLE t (s INTEGER CHECK (s BETWEEN 0 AND 2))",
    "partial index": "CREATE TABLE t (s TEXT);"
    "CREATE INDEX i ON t (s) WHERE s IN ('waiting', 'sent', 'done')",
}


def opened(schema):
    database = apsw.Connection(":memory:")
    database.execute(schema)
    program = list(database.execute("EXPLAIN INSERT INTO t VALUES (?)", (0,)))
    return sum(row[1] == "OpenEphemeral" for row in program)


print("SQLite", apsw.sqlite_lib_version())
seen = {name: opened(schema) for name, schema in TABLES.items()}
for name, count in seen.items():
    print(f"{name}: {count} temporary tables an INSERT")
assert seen == {"in": 1, "in, two words": 0, "or": 0, "between": 0, "partial index": 1}, seen
P
