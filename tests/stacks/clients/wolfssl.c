/* A device with wolfSSL. Licensed under Apache-2.0 OR MIT. */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "common.h"

static WOLFSSL *ssl;

static int put(const unsigned char *bytes, size_t length)
{
    return wolfSSL_write(ssl, bytes, (int)length) == (int)length ? 0 : -1;
}

static int get(unsigned char *bytes, size_t length)
{
    size_t have = 0;
    while (have < length) {
        int more = wolfSSL_read(ssl, bytes + have, (int)(length - have));
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
    static unsigned char path[2 * sizeof cert.data];
    WOLFSSL_CTX *context;
    unsigned char sec1[51];
    size_t at = 0;
    int error;

    wolfSSL_Init();
    context = wolfSSL_CTX_new(tls_min == 3   ? wolfTLSv1_3_client_method()
                              : tls_max == 2 ? wolfTLSv1_2_client_method()
                                             : wolfSSLv23_client_method());
    wolfSSL_CTX_SetMinVersion(context, tls_min == 3 ? WOLFSSL_TLSV1_3 : WOLFSSL_TLSV1_2);
    while (at < roots.length) {
        size_t length = der_length(roots.data + at, roots.length - at);
        error = wolfSSL_CTX_load_verify_buffer(context, roots.data + at, (long)length, WOLFSSL_FILETYPE_ASN1);
        if (error != WOLFSSL_SUCCESS) {
            fail("a root", error);
        }
        at += length;
    }
    /* Debian's build does not verify the broker by itself. */
    wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER, NULL);
    memcpy(path, cert.data, cert.length);
    memcpy(path + cert.length, chain.data, chain.length);
    error = wolfSSL_CTX_use_certificate_chain_buffer_format(
        context, path, (long)(cert.length + chain.length), WOLFSSL_FILETYPE_ASN1);
    if (error != WOLFSSL_SUCCESS) {
        fail("the chain", error);
    }
    if (is_pkcs8()) {
        error = wolfSSL_CTX_use_PrivateKey_buffer(context, key.data, (long)key.length, WOLFSSL_FILETYPE_ASN1);
        printf("key: PKCS#8\n");
    } else {
        error = wolfSSL_CTX_use_PrivateKey_buffer(context, sec1, (long)as_sec1(sec1), WOLFSSL_FILETYPE_ASN1);
        printf("key: SEC1\n");
    }
    if (error != WOLFSSL_SUCCESS) {
        fail("the key", error);
    }
    ssl = wolfSSL_new(context);
    wolfSSL_check_domain_name(ssl, HOST);
    wolfSSL_set_fd(ssl, connected_socket(port));
    if (wolfSSL_connect(ssl) != WOLFSSL_SUCCESS) {
        fail("handshake", wolfSSL_get_error(ssl, 0));
    }
    speak_mqtt(put, get);
    return 0;
}
