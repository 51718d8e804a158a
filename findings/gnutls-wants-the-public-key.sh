#!/usr/bin/env bash
# An EC private key without its public key (RFC 5915: the field is optional; 51 bytes for P-256,
# small enough for a device's flash). OpenSSL 3.0.22 works the public key out and prints it, and
# still leaves it out of whatever it writes afterwards: `openssl pkcs8 -topk8` gives a document
# without it. GnuTLS 3.7.9 reads neither file, so a key that OpenSSL has just converted and printed
# is none for GnuTLS; one would guess that PKCS#8 written by OpenSSL is read by everybody. The
# public key must be put into the document by whoever has it.
#
# Seen:
#   full.pem   OpenSSL reads  GnuTLS reads
#   bare.pem   OpenSSL reads  GnuTLS refuses
#   full8.pem  OpenSSL reads  GnuTLS reads
#   bare8.pem  OpenSSL reads  GnuTLS refuses
#
# The packages are those of Debian 12 on x86-64.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq openssl=3.0.22-1~deb12u2 libssl3=3.0.22-1~deb12u2 \
  gnutls-bin=3.7.9-2+deb12u7 libgnutls30=3.7.9-2+deb12u7 2>/dev/null
for package in *.deb; do dpkg -x "$package" .; done
export PATH="$folder/usr/bin:$PATH" LD_LIBRARY_PATH="$folder/usr/lib/x86_64-linux-gnu"
openssl version
certtool --version | head -1
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem
openssl ec -in key.pem -out full.pem 2>/dev/null
openssl ec -in key.pem -no_public -out bare.pem 2>/dev/null
for form in full bare; do
  openssl pkcs8 -topk8 -nocrypt -in "$form.pem" -out "${form}8.pem"
done

reads() { "$@" >/dev/null 2>&1 && printf reads || printf refuses; }

seen=""
for file in full bare full8 bare8; do
  line="$file: OpenSSL $(reads openssl pkey -in "$file.pem" -pubout)"
  line+=", GnuTLS $(reads certtool --key-info --infile "$file.pem")"
  printf '%s\n' "$line"
  seen+="$line;"
done
wanted="full: OpenSSL reads, GnuTLS reads;bare: OpenSSL reads, GnuTLS refuses;"
wanted+="full8: OpenSSL reads, GnuTLS reads;bare8: OpenSSL reads, GnuTLS refuses;"
[ "$seen" = "$wanted" ]
