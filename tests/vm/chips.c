/* A USB serial adapter in software: its chip, as the makers publish how it is spoken to, behind
 * the kernel's own driver. The kernel is its host by USB/IP, over a socket instead of a network.
 *
 *   chips KIND FAR BAUD [MS [N]]    KIND is ftdi, cp210x, ch341, pl2303, or acm for a board with
 *                                   USB of its own; FAR is the line, of BAUD; with MS, an FT232R
 *                                   whose latency nobody changes; with N, each Nth of its packets
 *                                   has a byte that arrived broken
 *
 * It is plugged in when this begins, and out when it ends. It prints the line's settings when
 * they change, and `stall` for a request that the chip does not have: it is refused as a chip
 * refuses it. Where the driver sets another rate than the line's, bytes come out garbled. An
 * FT232R collects for its latency; a CH340 collects whole packets unless it is told not to.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { SUBMIT = 1, UNLINK = 2, SUBMITTED = 3, UNLINKED = 4, FULL_SPEED = 2, HEADER = 48 };
enum { READ_CLASS = 0xa1, WRITE_CLASS = 0x21, READ_VENDOR = 0xc0, WRITE_VENDOR = 0x40 };
enum { STALL = -1, MOST = 4096 };

struct setup { uint8_t type, request; uint16_t value, index, length; };

/* What the driver told the chip of its line. */
struct line {
    unsigned baud, bits, stop;
    char parity;
    int dtr, rts, open;
} line = {9600, 8, 1, 'n', 0, 0, 1};

struct chip {
    const char *kind, *product;
    uint16_t vendor, id, release;
    uint8_t in, out, status, packet, status_size;
    /* Bytes that stand before the data of each packet. */
    uint8_t ahead;
    /* Answers a request: how many bytes, or STALL. */
    int (*control)(const struct setup *, uint8_t *);
};

static unsigned latency = 16;
static int latency_is_fixed;
static unsigned breaks, packets;
static int collects;
static unsigned registers[256];

static void say_line(void)
{
    static struct line said;
    if (memcmp(&said, &line, sizeof said) == 0) return;
    said = line;
    printf("line %u %u%c%u dtr=%d rts=%d open=%d\n", line.baud, line.bits, line.parity, line.stop,
           line.dtr, line.rts, line.open);
}

static unsigned le32(const uint8_t *bytes)
{
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (unsigned)bytes[3] << 24;
}

/* FT232R: AN232B-05 for rates, the D2XX guide for the rest. */
static int ftdi(const struct setup *s, uint8_t *data)
{
    static const unsigned eighths[8] = {0, 4, 2, 1, 3, 5, 6, 7};
    if (s->type == READ_VENDOR) {
        switch (s->request) {
        case 0x05: data[0] = 0x01, data[1] = 0x60; return 2;
        case 0x0a: data[0] = (uint8_t)latency; return 1;
        case 0x90: data[0] = data[1] = 0; return 2;
        }
        return STALL;
    }
    if (s->type != WRITE_VENDOR || s->length != 0) return STALL;
    switch (s->request) {
    case 0x00: return s->value <= 2 ? 0 : STALL;
    case 0x01:
        if (s->value & 0x0100) line.dtr = s->value & 1;
        if (s->value & 0x0200) line.rts = s->value >> 1 & 1;
        return 0;
    case 0x02: return 0;
    case 0x03: {
        unsigned divisor = (s->value & 0x3fffu) * 8 + eighths[s->value >> 14 | (s->index & 1) << 2];
        line.baud = divisor < 8 ? 3000000 : 24000000 / divisor;
        return 0;
    }
    case 0x04:
        line.bits = s->value & 0xff;
        line.parity = "noems"[(s->value >> 8 & 7) % 5];
        line.stop = s->value >> 11 & 3 ? 2 : 1;
        return 0;
    case 0x09:
        if (s->value < 1 || s->value > 255) return STALL;
        if (!latency_is_fixed) latency = s->value;
        printf("latency %u\n", latency);
        return 0;
    }
    return STALL;
}

/* CP2102: AN571. */
static int cp210x(const struct setup *s, uint8_t *data)
{
    static uint8_t flow[16];
    if (s->type == READ_VENDOR && s->request == 0xff && s->value == 0x370b) {
        data[0] = 0x02;
        return 1;
    }
    if (s->type == 0xc1) {
        switch (s->request) {
        case 0x08: data[0] = (uint8_t)(0x30 | line.dtr | line.rts << 1); return 1;
        case 0x10: memset(data, 0, 19); return 19;
        case 0x14: memcpy(data, flow, 16); return 16;
        case 0x1d: memcpy(data, &(uint32_t){htole32(line.baud)}, 4); return 4;
        }
        return STALL;
    }
    if (s->type != 0x41) return STALL;
    switch (s->request) {
    case 0x00: line.open = s->value; return s->value <= 1 ? 0 : STALL;
    case 0x03:
        line.bits = s->value >> 8;
        line.parity = "noems"[(s->value >> 4 & 15) % 5];
        line.stop = s->value & 15 ? 2 : 1;
        return line.bits >= 5 && line.bits <= 9 ? 0 : STALL;
    case 0x05: case 0x12: return 0;
    case 0x07:
        if (s->value & 0x0100) line.dtr = s->value & 1;
        if (s->value & 0x0200) line.rts = s->value >> 1 & 1;
        return 0;
    case 0x13: if (s->length != 16) return STALL; memcpy(flow, data, 16); return 0;
    case 0x19: return s->length == 6 ? 0 : STALL;
    case 0x1e: if (s->length != 4) return STALL; line.baud = le32(data); return 0;
    }
    return STALL;
}

/* CH340: WCH's serial protocol. Registers are written in pairs. */
static int ch341(const struct setup *s, uint8_t *data)
{
    uint8_t first = s->value & 0xff, second = s->value >> 8;
    if (s->type == READ_VENDOR) {
        switch (s->request) {
        case 0x5f: data[0] = 0x31, data[1] = 0; return 2;
        case 0x95:
            data[0] = (uint8_t)(first == 0x06 ? 0xff : registers[first]);
            data[1] = (uint8_t)(first == 0x06 ? 0xee : registers[second]);
            return 2;
        }
        return STALL;
    }
    if (s->type != WRITE_VENDOR || s->length != 0) return STALL;
    switch (s->request) {
    case 0xa1: return 0;
    case 0xa4:
        line.dtr = !(s->value & 0x20);
        line.rts = !(s->value & 0x40);
        return 0;
    case 0x9a:
        registers[first] = s->index & 0xff;
        registers[second] = s->index >> 8;
        break;
    default: return STALL;
    }
    if (s->value == 0x1312) {
        unsigned scale = 12 - 3 * (s->index & 3) - (s->index >> 2 & 1);
        line.baud = 48000000u / (1u << scale) / (256 - (s->index >> 8));
        collects = !(s->index & 0x80);
    } else if (s->value == 0x2518) {
        line.bits = 5 + (s->index & 3);
        line.stop = s->index & 4 ? 2 : 1;
        line.parity = s->index & 8 ? "oems"[s->index >> 4 & 3] : 'n';
    }
    return 0;
}

/* A modem as USB's class of communication devices has it: PSTN120, 6.3. */
static int acm(const struct setup *s, uint8_t *data)
{
    if (s->type == READ_CLASS && s->request == 0x21) {
        memcpy(data, &(uint32_t){htole32(line.baud)}, 4);
        data[4] = line.stop == 2 ? 2 : 0;
        data[5] = (uint8_t)(strchr("noems", line.parity) - "noems");
        data[6] = (uint8_t)line.bits;
        return 7;
    }
    if (s->type != WRITE_CLASS) return STALL;
    switch (s->request) {
    case 0x20:
        if (s->length != 7 || data[5] > 4) return STALL;
        line.baud = le32(data);
        line.stop = data[4] ? 2 : 1;
        line.parity = "noems"[data[5]];
        line.bits = data[6];
        return 0;
    case 0x22:
        line.dtr = s->value & 1;
        line.rts = s->value >> 1 & 1;
        return 0;
    case 0x23: return 0;
    }
    return STALL;
}

/* PL2303HX: as the class says, with registers of its own beside. */
static int pl2303(const struct setup *s, uint8_t *data)
{
    if (s->type == READ_VENDOR && s->request == 1) {
        data[0] = (uint8_t)registers[s->value & 0x7f];
        return 1;
    }
    if (s->type == WRITE_VENDOR && s->request == 1) {
        registers[s->value & 0x7f] = s->index & 0xff;
        return 0;
    }
    return acm(s, data);
}

static const struct chip chips[] = {
    {"ftdi", "FT232R USB UART", 0x0403, 0x6001, 0x0600, 1, 2, 0, 64, 0, 2, ftdi},
    {"cp210x", "CP2102 USB to UART Bridge Controller", 0x10c4, 0xea60, 0x0100, 1, 1, 0, 64, 0, 0, cp210x},
    {"ch341", "USB Serial", 0x1a86, 0x7523, 0x0264, 2, 2, 1, 32, 8, 0, ch341},
    {"pl2303", "USB-Serial Controller", 0x067b, 0x2303, 0x0300, 3, 2, 1, 64, 10, 0, pl2303},
    {"acm", "Board with USB of its own", 0x1209, 0x0001, 0x0100, 1, 1, 2, 64, 10, 0, acm},
};

static const struct chip *chip;
static unsigned line_baud;
static int host, far;

static uint8_t *endpoint(uint8_t *at, uint8_t address, uint8_t attributes, uint8_t size)
{
    const uint8_t said[7] = {7, 5, address, attributes, size, 0, attributes == 3};
    memcpy(at, said, 7);
    return at + 7;
}

static uint8_t *interface(uint8_t *at, uint8_t number, uint8_t endpoints, uint8_t class, uint8_t subclass,
                          uint8_t protocol)
{
    const uint8_t said[9] = {9, 4, number, 0, endpoints, class, subclass, protocol, 2};
    memcpy(at, said, 9);
    return at + 9;
}

/* A maker's chip is one interface; a modem of the class has one for what it says of itself, and
 * one for data. */
static int configuration(uint8_t *data)
{
    static const uint8_t modem[] = {5, 0x24, 0, 0x10, 1, 5, 0x24, 1, 0, 1, 4, 0x24, 2, 2, 5, 0x24, 6, 0, 1};
    int is_modem = chip->control == acm;
    uint8_t *at = data + 9;
    if (is_modem) {
        at = interface(at, 0, 1, 2, 2, 1);
        memcpy(at, modem, sizeof modem);
        at += sizeof modem;
    } else {
        at = interface(at, 0, chip->status ? 3 : 2, 0xff, 0, 0);
    }
    if (chip->status) at = endpoint(at, 0x80 | chip->status, 3, chip->status_size);
    if (is_modem) at = interface(at, 1, 2, 10, 0, 0);
    at = endpoint(at, 0x80 | chip->in, 2, chip->packet);
    at = endpoint(at, chip->out, 2, chip->packet);
    const uint8_t said[9] = {9, 2, (uint8_t)(at - data), 0, is_modem ? 2 : 1, 1, 0, 0x80, 50};
    memcpy(data, said, 9);
    return (int)(at - data);
}

static int text(uint8_t *data, const char *said)
{
    int length = 2;
    for (; *said; said++) data[length++] = (uint8_t)*said, data[length++] = 0;
    data[0] = (uint8_t)length, data[1] = 3;
    return length;
}

static int descriptor(uint16_t value, uint8_t *data)
{
    const uint8_t device[18] = {18, 1, 0x10, 1, chip->control == acm ? 2 : 0, 0, 0, 64,
        chip->vendor & 0xff, chip->vendor >> 8, chip->id & 0xff, chip->id >> 8,
        chip->release & 0xff, chip->release >> 8, 0, 2, 0, 1};
    switch (value >> 8) {
    case 1: memcpy(data, device, 18); return 18;
    case 2: return configuration(data);
    case 3:
        if ((value & 0xff) == 0) { memcpy(data, (uint8_t[]){4, 3, 9, 4}, 4); return 4; }
        return text(data, chip->product);
    }
    return STALL;
}

static int control(const struct setup *s, uint8_t *data)
{
    if ((s->type & 0x60) != 0) return chip->control(s, data);
    switch (s->request) {
    case 0: data[0] = data[1] = 0; return 2;
    case 1: case 9: case 11: return 0;
    case 6: return descriptor(s->value, data);
    }
    return STALL;
}

static void must(int holds, const char *what)
{
    if (holds) return;
    perror(what);
    exit(1);
}

static void to_host(const void *bytes, size_t count)
{
    for (size_t sent = 0; sent < count;) {
        ssize_t now = send(host, (const char *)bytes + sent, count - sent, MSG_NOSIGNAL);
        if (now < 0) exit(0);
        sent += (size_t)now;
    }
}

static void from_host(void *bytes, size_t count)
{
    for (size_t got = 0; got < count;) {
        ssize_t now = recv(host, (char *)bytes + got, count - got, 0);
        if (now <= 0) exit(0);
        got += (size_t)now;
    }
}

/* One answer; data only where the host reads. */
static void answer(uint32_t kind, uint32_t number, int status, const uint8_t *data, int count, int reads)
{
    uint32_t head[HEADER / 4] = {htobe32(kind), htobe32(number)};
    head[5] = htobe32((uint32_t)status);
    if (kind == SUBMITTED) head[6] = htobe32((uint32_t)count);
    to_host(head, sizeof head);
    if (reads && count > 0) to_host(data, (size_t)count);
}

/* What the host waits to read, oldest first: data, and changes of the modem lines, of which
 * there are none. */
struct wanted { uint32_t number; int endpoint, length; } waiting[64];
static int waiting_count;

static int forget(uint32_t number)
{
    for (int i = 0; i < waiting_count; i++) {
        if (waiting[i].number != number) continue;
        memmove(waiting + i, waiting + i + 1, (size_t)(--waiting_count - i) * sizeof *waiting);
        return 1;
    }
    return 0;
}

/* At another rate than the line's, a byte is another one. */
static void cross(uint8_t *bytes, ssize_t count)
{
    unsigned off = line.baud > line_baud ? line.baud - line_baud : line_baud - line.baud;
    if (off * 100 <= line_baud * 3 && line.bits == 8 && line.parity == 'n') return;
    for (ssize_t i = 0; i < count; i++) bytes[i] ^= 0x5a;
}

static void to_line(uint8_t *bytes, int count)
{
    cross(bytes, count);
    for (int sent = 0; sent < count;) {
        ssize_t now = write(far, bytes + sent, (size_t)(count - sent));
        if (now > 0) { sent += (int)now; continue; }
        if (now < 0 && errno != EAGAIN) return;
        poll(&(struct pollfd){far, POLLOUT, 0}, 1, 1000);
    }
}

static void take_request(void)
{
    uint32_t head[HEADER / 4];
    uint8_t data[MOST];
    from_host(head, sizeof head);
    uint32_t number = be32toh(head[1]), reads = be32toh(head[3]), at = be32toh(head[4]);
    if (be32toh(head[0]) == UNLINK) {
        answer(UNLINKED, number, forget(be32toh(head[5])) ? -ECONNRESET : 0, NULL, 0, 0);
        return;
    }
    int length = (int)be32toh(head[6]);
    must(length >= 0 && length <= MOST && be32toh(head[0]) == SUBMIT, "a request");
    if (!reads) from_host(data, (size_t)length);
    if (at == 0) {
        const uint8_t *raw = (const uint8_t *)&head[10];
        struct setup s = {raw[0], raw[1], (uint16_t)(raw[2] | raw[3] << 8),
                          (uint16_t)(raw[4] | raw[5] << 8), (uint16_t)(raw[6] | raw[7] << 8)};
        int count = control(&s, data);
        if (count == STALL)
            printf("stall %02x %02x %04x %04x %u\n", s.type, s.request, s.value, s.index, s.length);
        say_line();
        if (count > length) count = length;
        answer(SUBMITTED, number, count == STALL ? -EPIPE : 0, data,
               count == STALL ? 0 : reads ? count : length, (int)reads);
    } else if (reads) {
        must(waiting_count < 64, "requests at once");
        waiting[waiting_count++] = (struct wanted){number, (int)at, length};
    } else {
        if (line.open) to_line(data, length);
        answer(SUBMITTED, number, 0, NULL, length, 0);
    }
}

static uint8_t held[65536];
static size_t held_count;

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* When what is held goes out, which nobody changes once it is set; -1 for not yet. */
static long due_at = -1;

static void set_due(long last)
{
    long now = now_ms();
    int fills = held_count >= (size_t)(chip->packet - chip->ahead);
    if (held_count == 0 || (collects && !fills)) {
        due_at = -1;
    } else if (fills || !chip->ahead) {
        due_at = now;
    } else if (due_at < 0) {
        /* The timer runs on from the last packet, and does not begin with a byte. */
        due_at = now + (long)latency - (now - last) % (long)latency;
    }
}

/* Milliseconds until then; -1 for never. */
static int time_left(void)
{
    long left = due_at - now_ms();
    return due_at < 0 ? -1 : left < 0 ? 0 : (int)left;
}

/* A bit of the first byte turned over on the line, and the receiver saw it: by its parity, or by a
 * stop bit that was not there. */
static void break_byte(uint8_t *packet)
{
    int framing = packets / breaks & 1;
    packet[1] |= framing ? 0x08 : 0x04;
    packet[chip->ahead] ^= 0x10;
    printf("broken by %s\n", framing ? "framing" : "parity");
}

/* Fills one request of the host with packets. */
static void give(int which)
{
    uint8_t data[MOST];
    int count = 0, room = waiting[which].length;
    uint32_t number = waiting[which].number;
    size_t taken = 0, ready = held_count - (collects ? held_count % chip->packet : 0);
    while (taken < ready && count + chip->packet <= room) {
        size_t most = (size_t)(chip->packet - chip->ahead), piece = ready - taken;
        if (piece > most) piece = most;
        if (chip->ahead) data[count] = 0x01, data[count + 1] = 0x60;
        memcpy(data + count + chip->ahead, held + taken, piece);
        if (breaks && ++packets % breaks == 0) break_byte(data + count);
        count += (int)piece + chip->ahead;
        taken += piece;
        if (piece < most) break;
    }
    memmove(held, held + taken, held_count - taken);
    held_count -= taken;
    due_at = -1;
    forget(number);
    answer(SUBMITTED, number, 0, data, count, 1);
}

static int first_waiting(void)
{
    for (int i = 0; i < waiting_count; i++)
        if (waiting[i].endpoint == chip->in) return i;
    return -1;
}

static void plug_in(void)
{
    int ends[2];
    char said[64];
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "a socket");
    host = ends[1];
    /* Each kind has a socket of its own, so its place is the same each time. */
    int count = snprintf(said, sizeof said, "%d %d %d %d", (int)(chip - chips), ends[0], 1, FULL_SPEED);
    int attach = open("/sys/devices/platform/vhci_hcd.0/attach", O_WRONLY | O_CLOEXEC);
    must(attach >= 0 && write(attach, said, (size_t)count) == count, "vhci_hcd");
    close(attach);
    close(ends[0]);
}

int main(int argc, char **argv)
{
    struct termios raw;
    long last = 0;
    for (size_t i = 0; argc >= 4 && i < sizeof chips / sizeof *chips; i++)
        if (strcmp(chips[i].kind, argv[1]) == 0) chip = &chips[i];
    if (!chip) return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    line_baud = (unsigned)atoi(argv[3]);
    if (argc > 4) latency = (unsigned)atoi(argv[4]), latency_is_fixed = 1;
    if (argc > 5) breaks = (unsigned)atoi(argv[5]);
    far = open(argv[2], O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    must(far >= 0, argv[2]);
    if (tcgetattr(far, &raw) == 0) cfmakeraw(&raw), tcsetattr(far, TCSANOW, &raw);
    plug_in();
    for (;;) {
        set_due(last);
        int next = first_waiting(), wait = next < 0 ? -1 : time_left();
        if (wait == 0) {
            give(next);
            last = now_ms();
            continue;
        }
        struct pollfd polled[2] = {{host, POLLIN, 0}, {far, POLLIN, 0}};
        if (poll(polled, held_count < sizeof held ? 2 : 1, wait) < 0 && errno != EINTR) return 1;
        if (polled[0].revents) take_request();
        if (polled[1].revents & POLLIN) {
            ssize_t count = read(far, held + held_count, sizeof held - held_count);
            if (count > 0 && line.open) cross(held + held_count, count), held_count += (size_t)count;
        } else if (polled[1].revents) {
            poll(NULL, 0, 20);
        }
    }
}
