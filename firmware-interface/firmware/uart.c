/*
 * The CMSDK UART 0. It holds one received byte, so an interrupt empties it into a ring, and the
 * line is heard while the device hashes, signs or programs. That is what lets it say window 4.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#include "board.h"

#define UART_DATA (*(volatile uint32_t *)0x40004000u)
#define UART_STATE (*(volatile uint32_t *)0x40004004u)
#define UART_CONTROL (*(volatile uint32_t *)0x40004008u)
#define UART_INTERRUPT (*(volatile uint32_t *)0x4000400cu)
#define UART_DIVIDER (*(volatile uint32_t *)0x40004010u)
#define INTERRUPT_ENABLE (*(volatile uint32_t *)0xe000e100u)

#define STATE_TRANSMIT_FULL 0x1u
#define STATE_RECEIVED 0x2u
#define CONTROL_TRANSMIT 0x1u
#define CONTROL_RECEIVE 0x2u
#define CONTROL_RECEIVE_INTERRUPT 0x8u
#define INTERRUPT_RECEIVE 0x2u

/* 25 MHz over 115200 bit/s. */
#define DIVIDER 217u

/* Four chunks of the largest size and their frames fit well. */
#define RING 4096u

static volatile uint8_t ring[RING];
static volatile uint32_t written; /* by the interrupt alone */
static volatile uint32_t taken;   /* by the main loop alone */

void uart_start(void)
{
    written = 0u;
    taken = 0u;
    UART_DIVIDER = DIVIDER;
    UART_CONTROL = CONTROL_TRANSMIT | CONTROL_RECEIVE | CONTROL_RECEIVE_INTERRUPT;
    /* What stood there is stale. QEMU also needs this read: else it looks for what waits a second later. */
    (void)UART_DATA;
    INTERRUPT_ENABLE = 1u;
}

/* A full ring drops bytes, as every UART does at last; the frame's CRC notices. */
void uart_interrupt(void)
{
    UART_INTERRUPT = INTERRUPT_RECEIVE;
    while ((UART_STATE & STATE_RECEIVED) != 0u) {
        uint8_t byte = (uint8_t)UART_DATA;
        if (written - taken < RING) {
            ring[written % RING] = byte;
            written++;
        }
    }
}

/* Interrupts are off between the look and the sleep: none slips in between, and it still wakes. */
static void sleep_until_received(void)
{
    __asm volatile("cpsid i" ::: "memory");
    while (written == taken) {
        __asm volatile("wfi\n cpsie i\n isb\n cpsid i" ::: "memory");
    }
    __asm volatile("cpsie i" ::: "memory");
}

size_t uart_take(uint8_t *bytes, size_t room)
{
    size_t length = 0u;
    sleep_until_received();
    while (length < room && taken != written) {
        bytes[length] = ring[taken % RING];
        /* It may be a byte of a key. */
        ring[taken % RING] = 0u;
        taken++;
        length++;
    }
    return length;
}

void uart_drain(void)
{
    while ((UART_STATE & STATE_TRANSMIT_FULL) != 0u) {
    }
}

void uart_send(const uint8_t *bytes, size_t length)
{
    size_t i;
    for (i = 0u; i < length; i++) {
        uart_drain();
        UART_DATA = bytes[i];
    }
}
