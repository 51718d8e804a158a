/*
 * The C device as a program: the line is stdin and stdout, the flash is a file.
 *
 *     serve FLASH
 *
 * serve.sh builds it. Whoever starts it puts a pseudo-terminal at stdin and stdout; ending the
 * process is cutting the power, and what was written by then is in the file. The curve is that of
 * the firmware beside this folder; flash, line and entropy are those of the host.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board.h"
#include "sha256.h"
#include "station_device.h"

#define CAPACITY 8192u
#define LOCK_LENGTH 4u
#define ERASED 0xffu

/* A header and an image for each slot, then the lock. */
#define IMAGES_AT (2u * STATION_HEADER_LENGTH)
#define LOCK_AT (IMAGES_AT + 2u * CAPACITY)
#define FLASH_LENGTH (LOCK_AT + LOCK_LENGTH)

#define FILE_FAILED 1
#define WRITTEN_TWICE 2

static uint8_t flash[FLASH_LENGTH];
static int flash_file;
static struct sha256 hash;
static bool reset_asked;

static struct station_device device;
static const uint8_t hardware_id[8] = {0x51, 0xc0, 0x99, 0x00, 0x00, 0x00, 0x00, 0x01};

static size_t place_of(enum station_region region)
{
    static const size_t places[] = {0u, STATION_HEADER_LENGTH, IMAGES_AT, IMAGES_AT + CAPACITY};
    return places[region];
}

static size_t length_of(enum station_region region)
{
    return region == STATION_HEADER_0 || region == STATION_HEADER_1 ? STATION_HEADER_LENGTH : CAPACITY;
}

static int save(size_t at, size_t length)
{
    return pwrite(flash_file, flash + at, length, (off_t)at) == (ssize_t)length ? 0 : FILE_FAILED;
}

static void load(const char *path)
{
    memset(flash, ERASED, sizeof flash);
    flash_file = open(path, O_RDWR | O_CREAT, 0600);
    if (flash_file < 0) {
        abort();
    }
    if (pread(flash_file, flash, sizeof flash, 0) != (ssize_t)sizeof flash && save(0u, sizeof flash) != 0) {
        abort();
    }
}

static int board_erase(void *context, enum station_region region)
{
    (void)context;
    memset(flash + place_of(region), ERASED, length_of(region));
    return save(place_of(region), length_of(region));
}

static int board_write(void *context, enum station_region region, uint32_t offset, const uint8_t *data, size_t length)
{
    size_t at = place_of(region) + offset;
    size_t i;
    (void)context;
    if (offset + length > length_of(region)) {
        abort();
    }
    for (i = 0u; i < length; i++) {
        if (flash[at + i] != ERASED) {
            return WRITTEN_TWICE;
        }
    }
    memcpy(flash + at, data, length);
    return save(at, length);
}

static int board_read(void *context, enum station_region region, uint32_t offset, uint8_t *data, size_t length)
{
    (void)context;
    if (offset + length > length_of(region)) {
        abort();
    }
    memcpy(data, flash + place_of(region) + offset, length);
    return 0;
}

static int board_lock_read(void *context, bool *locked)
{
    static const uint8_t open_lock[LOCK_LENGTH] = {ERASED, ERASED, ERASED, ERASED};
    (void)context;
    *locked = memcmp(flash + LOCK_AT, open_lock, LOCK_LENGTH) != 0;
    return 0;
}

static int board_lock_set(void *context)
{
    (void)context;
    memset(flash + LOCK_AT, 0, LOCK_LENGTH);
    return save(LOCK_AT, LOCK_LENGTH);
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

static void board_send(void *context, const uint8_t *data, size_t length)
{
    (void)context;
    while (length > 0u) {
        ssize_t some = write(STDOUT_FILENO, data, length);
        if (some <= 0) {
            exit(0);
        }
        data += some;
        length -= (size_t)some;
    }
}

static void board_reset(void *context)
{
    (void)context;
    reset_asked = true;
}

/* What curve.c asks for. */
int host_random(uint8_t *data, size_t length)
{
    static int source = -1;
    if (source < 0) {
        source = open("/dev/urandom", O_RDONLY);
    }
    return source >= 0 && read(source, data, length) == (ssize_t)length ? 0 : 1;
}

static const struct station_hooks hooks = {
    .erase = board_erase,
    .write = board_write,
    .read = board_read,
    .lock_read = board_lock_read,
    .lock_set = board_lock_set,
    .hash_start = board_hash_start,
    .hash_update = board_hash_update,
    .hash_finish = board_hash_finish,
    .sign = curve_sign,
    .random = curve_random,
    .public_key = curve_public_key,
    .send = board_send,
    .reset = board_reset,
};

/* The times have room for a busy host and for the sanitizers. */
static const struct station_facts facts = {
    .model = "C-HOST",
    .hardware_id = hardware_id,
    .hardware_id_length = sizeof hardware_id,
    .firmware = "1.0.0",
    /* A serial of its maker would have to be the one on its label: see E-DEV-FACTORY-SERIAL. */
    .factory_serial = NULL,
    .security = STATION_SECURE_BOOT,
    .window = 8u,
    .can_read = true,
    .can_lock = true,
    .takes_pkcs8 = true,
    .capacity = CAPACITY,
    .max_chunk = 1001u,
    .busy_erase_ms = 100u,
    .busy_chunk_ms = 50u,
    .busy_commit_ms = 200u,
    .busy_prove_ms = 500u,
    .busy_boot_ms = 500u,
};

static void start(void)
{
    reset_asked = false;
    if (station_device_start(&device, &facts, &hooks) != STATION_STARTED) {
        abort();
    }
}

int main(int count, char **arguments)
{
    uint8_t bytes[256];
    ssize_t length;
    if (count != 2) {
        return 2;
    }
    load(arguments[1]);
    start();
    while ((length = read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
        station_device_receive(&device, bytes, (size_t)length);
        if (reset_asked) {
            start();
        }
    }
    return 0;
}
