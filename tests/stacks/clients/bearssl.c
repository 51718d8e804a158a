/* A device with BearSSL. Licensed under Apache-2.0 OR MIT. */
#include <bearssl.h>

#include "common.h"

static br_sslio_context io;
static int fd;

static int put(const unsigned char *bytes, size_t length)
{
    return br_sslio_write_all(&io, bytes, length) != 0 || br_sslio_flush(&io) != 0 ? -1 : 0;
}

static int get(unsigned char *bytes, size_t length)
{
    return br_sslio_read_all(&io, bytes, length);
}

static int socket_read(void *context, unsigned char *bytes, size_t length)
{
    ssize_t some = read(*(int *)context, bytes, length);
    return some <= 0 ? -1 : (int)some;
}

static int socket_write(void *context, const unsigned char *bytes, size_t length)
{
    ssize_t some = write(*(int *)context, bytes, length);
    return some <= 0 ? -1 : (int)some;
}

static struct bytes name;

static void add_name(void *context, const void *bytes, size_t length)
{
    (void)context;
    memcpy(name.data + name.length, bytes, length);
    name.length += length;
}

/* A trust anchor is a name and a key, which are taken out of the root once. */
static void take_anchor(br_x509_trust_anchor *anchor, unsigned char *der, size_t length)
{
    static br_x509_decoder_context decoder;
    const br_x509_pkey *pkey;
    name.length = 0;
    br_x509_decoder_init(&decoder, add_name, NULL);
    br_x509_decoder_push(&decoder, der, length);
    pkey = br_x509_decoder_get_pkey(&decoder);
    if (pkey == NULL || pkey->key_type != BR_KEYTYPE_EC) {
        fail("a root", br_x509_decoder_last_error(&decoder));
    }
    anchor->dn.data = malloc(name.length);
    memcpy(anchor->dn.data, name.data, name.length);
    anchor->dn.len = name.length;
    anchor->flags = BR_X509_TA_CA;
    anchor->pkey = *pkey;
    anchor->pkey.key.ec.q = malloc(pkey->key.ec.qlen);
    memcpy(anchor->pkey.key.ec.q, pkey->key.ec.q, pkey->key.ec.qlen);
}

int main(int count, char **words)
{
    int port = begin(count, words);
    static unsigned char room[BR_SSL_BUFSIZE_BIDI];
    static br_ssl_client_context client;
    static br_x509_minimal_context x509;
    br_x509_trust_anchor anchors[4];
    br_x509_certificate own[8];
    br_ec_private_key sk = {BR_EC_secp256r1, (unsigned char *)scalar(), 32};
    size_t at, length, trusted = 0, certificates = 0;

    if (tls_min == 3) {
        fail("no TLS 1.3", 0);
    }
    for (at = 0; at < roots.length; at += length) {
        length = der_length(roots.data + at, roots.length - at);
        take_anchor(&anchors[trusted++], roots.data + at, length);
    }
    own[certificates].data = cert.data;
    own[certificates++].data_len = cert.length;
    for (at = 0; at < chain.length; at += length) {
        length = der_length(chain.data + at, chain.length - at);
        own[certificates].data = chain.data + at;
        own[certificates++].data_len = length;
    }
    printf(is_pkcs8() ? "key: PKCS#8, its scalar\n" : "key: scalar\n");
    br_ssl_client_init_full(&client, &x509, anchors, trusted);
    br_ssl_engine_set_versions(&client.eng, BR_TLS12, BR_TLS12);
    br_ssl_engine_set_buffer(&client.eng, room, sizeof room, 1);
    br_ssl_client_set_single_ec(&client, own, certificates, &sk, BR_KEYTYPE_SIGN, BR_KEYTYPE_EC,
                                br_ec_get_default(), br_ecdsa_sign_asn1_get_default());
    br_ssl_client_reset(&client, HOST, 0);
    fd = connected_socket(port);
    br_sslio_init(&io, &client.eng, socket_read, &fd, socket_write, &fd);
    if (br_sslio_flush(&io) != 0) {
        fail("handshake", br_ssl_engine_last_error(&client.eng));
    }
    speak_mqtt(put, get);
    return 0;
}
