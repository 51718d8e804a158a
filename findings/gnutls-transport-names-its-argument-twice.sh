#!/usr/bin/env bash
# GnuTLS 3.7.9: gnutls_transport_set_int(session, fd) is a macro that becomes
# gnutls_transport_set_int2(session, fd, fd). Where the argument is a call, as in
# gnutls_transport_set_int(session, connect_to(host)), it runs twice: the session reads from one
# connection and writes to another, and the handshake waits for ever without an error. Its manual
# shows it among the functions, with one `int`, and one would guess a function.
#
# Seen: the argument is evaluated 2 times
#
# The packages are those of Debian 12 on x86-64; the C compiler is the machine's.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq libgnutls28-dev=3.7.9-2+deb12u7 libgnutls30=3.7.9-2+deb12u7 2>/dev/null
for package in *.deb; do dpkg -x "$package" .; done
libraries="$folder/usr/lib/x86_64-linux-gnu"
cat >seen.c <<'C'
#include <gnutls/gnutls.h>
#include <stdio.h>

static int calls;

static int connection(void)
{
    calls++;
    return 0;
}

int main(void)
{
    gnutls_session_t session;
    gnutls_init(&session, GNUTLS_CLIENT);
    gnutls_transport_set_int(session, connection());
    printf("GnuTLS %s: the argument is evaluated %d times\n", gnutls_check_version(NULL), calls);
    gnutls_deinit(session);
    return calls == 2 ? 0 : 1;
}
C
cc -Wall -Wextra -I usr/include -L "$libraries" -o seen seen.c -lgnutls
LD_LIBRARY_PATH="$libraries" ./seen
