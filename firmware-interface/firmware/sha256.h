/*
 * SHA-256 (FIPS 180-4) without tables beyond its constants, for boards that have none of their own.
 * Start with sha256_start; any number of updates; sha256_finish writes the digest and overwrites
 * the state, which may hold what was hashed.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes taken */
    uint8_t block[64];
};

void sha256_start(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const uint8_t *data, size_t length);
void sha256_finish(struct sha256 *hash, uint8_t digest[32]);

#endif
