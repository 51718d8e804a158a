/*
 * The device's side of the framed provisioning protocol, version 1, in C99.
 *
 * What it is for: a device that links this file and gives it a handful of hooks takes its identity
 * from a provisioning station over a serial line. The protocol is described in docs/protocol.md;
 * this implementation was written from that page.
 *
 * What it needs: nothing but a freestanding C99 compiler. No heap, no libc, no global variables.
 * All memory is one struct station_device, below 2 KiB, which you place. The deepest stack use is a
 * few hundred bytes beside that of your hooks.
 *
 * How to use it:
 *
 *     static struct station_device device;
 *
 *     if (station_device_start(&device, &facts, &hooks) != STATION_STARTED) { ... your facts are wrong ... }
 *     for (;;) {
 *         length = read what the UART's interrupt put into your ring, at most so many bytes as you like;
 *         station_device_receive(&device, bytes, length);
 *     }
 *
 * station_device_receive calls your hooks from within, so call it from the main loop and never from
 * an interrupt. It answers a request before it returns.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#ifndef STATION_DEVICE_H
#define STATION_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * How many bytes an encoded frame may have, without its two delimiters. 1022 takes every frame of
 * the protocol. A device whose largest chunk is smaller may define it smaller: to max_chunk + 21,
 * but not below 300, which the answers to IDENTIFY and CSR need.
 */
#ifndef STATION_FRAME_CAPACITY
#define STATION_FRAME_CAPACITY 1022
#endif

#define STATION_HEADER_LENGTH 96u
#define STATION_DIGEST_LENGTH 32u
#define STATION_PRIVATE_KEY_LENGTH 32u
#define STATION_PUBLIC_KEY_LENGTH 65u
#define STATION_SIGNATURE_LENGTH 64u
#define STATION_OBJECTS_MAX 5u

/* A private key as PKCS#8 with its public key; the scalar stands in it at this offset. */
#define STATION_PKCS8_LENGTH 138u
#define STATION_PKCS8_SCALAR_OFFSET 36u

/* Bits of station_facts.security. */
#define STATION_SECURE_BOOT 0x01u
#define STATION_READ_OUT_PROTECTION 0x02u
#define STATION_FLASH_ENCRYPTION 0x04u

/* What the device says about itself in IDENTIFY. It must not change while the device runs. */
struct station_facts {
    const char *model;           /* 1 to 32 printable ASCII characters */
    const uint8_t *hardware_id;  /* 4 to 32 bytes, this device's alone and for life */
    uint8_t hardware_id_length;
    const char *firmware;        /* 1 to 32 printable ASCII characters */
    const char *factory_serial;  /* 0 to 64 printable ASCII characters; NULL if there is none */
    uint8_t security;            /* STATION_SECURE_BOOT and so on */
    uint8_t window;              /* 1 to 8; 1 for a device that is deaf while it programs */
    bool can_read;               /* READ is offered */
    bool can_lock;               /* FINISH can lock; needs the lock hooks */
    bool takes_pkcs8;            /* the key may come as PKCS#8; counts where max_chunk is 138 or more */
    uint32_t capacity;           /* bytes of one image area */
    uint16_t max_chunk;          /* 65 to 1001 */
    uint16_t busy_erase_ms;      /* the longest it takes to erase one slot */
    uint16_t busy_chunk_ms;      /* to write one chunk */
    uint16_t busy_commit_ms;     /* to read back, hash, and write a header */
    uint16_t busy_prove_ms;      /* to read back, hash, and sign; also to make a key */
    uint16_t busy_boot_ms;       /* from the reset until it answers */
};

/*
 * Where something is stored. Each of the two slots has a header of 96 bytes and an image area of
 * `capacity` bytes. A header stands where it can be written alone, after its image.
 */
enum station_region {
    STATION_HEADER_0,
    STATION_HEADER_1,
    STATION_IMAGE_0,
    STATION_IMAGE_1
};

/*
 * What the device must be able to do. Every hook gets `context` as its first argument. A hook that
 * returns int returns 0 when all is well and a number of its own, which travels to the station as
 * the detail of an ERROR, when it is not.
 */
struct station_hooks {
    void *context;

    /*
     * Erases a region, so that nothing of it can be read any more, and returns when that is durable.
     * A slot is erased by its header first and then its image. Where both share a flash page, the
     * header's turn erases that page and the image's turn the others.
     */
    int (*erase)(void *context, enum station_region region);

    /*
     * Writes to a region that was erased; durable when it returns. An image is written from its
     * start to its end without gaps, a header as a whole. If your flash is written in units: all
     * writes but the last begin and end on a multiple of 32 bytes or of max_chunk behind the key;
     * fill the last up with what you like. (After a made key of 65 bytes, or a PKCS#8 key
     * of 138, this does not hold: keep the incomplete unit in memory until the next write or the
     * header.)
     */
    int (*write)(void *context, enum station_region region, uint32_t offset, const uint8_t *data, size_t length);

    /* Reads from the storage itself, never from a copy in memory. */
    int (*read)(void *context, enum station_region region, uint32_t offset, uint8_t *data, size_t length);

    /*
     * Only with can_lock, else NULL. lock_read says whether the lock is set: any programmed bit
     * counts; a failure counts as set. lock_set sets it for ever.
     */
    int (*lock_read)(void *context, bool *locked);
    int (*lock_set)(void *context);

    /* SHA-256, one at a time: start, any number of updates, finish. finish overwrites the state. */
    void (*hash_start)(void *context);
    void (*hash_update)(void *context, const uint8_t *data, size_t length);
    void (*hash_finish)(void *context, uint8_t digest[STATION_DIGEST_LENGTH]);

    /*
     * ECDSA on P-256 over a SHA-256 digest: r, s, 32 bytes each, big-endian. NULL: PROVE is not
     * offered. The nonce is random or by RFC 6979. Fails for a key that can't sign.
     */
    int (*sign)(void *context, const uint8_t private_key[STATION_PRIVATE_KEY_LENGTH],
                const uint8_t digest[STATION_DIGEST_LENGTH], uint8_t signature[STATION_SIGNATURE_LENGTH]);

    /*
     * Both only where the device makes its own key (KEYGEN and CSR, which also need sign), else
     * NULL. `random` fills with random bytes of cryptographic quality. `public_key` answers
     * 04, x, y, and fails for a number that is not a private key.
     */
    int (*random)(void *context, uint8_t *data, size_t length);
    int (*public_key)(void *context, const uint8_t private_key[STATION_PRIVATE_KEY_LENGTH],
                      uint8_t public_key[STATION_PUBLIC_KEY_LENGTH]);

    /* Puts bytes on the line. Called several times for one frame. */
    void (*send)(void *context, const uint8_t *data, size_t length);

    /*
     * Waits until what was sent is out, then resets as a power cycle would. Where it returns (a
     * simulation), the device ignores everything until station_device_start is called again.
     */
    void (*reset)(void *context);
};

/* --- Everything below is the device's memory; no need to touch it. --- */

struct station_object {
    uint8_t kind;
    uint16_t length;
};

struct station_table {
    uint32_t total;
    uint8_t digest[STATION_DIGEST_LENGTH];
    uint8_t count;
    struct station_object objects[STATION_OBJECTS_MAX];
};

struct station_device {
    const struct station_facts *facts;
    const struct station_hooks *hooks;

    uint32_t session; /* 0: none */
    uint32_t replaced_session;
    bool resetting;
    bool locked;

    bool has_active;
    uint8_t active_slot;
    uint32_t active_generation;
    struct station_table active;
    uint8_t certificate_digest[STATION_DIGEST_LENGTH];

    bool transfer_open;
    struct station_table staged;
    uint32_t next;
    uint32_t next_crc; /* of the image from 0 to next */

    bool has_made_key;
    bool has_made_signature;
    uint32_t made_key_number;
    uint8_t made_private[STATION_PRIVATE_KEY_LENGTH];
    uint8_t made_public[STATION_PUBLIC_KEY_LENGTH];
    uint8_t made_signature[STATION_SIGNATURE_LENGTH];

    bool discarding;
    uint16_t frame_length;
    uint8_t frame[STATION_FRAME_CAPACITY];
};

enum station_start {
    STATION_STARTED,
    STATION_FACTS_WRONG, /* a fact is outside what its comment says */
    STATION_HOOKS_MISSING
};

/*
 * Boots the device: looks for the active image and forgets all else. Call it once after each reset.
 * `facts` and `hooks` must live as long as the device.
 */
enum station_start station_device_start(struct station_device *device, const struct station_facts *facts,
                                        const struct station_hooks *hooks);

/* Takes bytes from the line, in any pieces, and answers every frame that they complete. */
void station_device_receive(struct station_device *device, const uint8_t *bytes, size_t length);

/* CRC-32/ISO-HDLC: `crc` is 0 at first, else what the call over the bytes before returned. */
uint32_t station_crc32(uint32_t crc, const uint8_t *data, size_t length);

#ifdef __cplusplus
}
#endif

#endif
