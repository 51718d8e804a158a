/*
 * A clock that was never set: loaded before libc, it says that it is the second of January 1970.
 * Licensed under Apache-2.0 OR MIT.
 */
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define UNSET 86400

time_t time(time_t *at)
{
    if (at != NULL) {
        *at = UNSET;
    }
    return UNSET;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    now->tv_sec = UNSET;
    now->tv_usec = 0;
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int outcome = (int)syscall(SYS_clock_gettime, clock, now);
    if (outcome == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec = UNSET;
    }
    return outcome;
}
