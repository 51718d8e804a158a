/* DTR and RTS for pseudo-terminals, which have none: put before a program (LD_PRELOAD), this
 * tells what the program does with them to the simulated chip behind the terminal, by the
 * socket beside its link. SIM_LINKS names the links, separated by colons. The program itself,
 * the station or esptool, is unchanged and knows nothing of it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TERMINALS 4096

/* What Linux does with both lines when a port is opened. */
static unsigned char levels[TERMINALS];
static unsigned char known[TERMINALS];

static int number_of(const char *terminal)
{
    int number = -1;
    if (sscanf(terminal, "/dev/pts/%d", &number) != 1 || number < 0 || number >= TERMINALS)
        return -1;
    return number;
}

static void tell(const char *terminal, unsigned char now)
{
    const char *all = getenv("SIM_LINKS");
    char copy[PATH_MAX * 4], leads[PATH_MAX];
    if (!all || strlen(all) >= sizeof copy)
        return;
    strcpy(copy, all);
    for (char *link = strtok(copy, ":"); link; link = strtok(NULL, ":")) {
        ssize_t length = readlink(link, leads, sizeof leads - 1);
        if (length < 0)
            continue;
        leads[length] = 0;
        if (strcmp(leads, terminal) != 0)
            continue;
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        if (snprintf(to.sun_path, sizeof to.sun_path, "%s.lines", link) >= (int)sizeof to.sun_path)
            return;
        unsigned char both[2] = { (now & 1) != 0, (now & 2) != 0 };
        int out = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (out >= 0) {
            sendto(out, both, sizeof both, 0, (struct sockaddr *)&to, sizeof to);
            close(out);
        }
        return;
    }
}

int ioctl(int fd, unsigned long request, ...)
{
    static int (*real)(int, unsigned long, ...);
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (!real)
        real = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    if (request != TIOCMGET && request != TIOCMSET && request != TIOCMBIS && request != TIOCMBIC)
        return real(fd, request, argument);
    char terminal[64];
    int number = ttyname_r(fd, terminal, sizeof terminal) == 0 ? number_of(terminal) : -1;
    if (number < 0)
        return real(fd, request, argument);
    if (!known[number])
        known[number] = 1, levels[number] = 3;
    int bits = request == TIOCMGET ? 0 : *(int *)argument;
    unsigned char asked = (bits & TIOCM_DTR ? 1 : 0) | (bits & TIOCM_RTS ? 2 : 0);
    unsigned char now = levels[number];
    switch (request) {
    case TIOCMGET:
        *(int *)argument = (now & 1 ? TIOCM_DTR : 0) | (now & 2 ? TIOCM_RTS : 0);
        return 0;
    case TIOCMSET: now = asked; break;
    case TIOCMBIS: now |= asked; break;
    default: now &= (unsigned char)~asked; break;
    }
    levels[number] = now;
    tell(terminal, now);
    return 0;
}
