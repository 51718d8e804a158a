/* A device with OpenSSL. Licensed under Apache-2.0 OR MIT. */
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "common.h"

static SSL *ssl;

static int put(const unsigned char *bytes, size_t length)
{
    return SSL_write(ssl, bytes, (int)length) == (int)length ? 0 : -1;
}

static int get(unsigned char *bytes, size_t length)
{
    size_t have = 0;
    while (have < length) {
        int more = SSL_read(ssl, bytes + have, (int)(length - have));
        if (more <= 0) {
            return -1;
        }
        have += (size_t)more;
    }
    return 0;
}

int main(int count, char **words)
{
    int port = begin(count, words);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    const unsigned char *at;
    size_t left, length;
    EVP_PKEY *pkey;
    unsigned char sec1[51];

    SSL_CTX_set_min_proto_version(context, tls_min == 3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, tls_max == 3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    for (at = roots.data, left = roots.length; left > 0; at += length, left -= length) {
        const unsigned char *der = at;
        length = der_length(at, left);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), d2i_X509(NULL, &der, (long)length));
    }
    if (is_pkcs8()) {
        at = key.data;
        pkey = d2i_AutoPrivateKey(NULL, &at, (long)key.length);
        printf("key: PKCS#8\n");
    } else {
        as_sec1(sec1);
        at = sec1;
        pkey = d2i_AutoPrivateKey(NULL, &at, sizeof sec1);
        printf("key: SEC1\n");
    }
    at = cert.data;
    if (SSL_CTX_use_certificate(context, d2i_X509(NULL, &at, (long)cert.length)) != 1
        || pkey == NULL || SSL_CTX_use_PrivateKey(context, pkey) != 1) {
        fail("key or certificate", 0);
    }
    for (at = chain.data, left = chain.length; left > 0; at += length, left -= length) {
        const unsigned char *der = at;
        length = der_length(at, left);
        SSL_CTX_add_extra_chain_cert(context, d2i_X509(NULL, &der, (long)length));
    }
    ssl = SSL_new(context);
    SSL_set_tlsext_host_name(ssl, HOST);
    SSL_set1_host(ssl, HOST);
    SSL_set_fd(ssl, connected_socket(port));
    if (SSL_connect(ssl) != 1) {
        fail("handshake", SSL_get_verify_result(ssl));
    }
    speak_mqtt(put, get);
    return 0;
}
