/*
 * A board on the host, for tests: two slots of flash and a lock in memory that can fail in every
 * way, SHA-256, and a signer that shows what it was asked to sign. It reads a script on stdin, does
 * it, and writes to stdout what the device sent; many streams run in one process. The same script
 * runs against the Rust device in tests/c_device, whose board.rs behaves as this one.
 *
 *     F bits            what the board is; see set_facts
 *     B                 power on
 *     R length16 bytes  bytes on the line; answers length32, the bytes sent, and 1 if it resets
 *     X how after16 done16 garbage   a fault to come; see enum fault
 *     I place offset16 mask          flips bits in storage: slot 0, slot 1 (header, then image), lock
 *     D                 answers all of storage
 *     E                 as D; then the flash is blank and the board as at first
 *     Z                 flushes stdout
 *
 * Numbers are little-endian. Licensed under Apache-2.0 OR MIT.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../firmware/sha256.h"
#include "../station_device.h"

#define CAPACITY 512u
#define SLOT_LENGTH (STATION_HEADER_LENGTH + CAPACITY)
#define LOCK_LENGTH 4u

#define FAILED 7
#define POWER_IS_OFF 0xdead
#define WRITTEN_TWICE 0x2222
#define BAD_SCALAR 9

enum fault {
    NO_FAULT = 0,
    FAILS_UNDONE = 1,    /* the call after `after` others fails and does nothing */
    FAILS_DONE = 2,      /* it does all and reports a failure */
    POWER_CUT = 3,       /* it does `done` bytes, the rest is `garbage` if that is not ff; then the power is off */
    FORGETS = 4,         /* it does nothing and reports success */
    READS_FAIL = 5,      /* every read of slot `done` fails until the power goes */
    LOCK_READ_FAILS = 6  /* the same for the lock */
};

static struct {
    uint8_t slots[2][SLOT_LENGTH];
    uint8_t lock[LOCK_LENGTH];
    uint8_t how;
    uint16_t after;
    uint16_t done;
    uint8_t garbage;
    bool power_is_off;
    bool fails_in_image; /* an erase is two calls here and one in the script's counting */
} flash;

static struct sha256 hash;
static uint8_t sent[1u << 20];
static size_t sent_length;
static bool reset_asked;
static uint8_t draws;

static struct station_device device;
static struct station_facts facts;
static struct station_hooks hooks;

static const uint8_t hardware_id[8] = {0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe};

/* Whether the fault's turn has come. */
static bool is_due(void)
{
    if (flash.how < FAILS_UNDONE || flash.how > FORGETS) {
        return false;
    }
    if (flash.after > 0u) {
        flash.after--;
        return false;
    }
    return true;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Does a change of `length` bytes under the fault that is due: `from` NULL erases. */
static int change_under_fault(uint8_t *at, const uint8_t *from, size_t length, size_t done)
{
    uint8_t how = flash.how;
    size_t i;
    if (how == FAILS_UNDONE || how == FORGETS) {
        done = 0u;
    } else if (how == FAILS_DONE) {
        done = length;
    }
    for (i = 0u; i < length; i++) {
        if (i < done) {
            at[i] = from == NULL ? 0xffu : from[i];
        } else if (how == POWER_CUT && from != NULL && flash.garbage != 0xffu) {
            at[i] = flash.garbage;
        }
    }
    flash.power_is_off = how == POWER_CUT;
    flash.how = NO_FAULT;
    return how == FORGETS ? 0 : how == POWER_CUT ? POWER_IS_OFF : FAILED;
}

static uint8_t *place_of(enum station_region region)
{
    switch (region) {
    case STATION_HEADER_0:
        return flash.slots[0];
    case STATION_HEADER_1:
        return flash.slots[1];
    case STATION_IMAGE_0:
        return flash.slots[0] + STATION_HEADER_LENGTH;
    default:
        return flash.slots[1] + STATION_HEADER_LENGTH;
    }
}

static bool is_header(enum station_region region)
{
    return region == STATION_HEADER_0 || region == STATION_HEADER_1;
}

static size_t size_of_region(enum station_region region)
{
    return is_header(region) ? STATION_HEADER_LENGTH : CAPACITY;
}

static int board_erase_image(uint8_t *at)
{
    if (flash.fails_in_image) {
        size_t done = flash.done > STATION_HEADER_LENGTH ? flash.done - STATION_HEADER_LENGTH : 0u;
        flash.fails_in_image = false;
        return change_under_fault(at, NULL, CAPACITY, smaller(done, CAPACITY));
    }
    memset(at, 0xff, CAPACITY);
    return 0;
}

static int board_erase(void *context, enum station_region region)
{
    (void)context;
    if (flash.power_is_off) {
        return POWER_IS_OFF;
    }
    if (!is_header(region)) {
        return board_erase_image(place_of(region));
    }
    if (is_due()) {
        bool header_is_whole = flash.how == POWER_CUT ? flash.done >= STATION_HEADER_LENGTH
                                                      : flash.how != FAILS_UNDONE;
        if (!header_is_whole) {
            return change_under_fault(place_of(region), NULL, STATION_HEADER_LENGTH, flash.done);
        }
        flash.fails_in_image = true;
        if (flash.how == FORGETS) {
            return 0;
        }
    }
    memset(place_of(region), 0xff, STATION_HEADER_LENGTH);
    return 0;
}

static int board_write(void *context, enum station_region region, uint32_t offset, const uint8_t *data, size_t length)
{
    uint8_t *at = place_of(region) + offset;
    size_t i;
    (void)context;
    if (flash.power_is_off) {
        return POWER_IS_OFF;
    }
    if (offset + length > size_of_region(region)) {
        abort();
    }
    for (i = 0u; i < length; i++) {
        if (at[i] != 0xffu) {
            return WRITTEN_TWICE;
        }
    }
    if (is_due()) {
        return change_under_fault(at, data, length, smaller(flash.done, length));
    }
    memcpy(at, data, length);
    return 0;
}

static int board_read(void *context, enum station_region region, uint32_t offset, uint8_t *data, size_t length)
{
    uint16_t slot = region == STATION_HEADER_1 || region == STATION_IMAGE_1 ? 1u : 0u;
    (void)context;
    if (flash.power_is_off) {
        return POWER_IS_OFF;
    }
    if (offset + length > size_of_region(region)) {
        abort();
    }
    if (flash.how == READS_FAIL && flash.done == slot) {
        return FAILED;
    }
    memcpy(data, place_of(region) + offset, length);
    return 0;
}

static int board_lock_read(void *context, bool *locked)
{
    static const uint8_t open[LOCK_LENGTH] = {0xff, 0xff, 0xff, 0xff};
    (void)context;
    if (flash.power_is_off) {
        return POWER_IS_OFF;
    }
    *locked = memcmp(flash.lock, open, sizeof open) != 0;
    return flash.how == LOCK_READ_FAILS ? FAILED : 0;
}

static int board_lock_set(void *context)
{
    static const uint8_t set[LOCK_LENGTH] = {0, 0, 0, 0};
    (void)context;
    if (flash.power_is_off) {
        return POWER_IS_OFF;
    }
    if (is_due()) {
        return change_under_fault(flash.lock, set, LOCK_LENGTH, smaller(flash.done, LOCK_LENGTH));
    }
    memcpy(flash.lock, set, LOCK_LENGTH);
    return 0;
}

static void board_hash_start(void *context)
{
    (void)context;
    sha256_start(&hash);
}

static void board_hash_update(void *context, const uint8_t *data, size_t length)
{
    (void)context;
    sha256_update(&hash, data, length);
}

static void board_hash_finish(void *context, uint8_t digest[STATION_DIGEST_LENGTH])
{
    (void)context;
    sha256_finish(&hash, digest);
}

/* Shows the scalar and the digest in place of a signature, so that a test sees both. */
static int board_sign(void *context, const uint8_t private_key[STATION_PRIVATE_KEY_LENGTH],
                      const uint8_t digest[STATION_DIGEST_LENGTH], uint8_t signature[STATION_SIGNATURE_LENGTH])
{
    size_t i;
    (void)context;
    for (i = 0u; i < STATION_PRIVATE_KEY_LENGTH && private_key[i] == 0xffu; i++) {
    }
    if (i == STATION_PRIVATE_KEY_LENGTH) {
        return BAD_SCALAR;
    }
    memcpy(signature, private_key, 32u);
    memcpy(signature + 32, digest, 32u);
    return 0;
}

/* Each draw is another byte repeated; the first is no key, so that drawing again is tried too. */
static int board_random(void *context, uint8_t *data, size_t length)
{
    (void)context;
    memset(data, draws, length);
    draws++;
    return 0;
}

static int board_public_key(void *context, const uint8_t private_key[STATION_PRIVATE_KEY_LENGTH],
                            uint8_t public_key[STATION_PUBLIC_KEY_LENGTH])
{
    (void)context;
    if (private_key[0] == 0u) {
        return BAD_SCALAR;
    }
    public_key[0] = 0x04;
    memset(public_key + 1, private_key[0] ^ 0xa5, 64u);
    return 0;
}

static void board_send(void *context, const uint8_t *data, size_t length)
{
    (void)context;
    if (length > sizeof sent - sent_length) {
        abort();
    }
    memcpy(sent + sent_length, data, length);
    sent_length += length;
}

static void board_reset(void *context)
{
    (void)context;
    reset_asked = true;
}

static void set_hooks(void)
{
    hooks.erase = board_erase;
    hooks.write = board_write;
    hooks.read = board_read;
    hooks.lock_read = board_lock_read;
    hooks.lock_set = board_lock_set;
    hooks.hash_start = board_hash_start;
    hooks.hash_update = board_hash_update;
    hooks.hash_finish = board_hash_finish;
    hooks.public_key = board_public_key;
    hooks.send = board_send;
    hooks.reset = board_reset;
}

/* Bit 0 PROVE, 1 READ, 2 lock, 3 KEYGEN; 4 and 5 the largest chunk; 6 a factory serial and PKCS#8; 7 the page's capacity. */
static void set_facts(uint8_t bits)
{
    static const uint16_t chunks[4] = {256u, 65u, 100u, 1001u};
    facts.model = "TH-200";
    facts.hardware_id = hardware_id;
    facts.hardware_id_length = sizeof hardware_id;
    facts.firmware = "1.4.2";
    facts.factory_serial = (bits & 0x40u) != 0u ? "F-000001" : NULL;
    facts.security = STATION_SECURE_BOOT;
    facts.window = 4u;
    facts.can_read = (bits & 0x02u) != 0u;
    facts.can_lock = (bits & 0x04u) != 0u;
    facts.takes_pkcs8 = (bits & 0x40u) != 0u;
    /* The page's example names 2048; its image needs less than this board has. */
    facts.capacity = (bits & 0x80u) != 0u ? 2048u : CAPACITY;
    facts.max_chunk = chunks[(bits >> 4) & 3u];
    facts.busy_erase_ms = 50u;
    facts.busy_chunk_ms = 5u;
    facts.busy_commit_ms = 20u;
    facts.busy_prove_ms = 30u;
    facts.busy_boot_ms = 300u;
    hooks.sign = (bits & 0x01u) != 0u ? board_sign : NULL;
    hooks.random = (bits & 0x08u) != 0u ? board_random : NULL;
}

static void set_blank(void)
{
    memset(&flash, 0, sizeof flash);
    memset(flash.slots, 0xff, sizeof flash.slots);
    memset(flash.lock, 0xff, sizeof flash.lock);
    draws = 0u;
    set_facts(0x07u);
}

static void power_on(void)
{
    flash.how = NO_FAULT;
    flash.power_is_off = false;
    flash.fails_in_image = false;
    if (station_device_start(&device, &facts, &hooks) != STATION_STARTED) {
        abort();
    }
}

/* --- The script --- */

static uint8_t next_byte(void)
{
    int byte = getchar();
    if (byte == EOF) {
        abort();
    }
    return (uint8_t)byte;
}

static uint16_t next_u16(void)
{
    uint16_t low = next_byte();
    return (uint16_t)(low | (next_byte() << 8));
}

static void put(const uint8_t *bytes, size_t length)
{
    if (fwrite(bytes, 1u, length, stdout) != length) {
        abort();
    }
}

/* Copied to a block of its own size, so that the sanitizer sees a read behind its end. */
static void receive(void)
{
    uint16_t length = next_u16();
    uint8_t *bytes = malloc(length == 0u ? 1u : length);
    uint8_t header[4];
    uint8_t flag;
    if (bytes == NULL || fread(bytes, 1u, length, stdin) != length) {
        abort();
    }
    sent_length = 0u;
    reset_asked = false;
    station_device_receive(&device, bytes, length);
    free(bytes);
    header[0] = (uint8_t)(sent_length & 0xffu);
    header[1] = (uint8_t)((sent_length >> 8) & 0xffu);
    header[2] = (uint8_t)((sent_length >> 16) & 0xffu);
    header[3] = 0u;
    flag = reset_asked ? 1u : 0u;
    put(header, sizeof header);
    put(sent, sent_length);
    put(&flag, 1u);
}

static void take_fault(void)
{
    flash.how = next_byte();
    flash.after = next_u16();
    flash.done = next_u16();
    flash.garbage = next_byte();
}

static void flip(void)
{
    uint8_t place = next_byte();
    uint16_t offset = next_u16();
    uint8_t mask = next_byte();
    if (place < 2u) {
        flash.slots[place][offset % SLOT_LENGTH] ^= mask;
    } else {
        flash.lock[offset % LOCK_LENGTH] ^= mask;
    }
}

static void dump(void)
{
    put(flash.slots[0], SLOT_LENGTH);
    put(flash.slots[1], SLOT_LENGTH);
    put(flash.lock, LOCK_LENGTH);
}

static void obey(int order)
{
    switch (order) {
    case 'F':
        set_facts(next_byte());
        break;
    case 'B':
        power_on();
        break;
    case 'R':
        receive();
        break;
    case 'X':
        take_fault();
        break;
    case 'I':
        flip();
        break;
    case 'D':
        dump();
        break;
    case 'E':
        dump();
        set_blank();
        break;
    case 'Z':
        fflush(stdout);
        break;
    default:
        abort();
    }
}

int main(void)
{
    int order;
    set_hooks();
    set_blank();
    while ((order = getchar()) != EOF) {
        obey(order);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
