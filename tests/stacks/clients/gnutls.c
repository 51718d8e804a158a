/* A device with GnuTLS. Licensed under Apache-2.0 OR MIT. */
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "common.h"

static gnutls_session_t session;

static int put(const unsigned char *bytes, size_t length)
{
    return gnutls_record_send(session, bytes, length) == (ssize_t)length ? 0 : -1;
}

/* Under TLS 1.3 a ticket may come first: then a blocking socket says "again" too. */
static int get(unsigned char *bytes, size_t length)
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

static void take_certificate(gnutls_x509_crt_t *to, unsigned char *der, size_t length)
{
    gnutls_datum_t bytes = {der, (unsigned)length};
    gnutls_x509_crt_init(to);
    if (gnutls_x509_crt_import(*to, &bytes, GNUTLS_X509_FMT_DER) != 0) {
        fail("a certificate", 0);
    }
}

/* It wants the public point beside a scalar; the device's own certificate has it. */
static int with_point(gnutls_x509_privkey_t pkey, gnutls_x509_crt_t own)
{
    gnutls_ecc_curve_t curve;
    gnutls_datum_t x, y, k = {(unsigned char *)scalar(), 32};
    gnutls_pubkey_t pubkey;
    gnutls_pubkey_init(&pubkey);
    gnutls_pubkey_import_x509(pubkey, own, 0);
    gnutls_pubkey_export_ecc_raw(pubkey, &curve, &x, &y);
    return gnutls_x509_privkey_import_ecc_raw(pkey, curve, &x, &y, &k);
}

int main(int count, char **words)
{
    int port = begin(count, words), certificates = 0, error, fd;
    gnutls_certificate_credentials_t credentials;
    gnutls_x509_crt_t own[8], root;
    gnutls_x509_privkey_t pkey;
    size_t at, length;

    gnutls_certificate_allocate_credentials(&credentials);
    for (at = 0; at < roots.length; at += length) {
        length = der_length(roots.data + at, roots.length - at);
        take_certificate(&root, roots.data + at, length);
        gnutls_certificate_set_x509_trust(credentials, &root, 1);
    }
    take_certificate(&own[certificates++], cert.data, cert.length);
    for (at = 0; at < chain.length; at += length) {
        length = der_length(chain.data + at, chain.length - at);
        take_certificate(&own[certificates++], chain.data + at, length);
    }
    gnutls_x509_privkey_init(&pkey);
    if (is_pkcs8()) {
        gnutls_datum_t document = {key.data, (unsigned)key.length};
        error = gnutls_x509_privkey_import2(pkey, &document, GNUTLS_X509_FMT_DER, NULL, 0);
        printf("key: PKCS#8\n");
    } else {
        error = with_point(pkey, own[0]);
        printf("key: scalar and the certificate's point\n");
    }
    if (error == 0) {
        error = gnutls_certificate_set_x509_key(credentials, own, certificates, pkey);
    }
    if (error != 0) {
        fail("the key", error);
    }
    gnutls_init(&session, GNUTLS_CLIENT);
    gnutls_priority_set_direct(session,
                               tls_min == 3   ? "NORMAL:-VERS-ALL:+VERS-TLS1.3"
                               : tls_max == 2 ? "NORMAL:-VERS-ALL:+VERS-TLS1.2"
                                              : "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
                               NULL);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_server_name_set(session, GNUTLS_NAME_DNS, HOST, strlen(HOST));
    gnutls_session_set_verify_cert(session, HOST, 0);
    /* A macro that names its argument twice. */
    fd = connected_socket(port);
    gnutls_transport_set_int(session, fd);
    do {
        error = gnutls_handshake(session);
    } while (error == GNUTLS_E_AGAIN || error == GNUTLS_E_INTERRUPTED);
    if (error != 0) {
        fail("handshake", error);
    }
    speak_mqtt(put, get);
    return 0;
}
