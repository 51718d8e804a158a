/* Carries bytes between two terminals or channels of the guest until it is killed; opens
 * whichever end went away again. The device's side of a USB gadget is one of them.
 *
 *   relay NEAR FAR
 *   relay pty:LINK FAR a new pseudo-terminal behind that link
 *   relay hold PORT    has it open, and locked as programs for serial lines lock them
 *
 * What comes while the other end is away is lost, as on a line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* Its other end is kept open, so that it is there while nobody uses it. */
static int make_pty(const char *link)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    char name[64];
    struct termios raw;
    if (fd < 0 || grantpt(fd) || unlockpt(fd) || ptsname_r(fd, name, sizeof name)) return -1;
    int other = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (other < 0 || tcgetattr(other, &raw)) return -1;
    cfmakeraw(&raw);
    tcsetattr(other, TCSANOW, &raw);
    unlink(link);
    return symlink(name, link) == 0 ? fd : -1;
}

static int open_raw(const char *path)
{
    if (strncmp(path, "pty:", 4) == 0) return make_pty(path + 4);
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios raw;
    if (fd >= 0 && tcgetattr(fd, &raw) == 0) {
        cfmakeraw(&raw);
        tcsetattr(fd, TCSANOW, &raw);
    }
    return fd;
}

static void shut(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* Moves what there is; closes the end that is gone. */
static void carry(int *from, int *to)
{
    char bytes[4096];
    ssize_t count = read(*from, bytes, sizeof bytes);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
        shut(from);
        return;
    }
    for (ssize_t sent = 0; count > 0 && sent < count && *to >= 0;) {
        ssize_t now = write(*to, bytes + sent, (size_t)(count - sent));
        if (now >= 0) {
            sent += now;
        } else if (errno == EAGAIN || errno == EINTR) {
            struct pollfd full = {*to, POLLOUT, 0};
            if (poll(&full, 1, 1000) == 0 || (full.revents & (POLLHUP | POLLERR))) return;
        } else {
            shut(to);
        }
    }
}

int main(int argc, char **argv)
{
    int ends[2] = {-1, -1};
    if (argc != 3) return 2;
    if (strcmp(argv[1], "hold") == 0) {
        int held = open_raw(argv[2]);
        if (held < 0 || flock(held, LOCK_EX | LOCK_NB) != 0) return 1;
        pause();
        return 0;
    }
    for (;;) {
        for (int i = 0; i < 2; i++)
            if (ends[i] < 0) ends[i] = open_raw(argv[i + 1]);
        struct pollfd polled[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLIN, 0}};
        /* An end that is away is looked for again. */
        int away = ends[0] < 0 || ends[1] < 0;
        if (poll(polled, 2, away ? 20 : -1) < 0 && errno != EINTR) return 1;
        for (int i = 0; i < 2; i++) {
            if (ends[i] < 0 || polled[i].revents == 0) continue;
            if (polled[i].revents & POLLIN) {
                carry(&ends[i], &ends[1 - i]);
            } else {
                shut(&ends[i]);
                /* A channel whose far end is not there says so at once, and goes on saying so. */
                nanosleep(&(struct timespec){0, 20000000}, NULL);
            }
        }
    }
}
