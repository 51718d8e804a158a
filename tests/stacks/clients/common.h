/*
 * What the C clients share: the bytes of a device's flash as files, a TCP socket, and the few
 * bytes of MQTT with which a device shows that it is connected.
 *
 * A client is called with a directory, a port and a TLS range ("1.2 1.3"). In the directory lie
 * key.bin (a scalar of 32 bytes or a PKCS#8 document of 138), cert.der, chain.der and roots.der
 * (certificates run together, as they stand in the image) and client-id. It prints how the key
 * got in, connects to localhost, and ends with 0 once it had its CONNACK and a PINGRESP.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#ifndef COMMON_H
#define COMMON_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "localhost"

struct bytes {
    unsigned char data[16384];
    size_t length;
};

static struct bytes key, cert, chain, roots, client_id;
static int tls_min, tls_max; /* 2 or 3 */

static void fail(const char *what, long number)
{
    printf("failed: %s (%ld)\n", what, number);
    exit(1);
}

static void take(const char *directory, const char *name, struct bytes *into)
{
    char path[512];
    FILE *file;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "rb");
    if (file == NULL) {
        fail(path, 0);
    }
    into->length = fread(into->data, 1, sizeof into->data, file);
    fclose(file);
}

/* Returns the port. */
static int begin(int count, char **words)
{
    if (count != 5) {
        fail("usage: DIRECTORY PORT MIN MAX", count);
    }
    take(words[1], "key.bin", &key);
    take(words[1], "cert.der", &cert);
    take(words[1], "chain.der", &chain);
    take(words[1], "roots.der", &roots);
    take(words[1], "client-id", &client_id);
    tls_min = words[3][2] - '0';
    tls_max = words[4][2] - '0';
    return atoi(words[2]);
}

static int connected_socket(int port)
{
    struct sockaddr_in to = {0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    to.sin_family = AF_INET;
    to.sin_port = htons((unsigned short)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        fail("connect", port);
    }
    return fd;
}

/* The length of the DER certificate at the front of bytes that are run together. */
static size_t der_length(const unsigned char *at, size_t left)
{
    size_t length = left >= 4 && at[0] == 0x30 && at[1] == 0x82 ? 4 + ((size_t)at[2] << 8 | at[3]) : 0;
    if (length == 0 || length > left) {
        fail("no certificate in DER", (long)left);
    }
    return length;
}

/* Whether the key is a PKCS#8 document; else it is a bare scalar. */
static int is_pkcs8(void)
{
    return key.length == 138;
}

static const unsigned char *scalar(void)
{
    return is_pkcs8() ? key.data + 36 : key.data;
}

/* An ECPrivateKey (RFC 5915) around a bare scalar: what a firmware makes where its stack wants one. */
__attribute__((unused)) static size_t as_sec1(unsigned char to[51])
{
    static const unsigned char head[7] = {0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20};
    static const unsigned char tail[12] = {0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    memcpy(to, head, 7);
    memcpy(to + 7, scalar(), 32);
    memcpy(to + 39, tail, 12);
    return 51;
}

/* CONNECT of MQTT 3.1.1 with a clean session. */
static size_t mqtt_connect(unsigned char *to)
{
    static const unsigned char head[10] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60};
    size_t n = client_id.length;
    to[0] = 0x10;
    to[1] = (unsigned char)(10 + 2 + n);
    memcpy(to + 2, head, 10);
    to[12] = 0;
    to[13] = (unsigned char)n;
    memcpy(to + 14, client_id.data, n);
    return 14 + n;
}

static const unsigned char PINGREQ[2] = {0xc0, 0};

typedef int (*put_bytes)(const unsigned char *, size_t);
/* Reads exactly so many bytes; 0 where that went well. */
typedef int (*get_bytes)(unsigned char *, size_t);

static void speak_mqtt(put_bytes put, get_bytes get)
{
    unsigned char packet[128], answer[4];
    if (put(packet, mqtt_connect(packet)) != 0 || get(answer, 4) != 0) {
        fail("no CONNACK", 0);
    }
    if (answer[0] != 0x20 || answer[3] != 0) {
        fail("refused by CONNACK", answer[3]);
    }
    if (put(PINGREQ, sizeof PINGREQ) != 0 || get(answer, 2) != 0 || answer[0] != 0xd0) {
        fail("no PINGRESP", 0);
    }
    printf("connected\n");
}

#endif
