/*
 * From the reset to main: the vector table, and memory as C expects it.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#include "board.h"

#define AIRCR (*(volatile uint32_t *)0xe000ed0cu)
#define AIRCR_RESET 0x05fa0004u
#define INTERRUPTS 32

extern uint32_t link_stack_top[];
extern uint32_t link_data_from[];
extern uint32_t link_data_start[];
extern uint32_t link_data_end[];
extern uint32_t link_bss_start[];
extern uint32_t link_bss_end[];

int main(void);

/* A fault is a bug: start over, as a watchdog would make it. */
static void fault(void)
{
    system_reset();
}

void system_reset(void)
{
    __asm volatile("dsb" ::: "memory");
    AIRCR = AIRCR_RESET;
    for (;;) {
    }
}

/* RAM outlives a reset: every byte that is not set here would carry a key over it. */
void start(void)
{
    uint32_t *from = link_data_from;
    uint32_t *to;
    for (to = link_data_start; to < link_data_end; to++) {
        *to = *from++;
    }
    for (to = link_bss_start; to < link_bss_end; to++) {
        *to = 0u;
    }
    main();
    system_reset();
}

typedef void (*vector)(void);

struct vectors {
    uint32_t *stack;
    vector exceptions[15];
    vector interrupts[INTERRUPTS];
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    link_stack_top,
    {start, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault},
    {uart_interrupt, fault},
};

/* The compiler may call these whatever the source says. */

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    while (length > 0u) {
        *t++ = *f++;
        length--;
    }
    return to;
}

void *memset(void *at, int value, size_t length)
{
    uint8_t *t = at;
    while (length > 0u) {
        *t++ = (uint8_t)value;
        length--;
    }
    return at;
}
