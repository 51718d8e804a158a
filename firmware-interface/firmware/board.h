/*
 * The board of this firmware: QEMU's mps2-an385, a Cortex-M3 with 4 MiB of code memory, 4 MiB of
 * RAM, a CMSDK UART, and 16 MiB of PSRAM that the test backs by a file and this firmware treats as
 * its flash. flash.c drives the flash, uart.c the line, semihosting.c asks the host for entropy
 * and ends the machine where a test wants a power cut. Start reading at main.c.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- flash.c: two slots and a lock, see its head for the layout --- */

#define FLASH_CAPACITY 8192u
#define HARDWARE_ID_LENGTH 8u

enum flash_area { FLASH_HEADER_0, FLASH_HEADER_1, FLASH_IMAGE_0, FLASH_IMAGE_1, FLASH_LOCK };

void flash_start(void);
int flash_erase(enum flash_area area);
int flash_write(enum flash_area area, uint32_t offset, const uint8_t *data, size_t length);
int flash_read(enum flash_area area, uint32_t offset, uint8_t *data, size_t length);
const uint8_t *flash_hardware_id(void);

/* --- uart.c --- */

void uart_start(void);
size_t uart_take(uint8_t *bytes, size_t room); /* waits for at least one byte */
void uart_send(const uint8_t *bytes, size_t length);
void uart_drain(void);
void uart_interrupt(void);

/* --- curve.c: P-256 --- */

int curve_random(void *context, uint8_t *data, size_t length);
int curve_sign(void *context, const uint8_t private_key[32], const uint8_t digest[32], uint8_t signature[64]);
int curve_public_key(void *context, const uint8_t private_key[32], uint8_t public_key[65]);

/* --- semihosting.c --- */

int host_random(uint8_t *data, size_t length);
void host_power_off(void);

/* --- start.c --- */

void system_reset(void);

#endif
