/*
 * A device that a provisioning station can provision: facts, hooks, and a loop. It is also the
 * example for a board of your own: what is specific to this one stands in the other files.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#include "../c/station_device.h"
#include "board.h"
#include "sha256.h"

#define LOCK_LENGTH 8u

static struct station_device device;
static struct station_facts facts;
static struct sha256 hash;

static enum flash_area area_of(enum station_region region)
{
    static const enum flash_area areas[] = {FLASH_HEADER_0, FLASH_HEADER_1, FLASH_IMAGE_0, FLASH_IMAGE_1};
    return areas[region];
}

static int erase(void *context, enum station_region region)
{
    (void)context;
    return flash_erase(area_of(region));
}

static int write(void *context, enum station_region region, uint32_t offset, const uint8_t *data, size_t length)
{
    (void)context;
    return flash_write(area_of(region), offset, data, length);
}

static int read(void *context, enum station_region region, uint32_t offset, uint8_t *data, size_t length)
{
    (void)context;
    return flash_read(area_of(region), offset, data, length);
}

/* Any programmed bit means locked: a lock that was cut short is one. */
static int lock_read(void *context, bool *locked)
{
    uint8_t bytes[LOCK_LENGTH];
    size_t i;
    int failure = flash_read(FLASH_LOCK, 0u, bytes, sizeof bytes);
    (void)context;
    *locked = false;
    for (i = 0u; i < sizeof bytes; i++) {
        *locked = *locked || bytes[i] != 0xffu;
    }
    return failure;
}

static int lock_set(void *context)
{
    static const uint8_t bytes[LOCK_LENGTH] = {0};
    bool locked;
    int failure = lock_read(context, &locked);
    return failure != 0 || locked ? failure : flash_write(FLASH_LOCK, 0u, bytes, sizeof bytes);
}

static void hash_start(void *context)
{
    (void)context;
    sha256_start(&hash);
}

static void hash_update(void *context, const uint8_t *data, size_t length)
{
    (void)context;
    sha256_update(&hash, data, length);
}

static void hash_finish(void *context, uint8_t digest[STATION_DIGEST_LENGTH])
{
    (void)context;
    sha256_finish(&hash, digest);
}

static void send(void *context, const uint8_t *data, size_t length)
{
    (void)context;
    uart_send(data, length);
}

static void reset(void *context)
{
    (void)context;
    uart_drain();
    system_reset();
}

static const struct station_hooks hooks = {
    .erase = erase,
    .write = write,
    .read = read,
    .lock_read = lock_read,
    .lock_set = lock_set,
    .hash_start = hash_start,
    .hash_update = hash_update,
    .hash_finish = hash_finish,
    .sign = curve_sign,
    .random = curve_random,
    .public_key = curve_public_key,
    .send = send,
    .reset = reset,
};

/* An emulated board is as slow as its host: the times have room for eight on two busy processors. */
static void set_facts(void)
{
    facts.model = "MPS2-AN385";
    facts.hardware_id = flash_hardware_id();
    facts.hardware_id_length = HARDWARE_ID_LENGTH;
    facts.firmware = "1.0.0";
    facts.window = 4u;
    facts.can_read = true;
    facts.can_lock = true;
    facts.takes_pkcs8 = true;
    facts.capacity = FLASH_CAPACITY;
    facts.max_chunk = 512u;
    facts.busy_erase_ms = 500u;
    facts.busy_chunk_ms = 200u;
    facts.busy_commit_ms = 1500u;
    facts.busy_prove_ms = 3000u;
    facts.busy_boot_ms = 4000u;
}

int main(void)
{
    static const uint8_t banner[] = "MPS2-AN385 firmware 1.0.0\r\n";
    uint8_t bytes[64];
    flash_start();
    uart_start();
    set_facts();
    uart_send(banner, sizeof banner - 1u);
    if (station_device_start(&device, &facts, &hooks) != STATION_STARTED) {
        return 1;
    }
    for (;;) {
        size_t length = uart_take(bytes, sizeof bytes);
        station_device_receive(&device, bytes, length);
    }
}
