/*
 * SHA-256, written from FIPS 180-4; the names are the standard's.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#include "sha256.h"

static const uint32_t start_state[8] = {0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                        0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};

static const uint32_t k[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u};

static uint32_t rotr(uint32_t x, unsigned n)
{
    return (x >> n) | (x << (32u - n));
}

static uint32_t word_at(const uint8_t *from)
{
    return ((uint32_t)from[0] << 24) | ((uint32_t)from[1] << 16) | ((uint32_t)from[2] << 8) | from[3];
}

/* The message schedule's word t, which takes the place of word t - 16. */
static uint32_t next_word(uint32_t w[16], unsigned t)
{
    uint32_t w15 = w[(t - 15u) & 15u];
    uint32_t w2 = w[(t - 2u) & 15u];
    uint32_t s0 = rotr(w15, 7) ^ rotr(w15, 18) ^ (w15 >> 3);
    uint32_t s1 = rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >> 10);
    w[t & 15u] += s0 + w[(t - 7u) & 15u] + s1;
    return w[t & 15u];
}

static void one_round(uint32_t v[8], uint32_t constant_and_word)
{
    uint32_t sum1 = rotr(v[4], 6) ^ rotr(v[4], 11) ^ rotr(v[4], 25);
    uint32_t ch = (v[4] & v[5]) ^ (~v[4] & v[6]);
    uint32_t t1 = v[7] + sum1 + ch + constant_and_word;
    uint32_t sum0 = rotr(v[0], 2) ^ rotr(v[0], 13) ^ rotr(v[0], 22);
    uint32_t maj = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
    unsigned i;
    for (i = 7u; i > 0u; i--) {
        v[i] = v[i - 1u];
    }
    v[4] += t1;
    v[0] = t1 + sum0 + maj;
}

static void wipe_words(volatile uint32_t *words, size_t count)
{
    while (count > 0u) {
        count--;
        words[count] = 0u;
    }
}

static void take_block(struct sha256 *hash)
{
    uint32_t w[16];
    uint32_t v[8];
    unsigned t;
    for (t = 0u; t < 8u; t++) {
        v[t] = hash->state[t];
    }
    for (t = 0u; t < 64u; t++) {
        if (t < 16u) {
            w[t] = word_at(hash->block + 4u * t);
        }
        one_round(v, k[t] + (t < 16u ? w[t] : next_word(w, t)));
    }
    for (t = 0u; t < 8u; t++) {
        hash->state[t] += v[t];
    }
    wipe_words(w, 16u);
    wipe_words(v, 8u);
}

void sha256_start(struct sha256 *hash)
{
    unsigned i;
    for (i = 0u; i < 8u; i++) {
        hash->state[i] = start_state[i];
    }
    hash->length = 0u;
}

void sha256_update(struct sha256 *hash, const uint8_t *data, size_t length)
{
    size_t i;
    for (i = 0u; i < length; i++) {
        hash->block[hash->length & 63u] = data[i];
        hash->length++;
        if ((hash->length & 63u) == 0u) {
            take_block(hash);
        }
    }
}

void sha256_finish(struct sha256 *hash, uint8_t digest[32])
{
    static const uint8_t end = 0x80u;
    static const uint8_t zero = 0u;
    uint64_t bits = hash->length * 8u;
    volatile uint8_t *block = hash->block;
    uint8_t length[8];
    unsigned i;
    for (i = 0u; i < 8u; i++) {
        length[i] = (uint8_t)(bits >> (56u - 8u * i));
    }
    sha256_update(hash, &end, 1u);
    while ((hash->length & 63u) != 56u) {
        sha256_update(hash, &zero, 1u);
    }
    sha256_update(hash, length, sizeof length);
    for (i = 0u; i < 32u; i++) {
        digest[i] = (uint8_t)(hash->state[i / 4u] >> (24u - 8u * (i & 3u)));
    }
    wipe_words(hash->state, 8u);
    for (i = 0u; i < sizeof hash->block; i++) {
        block[i] = 0u;
    }
}
