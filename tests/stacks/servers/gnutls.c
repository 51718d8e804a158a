/*
 * A broker's front door with GnuTLS: PORT CERT KEY CAS, all PEM. One connection after the other.
 * Licensed under Apache-2.0 OR MIT.
 */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int get(gnutls_session_t session, unsigned char *bytes, size_t length)
{
    size_t have = 0;
    while (have < length) {
        ssize_t more = gnutls_record_recv(session, bytes + have, length - have);
        if (more == GNUTLS_E_AGAIN || more == GNUTLS_E_INTERRUPTED) {
            continue;
        }
        if (more <= 0) {
            return -1;
        }
        have += (size_t)more;
    }
    return 0;
}

static void packets(gnutls_session_t session)
{
    static const unsigned char connack[4] = {0x20, 2, 0, 0}, pingresp[2] = {0xd0, 0};
    unsigned char head[2], body[256];
    while (get(session, head, 2) == 0 && get(session, body, head[1]) == 0) {
        if (head[0] == 0x10) {
            gnutls_record_send(session, connack, sizeof connack);
        } else if (head[0] == 0xc0) {
            gnutls_record_send(session, pingresp, sizeof pingresp);
        }
    }
}

static void serve(int fd, gnutls_certificate_credentials_t credentials)
{
    gnutls_session_t session;
    int error;
    gnutls_init(&session, GNUTLS_SERVER);
    gnutls_priority_set_direct(session, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", NULL);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
    gnutls_session_set_verify_cert(session, NULL, 0);
    gnutls_transport_set_int(session, fd);
    gnutls_handshake_set_timeout(session, 120000);
    do {
        error = gnutls_handshake(session);
    } while (error == GNUTLS_E_AGAIN || error == GNUTLS_E_INTERRUPTED);
    if (error == 0) {
        packets(session);
    } else {
        printf("refused: %s\n", gnutls_strerror(error));
        fflush(stdout);
    }
    gnutls_deinit(session);
    close(fd);
}

int main(int count, char **words)
{
    gnutls_certificate_credentials_t credentials;
    struct sockaddr_in at = {0};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    if (count != 5) {
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    gnutls_certificate_allocate_credentials(&credentials);
    if (gnutls_certificate_set_x509_trust_file(credentials, words[4], GNUTLS_X509_FMT_PEM) < 1
        || gnutls_certificate_set_x509_key_file(credentials, words[2], words[3], GNUTLS_X509_FMT_PEM) != 0) {
        return 3;
    }
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    at.sin_family = AF_INET;
    at.sin_port = htons((unsigned short)atoi(words[1]));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 16) != 0) {
        return 4;
    }
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0) {
            serve(fd, credentials);
        }
    }
}
