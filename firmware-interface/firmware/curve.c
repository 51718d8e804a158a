/*
 * P-256 by micro-ecc, which build.sh fetches from its registry.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#include "board.h"
#include "uECC.h"

#define NO_RANDOM 1
#define NO_SIGNATURE 2
#define NO_PUBLIC_KEY 3

/* What micro-ecc asks for nonces; 1 is success. */
static int fill(uint8_t *data, unsigned length)
{
    return host_random(data, length) == 0 ? 1 : 0;
}

int curve_random(void *context, uint8_t *data, size_t length)
{
    (void)context;
    return host_random(data, length) == 0 ? 0 : NO_RANDOM;
}

/* micro-ecc signs with any number: one that is not a private key fails here. */
int curve_sign(void *context, const uint8_t private_key[32], const uint8_t digest[32], uint8_t signature[64])
{
    uint8_t public_key[64];
    (void)context;
    uECC_set_rng(fill);
    if (uECC_compute_public_key(private_key, public_key, uECC_secp256r1()) != 1) {
        return NO_PUBLIC_KEY;
    }
    return uECC_sign(private_key, digest, 32u, signature, uECC_secp256r1()) == 1 ? 0 : NO_SIGNATURE;
}

int curve_public_key(void *context, const uint8_t private_key[32], uint8_t public_key[65])
{
    (void)context;
    public_key[0] = 0x04;
    return uECC_compute_public_key(private_key, public_key + 1, uECC_secp256r1()) == 1 ? 0 : NO_PUBLIC_KEY;
}
