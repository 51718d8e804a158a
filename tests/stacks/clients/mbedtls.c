/* A device with Mbed TLS 2.28. Licensed under Apache-2.0 OR MIT. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>

#include "common.h"

static mbedtls_ssl_context ssl;

static int put(const unsigned char *bytes, size_t length)
{
    return mbedtls_ssl_write(&ssl, bytes, length) == (int)length ? 0 : -1;
}

static int get(unsigned char *bytes, size_t length)
{
    size_t have = 0;
    while (have < length) {
        int more = mbedtls_ssl_read(&ssl, bytes + have, length - have);
        if (more <= 0) {
            return -1;
        }
        have += (size_t)more;
    }
    return 0;
}

/* The parser takes one certificate at a time: what is run together must be walked. */
static void add_each(mbedtls_x509_crt *to, const struct bytes *from)
{
    size_t at = 0;
    while (at < from->length) {
        size_t length = der_length(from->data + at, from->length - at);
        int error = mbedtls_x509_crt_parse_der(to, from->data + at, length);
        if (error != 0) {
            fail("a certificate", error);
        }
        at += length;
    }
}

int main(int count, char **words)
{
    int port = begin(count, words);
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_ssl_config config;
    mbedtls_x509_crt own, trusted;
    mbedtls_pk_context pk;
    mbedtls_net_context net;
    unsigned char sec1[51];
    int error;

    if (tls_min == 3) {
        fail("no TLS 1.3", 0);
    }
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random);
    mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0);
    mbedtls_ssl_config_init(&config);
    mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_min_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
    mbedtls_x509_crt_init(&own);
    mbedtls_x509_crt_init(&trusted);
    mbedtls_pk_init(&pk);
    add_each(&trusted, &roots);
    add_each(&own, &cert);
    add_each(&own, &chain);
    if (is_pkcs8()) {
        error = mbedtls_pk_parse_key(&pk, key.data, key.length, NULL, 0);
        printf("key: PKCS#8\n");
    } else {
        error = mbedtls_pk_parse_key(&pk, sec1, as_sec1(sec1), NULL, 0);
        printf("key: SEC1\n");
    }
    if (error != 0) {
        fail("the key", error);
    }
    mbedtls_ssl_conf_ca_chain(&config, &trusted, NULL);
    mbedtls_ssl_conf_own_cert(&config, &own, &pk);
    mbedtls_ssl_init(&ssl);
    mbedtls_ssl_setup(&ssl, &config);
    mbedtls_ssl_set_hostname(&ssl, HOST);
    net.fd = connected_socket(port);
    mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
    error = mbedtls_ssl_handshake(&ssl);
    if (error != 0) {
        fail("handshake", error);
    }
    speak_mqtt(put, get);
    return 0;
}
