/*
 * Calls to the machine that runs this firmware: for tests alone. A real board has its own source of
 * random numbers and loses its power without being asked.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#include "board.h"

#define SYS_OPEN 0x01u
#define SYS_CLOSE 0x02u
#define SYS_READ 0x06u
#define SYS_EXIT_EXTENDED 0x20u
#define OPEN_FOR_READING 1u
#define APPLICATION_EXIT 0x20026u

/* What QEMU exits with where a test asked for a power cut. */
#define POWER_CUT_STATUS 42u

static int32_t call_host(uint32_t operation, const uint32_t *arguments)
{
    register uint32_t r0 __asm("r0") = operation;
    register const uint32_t *r1 __asm("r1") = arguments;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

int host_random(uint8_t *data, size_t length)
{
    static const char name[] = "/dev/urandom";
    uint32_t open[3] = {(uint32_t)name, OPEN_FOR_READING, sizeof name - 1u};
    int32_t handle = call_host(SYS_OPEN, open);
    uint32_t read[3] = {(uint32_t)handle, (uint32_t)data, length};
    uint32_t close[1] = {(uint32_t)handle};
    int32_t missing;
    if (handle == -1) {
        return 1;
    }
    missing = call_host(SYS_READ, read);
    call_host(SYS_CLOSE, close);
    return missing == 0 ? 0 : 2;
}

void host_power_off(void)
{
    static const uint32_t status[2] = {APPLICATION_EXIT, POWER_CUT_STATUS};
    for (;;) {
        call_host(SYS_EXIT_EXTENDED, status);
    }
}
