/*
 * The flash: the first 64 KiB of the board's PSRAM, under the rules of a NOR flash with error
 * correction. A page of 4096 bytes is erased to ff; a unit of 8 bytes is programmed once after
 * that. The machine would allow more, so this driver enforces it.
 *
 *     0x0000  what the factory wrote, and the test's mailbox
 *     0x1000  lock
 *     0x2000  header of slot 0      0x3000  header of slot 1
 *     0x4000  image of slot 0       0x6000  image of slot 1
 *
 * The mailbox, little-endian words: at 0 after how many flash steps the power goes (0: never), at
 * 4 whether that step is torn (1) or not begun (0), at 8 how many steps there were since the
 * mailbox was cleared. At 16 the hardware id. A step is one unit programmed or an eighth of a
 * page erased.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#include "board.h"

#define FLASH_BASE 0x21000000u
#define PAGE 4096u
#define UNIT 8u
#define ERASE_STEP (PAGE / 8u)

#define MAILBOX_STEPS_LEFT (*(volatile uint32_t *)FLASH_BASE)
#define MAILBOX_TORN (*(volatile uint32_t *)(FLASH_BASE + 4u))
#define MAILBOX_STEPS_DONE (*(volatile uint32_t *)(FLASH_BASE + 8u))
#define HARDWARE_ID_AT (FLASH_BASE + 16u)

#define PROGRAMMED_TWICE 1
#define OUT_OF_AREA 2

struct area {
    uint32_t at;
    uint32_t length;
};

static const struct area areas[] = {
    {0x2000u, PAGE}, {0x3000u, PAGE}, {0x4000u, FLASH_CAPACITY}, {0x6000u, FLASH_CAPACITY}, {0x1000u, PAGE},
};

/*
 * Bytes of a unit that is not complete yet: the next write goes on with it, anything else programs
 * it as it stands. A made key of 65 bytes leaves one behind, and so does an image's end.
 */
static struct {
    enum flash_area area;
    uint32_t offset; /* of the unit */
    uint32_t length; /* 0: there is none */
    uint8_t bytes[UNIT];
} kept;

static volatile uint8_t *place_of(enum flash_area area, uint32_t offset)
{
    return (volatile uint8_t *)(FLASH_BASE + areas[area].at + offset);
}

/* Counts a step; true if the power goes in the middle of it. Where it goes before, there is no return. */
static bool step_is_torn(void)
{
    uint32_t left = MAILBOX_STEPS_LEFT;
    MAILBOX_STEPS_DONE = MAILBOX_STEPS_DONE + 1u;
    if (left == 0u) {
        return false;
    }
    MAILBOX_STEPS_LEFT = left - 1u;
    if (left > 1u) {
        return false;
    }
    if (MAILBOX_TORN == 0u) {
        host_power_off();
    }
    return true;
}

static int program_unit(enum flash_area area, uint32_t offset, const uint8_t bytes[UNIT])
{
    volatile uint8_t *at = place_of(area, offset);
    uint32_t i;
    bool torn;
    for (i = 0u; i < UNIT; i++) {
        if (at[i] != 0xffu) {
            return PROGRAMMED_TWICE;
        }
    }
    torn = step_is_torn();
    for (i = 0u; i < UNIT; i++) {
        if (torn && i == UNIT / 2u) {
            host_power_off();
        }
        at[i] = bytes[i];
    }
    return 0;
}

static void forget_kept(void)
{
    uint32_t i;
    for (i = 0u; i < UNIT; i++) {
        ((volatile uint8_t *)kept.bytes)[i] = 0xffu;
    }
    kept.length = 0u;
}

static int program_kept(void)
{
    int failure = 0;
    if (kept.length > 0u) {
        failure = program_unit(kept.area, kept.offset, kept.bytes);
    }
    forget_kept();
    return failure;
}

static int keep_byte(enum flash_area area, uint32_t offset, uint8_t byte)
{
    if (kept.length == 0u) {
        kept.area = area;
        kept.offset = offset;
    }
    kept.bytes[kept.length] = byte;
    kept.length++;
    return kept.length == UNIT ? program_kept() : 0;
}

static bool lies_in(enum flash_area area, uint32_t offset, size_t length)
{
    return offset <= areas[area].length && length <= areas[area].length - offset;
}

void flash_start(void)
{
    forget_kept();
}

int flash_erase(enum flash_area area)
{
    uint32_t offset;
    uint32_t i;
    int failure = program_kept();
    for (offset = 0u; offset < areas[area].length; offset += ERASE_STEP) {
        bool torn = step_is_torn();
        for (i = 0u; i < ERASE_STEP; i++) {
            if (torn && i == ERASE_STEP / 2u) {
                host_power_off();
            }
            *place_of(area, offset + i) = 0xffu;
        }
    }
    return failure;
}

int flash_write(enum flash_area area, uint32_t offset, const uint8_t *data, size_t length)
{
    size_t i;
    int failure = 0;
    bool goes_on = kept.length > 0u && kept.area == area && kept.offset + kept.length == offset;
    if (!lies_in(area, offset, length) || (!goes_on && offset % UNIT != 0u)) {
        return OUT_OF_AREA;
    }
    if (!goes_on) {
        failure = program_kept();
    }
    for (i = 0u; i < length && failure == 0; i++) {
        failure = keep_byte(area, offset + i, data[i]);
    }
    return failure;
}

int flash_read(enum flash_area area, uint32_t offset, uint8_t *data, size_t length)
{
    size_t i;
    int failure = program_kept();
    if (!lies_in(area, offset, length)) {
        return OUT_OF_AREA;
    }
    for (i = 0u; i < length; i++) {
        data[i] = *place_of(area, offset + i);
    }
    return failure;
}

const uint8_t *flash_hardware_id(void)
{
    return (const uint8_t *)HARDWARE_ID_AT;
}
