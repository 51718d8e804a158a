/*
 * The device's side of the framed provisioning protocol, version 1. Start reading at
 * station_device_receive, which finds frames; handle_frame checks one and calls its request.
 * Section numbers are those of docs/protocol.md.
 *
 * Licensed under Apache-2.0 OR MIT.
 */
#include "station_device.h"

#define PROTOCOL_VERSION 1u

/* Section 1: version, type, seq, session before the body, crc behind it. */
#define BODY_OFFSET 8u
#define CRC_LENGTH 4u
#define FRAME_OVERHEAD (BODY_OFFSET + CRC_LENGTH)
#define FRAME_MAX 1017u
#define REPLY_BIT 0x80u

/* Bytes read from storage at a time; on the stack. */
#define PIECE_LENGTH 64u

enum request_type {
    IDENTIFY = 0x01,
    BEGIN = 0x02,
    CHUNK = 0x03,
    COMMIT = 0x04,
    RESTART = 0x05,
    PROVE = 0x06,
    FINISH = 0x07,
    ABORT = 0x08,
    ERASE = 0x09,
    READ = 0x0a,
    KEYGEN = 0x0b,
    CSR = 0x0c
};

enum error_code {
    NO_ERROR = 0x0000,
    BAD_VERSION = 0x0001,
    UNKNOWN_TYPE = 0x0002,
    UNSUPPORTED = 0x0003,
    BAD_LENGTH = 0x0004,
    BAD_VALUE = 0x0005,
    NO_SESSION = 0x0006,
    LOCKED = 0x0007,
    TOO_LARGE = 0x0008,
    NO_TRANSFER = 0x0009,
    INCOMPLETE = 0x000a,
    WRONG_DIGEST = 0x000b,
    CORRUPT = 0x000c,
    NO_IDENTITY = 0x000d,
    NO_OBJECT = 0x000e,
    SECRET = 0x000f,
    STORAGE = 0x0010,
    SIGNER = 0x0011,
    NO_KEY = 0x0012
};

enum object_kind {
    KIND_KEY = 0x01,
    KIND_MADE_KEY = 0x02,
    KIND_CLIENT_CERTIFICATE = 0x03,
    KIND_CA_CHAIN = 0x04,
    KIND_SERVER_ROOTS = 0x05,
    KIND_SETTINGS = 0x06,
    KIND_PKCS8_KEY = 0x07
};

enum lifecycle { BLANK = 0, STAGED = 1, PROVISIONED = 2, LIFECYCLE_LOCKED = 3 };

/* What came of a request: a reply body of so many bytes, or an error and its detail. */
struct outcome {
    enum error_code error;
    uint32_t detail;
    size_t length;
};

/* A slot's header as it is read from storage. */
struct header {
    uint32_t generation;
    struct station_table table;
};

/* The memory that the header file promises; and frames that must fit into it. */
typedef char assert_device_is_small[sizeof(struct station_device) < 2048u ? 1 : -1];
typedef char assert_frame_is_large[STATION_FRAME_CAPACITY >= 300 ? 1 : -1];

static struct outcome answer(size_t length)
{
    struct outcome outcome = {NO_ERROR, 0u, 0u};
    outcome.length = length;
    return outcome;
}

static struct outcome refuse(enum error_code error, uint32_t detail)
{
    struct outcome outcome = {NO_ERROR, 0u, 0u};
    outcome.error = error;
    outcome.detail = detail;
    return outcome;
}

static bool refused(struct outcome outcome)
{
    return outcome.error != NO_ERROR;
}

/* --- Bytes --- */

static void copy_bytes(uint8_t *to, const uint8_t *from, size_t length)
{
    size_t i;
    for (i = 0u; i < length; i++) {
        to[i] = from[i];
    }
}

static bool equal_bytes(const uint8_t *a, const uint8_t *b, size_t length)
{
    size_t i;
    uint8_t difference = 0u;
    for (i = 0u; i < length; i++) {
        difference |= (uint8_t)(a[i] ^ b[i]);
    }
    return difference == 0u;
}

static void zero_bytes(uint8_t *bytes, size_t length)
{
    size_t i;
    for (i = 0u; i < length; i++) {
        bytes[i] = 0u;
    }
}

/* Overwrites what may hold a key; volatile, so that no compiler leaves it out. */
static void wipe(uint8_t *bytes, size_t length)
{
    volatile uint8_t *at = bytes;
    while (length > 0u) {
        *at++ = 0u;
        length--;
    }
}

static uint16_t take_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] | ((uint16_t)from[1] << 8));
}

static uint32_t take_u32(const uint8_t *from)
{
    return (uint32_t)take_u16(from) | ((uint32_t)take_u16(from + 2) << 16);
}

static void put_u16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)(value & 0xffu);
    to[1] = (uint8_t)(value >> 8);
}

static void put_u32(uint8_t *to, uint32_t value)
{
    put_u16(to, (uint16_t)(value & 0xffffu));
    put_u16(to + 2, (uint16_t)(value >> 16));
}

/* Four bits at a time: 64 bytes of table instead of 1024. */
uint32_t station_crc32(uint32_t crc, const uint8_t *data, size_t length)
{
    static const uint32_t table[16] = {
        0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
        0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
        0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu};
    size_t i;
    crc = ~crc;
    for (i = 0u; i < length; i++) {
        crc ^= data[i];
        crc = (crc >> 4) ^ table[crc & 0x0fu];
        crc = (crc >> 4) ^ table[crc & 0x0fu];
    }
    return ~crc;
}

static uint8_t *body_of(struct station_device *device)
{
    return device->frame + BODY_OFFSET;
}

/* --- Storage: section 9 --- */

static enum station_region header_region(uint8_t slot)
{
    return slot == 0u ? STATION_HEADER_0 : STATION_HEADER_1;
}

static enum station_region image_region(uint8_t slot)
{
    return slot == 0u ? STATION_IMAGE_0 : STATION_IMAGE_1;
}

/* The slot that takes the next image: the one that is not active, else the first. */
static uint8_t spare_slot(const struct station_device *device)
{
    return device->has_active && device->active_slot == 0u ? 1u : 0u;
}

static int read_storage(struct station_device *device, enum station_region region, uint32_t offset,
                        uint8_t *data, size_t length)
{
    return device->hooks->read(device->hooks->context, region, offset, data, length);
}

/* The header first: from then on nothing can take the slot for a whole one. */
static int erase_slot(struct station_device *device, uint8_t slot)
{
    const struct station_hooks *hooks = device->hooks;
    int failure = hooks->erase(hooks->context, header_region(slot));
    if (failure != 0) {
        return failure;
    }
    return hooks->erase(hooks->context, image_region(slot));
}

static int hash_image_part(struct station_device *device, uint8_t slot, uint32_t offset, uint32_t length,
                           uint8_t digest[STATION_DIGEST_LENGTH])
{
    const struct station_hooks *hooks = device->hooks;
    uint8_t piece[PIECE_LENGTH];
    int failure = 0;

    hooks->hash_start(hooks->context);
    while (length > 0u && failure == 0) {
        uint32_t some = length < PIECE_LENGTH ? length : PIECE_LENGTH;
        failure = read_storage(device, image_region(slot), offset, piece, some);
        if (failure == 0) {
            hooks->hash_update(hooks->context, piece, some);
        }
        offset += some;
        length -= some;
    }
    hooks->hash_finish(hooks->context, digest);
    wipe(piece, sizeof piece);
    return failure;
}

/* Finds an object in an image: its offset, and its index as the result, or -1. */
static int find_object(const struct station_table *table, uint8_t kind, uint32_t *offset)
{
    int i;
    *offset = 0u;
    for (i = 0; i < (int)table->count; i++) {
        if (table->objects[i].kind == kind) {
            return i;
        }
        *offset += table->objects[i].length;
    }
    return -1;
}

static int hash_certificate(struct station_device *device, uint8_t slot, const struct station_table *table,
                            uint8_t digest[STATION_DIGEST_LENGTH])
{
    uint32_t offset;
    int index = find_object(table, KIND_CLIENT_CERTIFICATE, &offset);
    /* Every table that was checked has one. */
    return hash_image_part(device, slot, offset, table->objects[index].length, digest);
}

static bool length_fits_kind(struct station_object object)
{
    switch (object.kind) {
    case KIND_KEY:
        return object.length == STATION_PRIVATE_KEY_LENGTH;
    case KIND_MADE_KEY:
        return object.length == STATION_PUBLIC_KEY_LENGTH;
    case KIND_PKCS8_KEY:
        return object.length == STATION_PKCS8_LENGTH;
    case KIND_SETTINGS:
        return object.length >= 9u && object.length <= 324u;
    default:
        return object.length >= 1u;
    }
}

static bool kind_is_known(uint8_t kind)
{
    return kind >= KIND_KEY && kind <= KIND_PKCS8_KEY;
}

static bool kind_is_key(uint8_t kind)
{
    return kind == KIND_KEY || kind == KIND_MADE_KEY || kind == KIND_PKCS8_KEY;
}

/*
 * Whether a kind may stand at this place. The first is a key of any sort, behind it the kinds
 * ascend, and a client certificate is a must: so it is always the second.
 */
static bool kind_fits_place(const struct station_table *table, uint8_t i)
{
    uint8_t kind = table->objects[i].kind;
    if (i == 0u) {
        return kind_is_key(kind);
    }
    if (i == 1u) {
        return kind == KIND_CLIENT_CERTIFICATE;
    }
    return kind > table->objects[i - 1u].kind && kind_is_known(kind) && !kind_is_key(kind);
}

/* Section 6: the rules for objects, but for the image's total. */
static bool table_is_valid(const struct station_table *table)
{
    uint8_t i;
    if (table->count < 2u || table->count > STATION_OBJECTS_MAX) {
        return false;
    }
    for (i = 0u; i < table->count; i++) {
        if (!kind_fits_place(table, i) || !length_fits_kind(table->objects[i])) {
            return false;
        }
    }
    return true;
}

/* Takes a table's count and objects, as they stand in BEGIN and in a header. Not yet checked. */
static void take_objects(struct station_table *table, const uint8_t *from)
{
    uint8_t i;
    table->count = from[0];
    for (i = 0u; i < table->count && i < STATION_OBJECTS_MAX; i++) {
        table->objects[i].kind = from[1u + 3u * i];
        table->objects[i].length = take_u16(from + 2u + 3u * i);
    }
}

static void put_objects(uint8_t *to, const struct station_table *table)
{
    uint8_t i;
    to[0] = table->count;
    for (i = 0u; i < table->count; i++) {
        to[1u + 3u * i] = table->objects[i].kind;
        put_u16(to + 2u + 3u * i, table->objects[i].length);
    }
}

static uint32_t sum_of_lengths(const struct station_table *table)
{
    uint32_t sum = 0u;
    uint8_t i;
    for (i = 0u; i < table->count; i++) {
        sum += table->objects[i].length;
    }
    return sum;
}

static bool tables_equal(const struct station_table *a, const struct station_table *b)
{
    uint8_t i;
    if (a->total != b->total || a->count != b->count
        || !equal_bytes(a->digest, b->digest, STATION_DIGEST_LENGTH)) {
        return false;
    }
    for (i = 0u; i < a->count; i++) {
        if (a->objects[i].kind != b->objects[i].kind || a->objects[i].length != b->objects[i].length) {
            return false;
        }
    }
    return true;
}

static const uint8_t header_magic[4] = {0x50, 0x53, 0x49, 0x31}; /* PSI1 */

/* Reads a slot's header, and whether it has its magic, its CRC and a valid table. */
static bool read_header(struct station_device *device, uint8_t slot, struct header *header)
{
    uint8_t bytes[STATION_HEADER_LENGTH];
    bool readable = read_storage(device, header_region(slot), 0u, bytes, sizeof bytes) == 0
                    && equal_bytes(bytes, header_magic, sizeof header_magic)
                    && take_u32(bytes + 92) == station_crc32(0u, bytes, 92u);
    if (readable) {
        header->generation = take_u32(bytes + 4);
        copy_bytes(header->table.digest, bytes + 8, STATION_DIGEST_LENGTH);
        take_objects(&header->table, bytes + 40);
        readable = table_is_valid(&header->table);
    }
    if (readable) {
        header->table.total = sum_of_lengths(&header->table);
        readable = header->table.total <= device->facts->capacity;
    }
    wipe(bytes, sizeof bytes);
    return readable;
}

static bool image_verifies(struct station_device *device, uint8_t slot, const struct station_table *table)
{
    uint8_t digest[STATION_DIGEST_LENGTH];
    return hash_image_part(device, slot, 0u, table->total, digest) == 0
           && equal_bytes(digest, table->digest, STATION_DIGEST_LENGTH);
}

static void make_active(struct station_device *device, uint8_t slot, const struct header *header,
                        const uint8_t certificate_digest[STATION_DIGEST_LENGTH])
{
    device->has_active = true;
    device->active_slot = slot;
    device->active_generation = header->generation;
    device->active = header->table;
    copy_bytes(device->certificate_digest, certificate_digest, STATION_DIGEST_LENGTH);
}

/* What a boot does: of the slots that verify, the one with the highest generation is active. */
static void find_active(struct station_device *device)
{
    uint8_t slot;
    device->has_active = false;
    for (slot = 0u; slot < 2u; slot++) {
        struct header header;
        uint8_t certificate_digest[STATION_DIGEST_LENGTH];
        if (!read_header(device, slot, &header)
            || (device->has_active && header.generation <= device->active_generation)) {
            continue;
        }
        if (image_verifies(device, slot, &header.table)
            && hash_certificate(device, slot, &header.table, certificate_digest) == 0) {
            make_active(device, slot, &header, certificate_digest);
        }
    }
}

static void find_lock(struct station_device *device)
{
    bool locked = false;
    if (device->hooks->lock_read == NULL) {
        device->locked = false;
        return;
    }
    /* A lock that can't be read counts as set. */
    device->locked = device->hooks->lock_read(device->hooks->context, &locked) != 0 || locked;
}

static void drop_transfer(struct station_device *device)
{
    device->transfer_open = false;
    device->next = 0u;
    device->next_crc = 0u;
}

static void drop_made_key(struct station_device *device)
{
    device->has_made_key = false;
    device->has_made_signature = false;
    wipe(device->made_private, sizeof device->made_private);
    wipe(device->made_public, sizeof device->made_public);
    wipe(device->made_signature, sizeof device->made_signature);
}

static enum lifecycle lifecycle_of(const struct station_device *device)
{
    if (device->locked) {
        return LIFECYCLE_LOCKED;
    }
    if (device->transfer_open) {
        return STAGED;
    }
    return device->has_active ? PROVISIONED : BLANK;
}

/* --- What is offered --- */

static bool can_make_keys(const struct station_device *device)
{
    return device->hooks->sign != NULL && device->hooks->random != NULL
           && device->hooks->public_key != NULL;
}

/* The key is a chunk of its own, so the largest one must hold it. */
static bool takes_pkcs8(const struct station_device *device)
{
    return device->facts->takes_pkcs8 && device->facts->max_chunk >= STATION_PKCS8_LENGTH;
}

static uint32_t capabilities_of(const struct station_device *device)
{
    uint32_t capabilities = 0u;
    capabilities |= device->hooks->sign != NULL ? 0x1u : 0u;
    capabilities |= device->facts->can_read ? 0x2u : 0u;
    capabilities |= device->facts->can_lock ? 0x4u : 0u;
    capabilities |= can_make_keys(device) ? 0x8u : 0u;
    capabilities |= takes_pkcs8(device) ? 0x10u : 0u;
    return capabilities;
}

static bool is_offered(const struct station_device *device, uint8_t type)
{
    switch (type) {
    case PROVE:
        return device->hooks->sign != NULL;
    case READ:
        return device->facts->can_read;
    case KEYGEN:
    case CSR:
        return can_make_keys(device);
    default:
        return true;
    }
}

/* --- IDENTIFY --- */

static size_t text_length(const char *text)
{
    size_t length = 0u;
    while (text != NULL && text[length] != '\0') {
        length++;
    }
    return length;
}

/* A length byte and so many bytes; returns what comes behind. */
static uint8_t *put_counted(uint8_t *to, const uint8_t *bytes, size_t length)
{
    *to = (uint8_t)length;
    copy_bytes(to + 1, bytes, length);
    return to + 1u + length;
}

static uint8_t *put_text(uint8_t *to, const char *text)
{
    return put_counted(to, (const uint8_t *)text, text_length(text));
}

static void put_limits(uint8_t *body, const struct station_facts *facts)
{
    put_u32(body + 12, facts->capacity);
    put_u16(body + 16, facts->max_chunk);
    put_u16(body + 18, facts->busy_erase_ms);
    put_u16(body + 20, facts->busy_chunk_ms);
    put_u16(body + 22, facts->busy_commit_ms);
    put_u16(body + 24, facts->busy_prove_ms);
    put_u16(body + 26, facts->busy_boot_ms);
}

static void put_held_identity(uint8_t *body, const struct station_device *device)
{
    zero_bytes(body + 28, 2u * STATION_DIGEST_LENGTH);
    if (device->has_active) {
        copy_bytes(body + 28, device->active.digest, STATION_DIGEST_LENGTH);
        copy_bytes(body + 60, device->certificate_digest, STATION_DIGEST_LENGTH);
    }
}

static struct outcome describe(struct station_device *device)
{
    const struct station_facts *facts = device->facts;
    uint8_t *body = body_of(device);
    uint8_t *end;
    body[0] = PROTOCOL_VERSION;
    body[1] = (uint8_t)lifecycle_of(device);
    body[2] = facts->security;
    body[3] = facts->window;
    put_u32(body + 4, capabilities_of(device));
    put_u32(body + 8, device->replaced_session);
    put_limits(body, facts);
    put_held_identity(body, device);
    end = put_text(body + 92, facts->model);
    end = put_counted(end, facts->hardware_id, facts->hardware_id_length);
    end = put_text(end, facts->firmware);
    end = put_text(end, facts->factory_serial);
    return answer((size_t)(end - body));
}

static void open_session(struct station_device *device, uint32_t session)
{
    if (session == device->session) {
        return;
    }
    device->replaced_session = device->session;
    device->session = session;
    drop_transfer(device);
    drop_made_key(device);
}

static struct outcome identify(struct station_device *device, uint32_t session)
{
    const uint8_t *body = body_of(device);
    if (body[0] > body[1]) {
        return refuse(BAD_VALUE, 0u);
    }
    if (body[0] > PROTOCOL_VERSION || body[1] < PROTOCOL_VERSION) {
        return refuse(BAD_VERSION, PROTOCOL_VERSION | (PROTOCOL_VERSION << 8));
    }
    open_session(device, session);
    return describe(device);
}

/* --- BEGIN and CHUNK --- */

/* The fields' values, which are checked before anything else of the request. */
static struct outcome check_objects(const struct station_table *table)
{
    uint8_t i;
    for (i = 0u; i < table->count && table->count <= STATION_OBJECTS_MAX; i++) {
        if (!kind_is_known(table->objects[i].kind)) {
            return refuse(BAD_VALUE, 37u + 3u * i);
        }
    }
    if (!table_is_valid(table)) {
        return refuse(BAD_VALUE, 36u);
    }
    if (table->total != sum_of_lengths(table)) {
        return refuse(BAD_VALUE, 0u);
    }
    return answer(0u);
}

static struct outcome check_announcement(const struct station_device *device, const struct station_table *table)
{
    struct outcome check = check_objects(table);
    if (refused(check)) {
        return check;
    }
    if (device->locked) {
        return refuse(LOCKED, 0u);
    }
    if (table->objects[0].kind == KIND_MADE_KEY && !device->has_made_key) {
        return refuse(NO_KEY, 0u);
    }
    if (table->objects[0].kind == KIND_PKCS8_KEY && !takes_pkcs8(device)) {
        return refuse(UNSUPPORTED, BEGIN);
    }
    if (table->total > device->facts->capacity) {
        return refuse(TOO_LARGE, device->facts->capacity);
    }
    return answer(0u);
}

static struct outcome answer_next(struct station_device *device)
{
    put_u32(body_of(device), device->next);
    return answer(4u);
}

static struct outcome begin(struct station_device *device)
{
    struct station_table table;
    struct outcome check;
    int failure;
    table.total = take_u32(body_of(device));
    copy_bytes(table.digest, body_of(device) + 4, STATION_DIGEST_LENGTH);
    take_objects(&table, body_of(device) + 36);
    check = check_announcement(device, &table);
    if (refused(check)) {
        return check;
    }
    if (device->transfer_open && tables_equal(&table, &device->staged)) {
        return answer_next(device);
    }
    drop_transfer(device);
    failure = erase_slot(device, spare_slot(device));
    if (failure != 0) {
        return refuse(STORAGE, (uint32_t)failure);
    }
    device->staged = table;
    device->transfer_open = true;
    return answer_next(device);
}

static struct outcome write_chunk(struct station_device *device, const uint8_t *data, uint32_t length)
{
    const struct station_hooks *hooks = device->hooks;
    int failure;
    if (length > device->staged.total - device->next
        || (device->next == 0u && length != device->staged.objects[0].length)) {
        return refuse(BAD_VALUE, 4u);
    }
    failure = hooks->write(hooks->context, image_region(spare_slot(device)), device->next, data, length);
    if (failure != 0) {
        drop_transfer(device);
        return refuse(STORAGE, (uint32_t)failure);
    }
    device->next += length;
    device->next_crc = station_crc32(device->next_crc, data, length);
    return answer(0u);
}

static struct outcome chunk(struct station_device *device, size_t length)
{
    uint8_t *body = body_of(device);
    if (!device->transfer_open) {
        return refuse(NO_TRANSFER, 0u);
    }
    if (take_u32(body) == device->next) {
        struct outcome written = write_chunk(device, body + 4, (uint32_t)length - 4u);
        if (refused(written)) {
            return written;
        }
    }
    put_u32(body, device->next);
    put_u32(body + 4, device->next_crc);
    return answer(8u);
}

/* --- COMMIT --- */

static struct outcome answer_commit(struct station_device *device)
{
    copy_bytes(body_of(device), device->active.digest, STATION_DIGEST_LENGTH);
    put_u32(body_of(device) + 32, device->active_generation);
    return answer(36u);
}

static struct outcome confirm_active(struct station_device *device)
{
    if (!image_verifies(device, device->active_slot, &device->active)) {
        return refuse(CORRUPT, 0u);
    }
    return answer_commit(device);
}

/* A made key in the image is the one that was made; any other key is the station's affair. */
static bool made_key_matches(struct station_device *device)
{
    uint8_t public_key[STATION_PUBLIC_KEY_LENGTH];
    if (device->staged.objects[0].kind != KIND_MADE_KEY) {
        return true;
    }
    return device->has_made_key
           && read_storage(device, image_region(spare_slot(device)), 0u, public_key, sizeof public_key) == 0
           && equal_bytes(public_key, device->made_public, sizeof public_key);
}

/* Reads the staged image back: whether it is what was announced. What can't be read is not. */
static bool staged_image_is_right(struct station_device *device, uint8_t certificate_digest[STATION_DIGEST_LENGTH])
{
    return image_verifies(device, spare_slot(device), &device->staged)
           && hash_certificate(device, spare_slot(device), &device->staged, certificate_digest) == 0
           && made_key_matches(device);
}

/* The active one counts even while its header can't be read: else it would come back as the newer. */
static uint32_t highest_generation(struct station_device *device)
{
    uint32_t highest = device->has_active ? device->active_generation : 0u;
    uint8_t slot;
    for (slot = 0u; slot < 2u; slot++) {
        struct header header;
        if (read_header(device, slot, &header) && header.generation > highest) {
            highest = header.generation;
        }
    }
    return highest;
}

static void put_header(uint8_t bytes[STATION_HEADER_LENGTH], const struct header *header,
                       const struct station_device *device)
{
    zero_bytes(bytes, STATION_HEADER_LENGTH);
    copy_bytes(bytes, header_magic, sizeof header_magic);
    put_u32(bytes + 4, header->generation);
    copy_bytes(bytes + 8, header->table.digest, STATION_DIGEST_LENGTH);
    put_objects(bytes + 40, &header->table);
    if (header->table.objects[0].kind == KIND_MADE_KEY) {
        copy_bytes(bytes + 56, device->made_private, STATION_PRIVATE_KEY_LENGTH);
    }
    put_u32(bytes + 92, station_crc32(0u, bytes, 92u));
}

/*
 * The atomic step, and IRREVERSIBLE: writes the header in one piece and reads it back. The image
 * behind it was verified before.
 */
static struct outcome write_header(struct station_device *device, uint8_t slot, const struct header *header)
{
    const struct station_hooks *hooks = device->hooks;
    uint8_t bytes[STATION_HEADER_LENGTH];
    uint8_t stored[STATION_HEADER_LENGTH];
    struct outcome outcome = answer(0u);
    int failure;
    put_header(bytes, header, device);
    failure = hooks->write(hooks->context, header_region(slot), 0u, bytes, sizeof bytes);
    if (failure == 0) {
        failure = read_storage(device, header_region(slot), 0u, stored, sizeof stored);
    }
    if (failure != 0) {
        outcome = refuse(STORAGE, (uint32_t)failure);
    } else if (!equal_bytes(bytes, stored, sizeof bytes)) {
        outcome = refuse(CORRUPT, 0u);
    }
    wipe(bytes, sizeof bytes);
    wipe(stored, sizeof stored);
    return outcome;
}

static struct outcome activate_staged(struct station_device *device)
{
    uint8_t slot = spare_slot(device);
    uint8_t certificate_digest[STATION_DIGEST_LENGTH];
    struct outcome written;
    struct header header;
    uint32_t highest = highest_generation(device);
    if (highest == UINT32_MAX) {
        return refuse(STORAGE, UINT32_MAX);
    }
    if (!staged_image_is_right(device, certificate_digest)) {
        return refuse(CORRUPT, 0u);
    }
    header.generation = highest + 1u;
    header.table = device->staged;
    written = write_header(device, slot, &header);
    if (!refused(written)) {
        make_active(device, slot, &header, certificate_digest);
    } else {
        /* It may have been written all the same: only what a boot would find is true. */
        find_active(device);
        if (!device->has_active || device->active_slot != slot
            || !tables_equal(&device->active, &device->staged)) {
            return written;
        }
    }
    drop_made_key(device);
    return answer_commit(device);
}

static struct outcome commit(struct station_device *device)
{
    const uint8_t *digest = body_of(device);
    struct outcome outcome;
    if (device->locked) {
        return refuse(LOCKED, 0u);
    }
    if (device->has_active && equal_bytes(digest, device->active.digest, STATION_DIGEST_LENGTH)) {
        return confirm_active(device);
    }
    if (!device->transfer_open) {
        return refuse(NO_TRANSFER, 0u);
    }
    if (device->next < device->staged.total) {
        return refuse(INCOMPLETE, device->next);
    }
    if (!equal_bytes(digest, device->staged.digest, STATION_DIGEST_LENGTH)) {
        return refuse(WRONG_DIGEST, 0u);
    }
    outcome = activate_staged(device);
    drop_transfer(device);
    return outcome;
}

/* --- PROVE --- */

static void hash_prove_text(struct station_device *device, const uint8_t image_digest[STATION_DIGEST_LENGTH],
                            const uint8_t certificate_digest[STATION_DIGEST_LENGTH],
                            uint8_t digest[STATION_DIGEST_LENGTH])
{
    static const char label[] = "provisioning-station prove v1"; /* its closing 00 belongs to it */
    const struct station_hooks *hooks = device->hooks;
    const struct station_facts *facts = device->facts;
    hooks->hash_start(hooks->context);
    hooks->hash_update(hooks->context, (const uint8_t *)label, sizeof label);
    hooks->hash_update(hooks->context, body_of(device), 32u);
    hooks->hash_update(hooks->context, &facts->hardware_id_length, 1u);
    hooks->hash_update(hooks->context, facts->hardware_id, facts->hardware_id_length);
    hooks->hash_update(hooks->context, image_digest, STATION_DIGEST_LENGTH);
    hooks->hash_update(hooks->context, certificate_digest, STATION_DIGEST_LENGTH);
    hooks->hash_finish(hooks->context, digest);
}

static uint32_t scalar_offset(const struct station_table *table)
{
    return table->objects[0].kind == KIND_PKCS8_KEY ? STATION_PKCS8_SCALAR_OFFSET : 0u;
}

/* The key as it stands in storage: the image's first object, or beside a made one in the header. */
static int read_private_key(struct station_device *device, uint8_t key[STATION_PRIVATE_KEY_LENGTH])
{
    if (device->active.objects[0].kind == KIND_MADE_KEY) {
        return read_storage(device, header_region(device->active_slot), 56u, key, STATION_PRIVATE_KEY_LENGTH);
    }
    return read_storage(device, image_region(device->active_slot), scalar_offset(&device->active), key,
                        STATION_PRIVATE_KEY_LENGTH);
}

static struct outcome sign_with_active_key(struct station_device *device, const uint8_t digest[STATION_DIGEST_LENGTH])
{
    uint8_t key[STATION_PRIVATE_KEY_LENGTH];
    struct outcome outcome = answer(STATION_SIGNATURE_LENGTH);
    int failure = read_private_key(device, key);
    if (failure != 0) {
        outcome = refuse(STORAGE, (uint32_t)failure);
    } else {
        failure = device->hooks->sign(device->hooks->context, key, digest, body_of(device));
        if (failure != 0) {
            outcome = refuse(SIGNER, (uint32_t)failure);
        }
    }
    wipe(key, sizeof key);
    return outcome;
}

static struct outcome prove(struct station_device *device)
{
    uint8_t image_digest[STATION_DIGEST_LENGTH];
    uint8_t certificate_digest[STATION_DIGEST_LENGTH];
    uint8_t digest[STATION_DIGEST_LENGTH];
    int failure;
    if (!device->has_active) {
        return refuse(NO_IDENTITY, 0u);
    }
    failure = hash_image_part(device, device->active_slot, 0u, device->active.total, image_digest);
    if (failure == 0) {
        failure = hash_certificate(device, device->active_slot, &device->active, certificate_digest);
    }
    if (failure != 0) {
        return refuse(STORAGE, (uint32_t)failure);
    }
    hash_prove_text(device, image_digest, certificate_digest, digest);
    return sign_with_active_key(device, digest);
}

/* --- FINISH, ABORT, ERASE --- */

static int wipe_spare_slot(struct station_device *device)
{
    drop_transfer(device);
    drop_made_key(device);
    return erase_slot(device, spare_slot(device));
}

static int set_lock(struct station_device *device)
{
    int failure = device->hooks->lock_set(device->hooks->context);
    device->locked = true;
    if (failure != 0) {
        /* It may have been set all the same: what a boot would find is true. */
        find_lock(device);
    }
    return failure;
}

static struct outcome check_finish(const struct station_device *device, uint8_t result, uint8_t lock)
{
    if (result > 1u) {
        return refuse(BAD_VALUE, 0u);
    }
    if (lock > 1u || lock > result) {
        return refuse(BAD_VALUE, 1u);
    }
    if (lock == 1u && !device->facts->can_lock) {
        return refuse(UNSUPPORTED, FINISH);
    }
    if (lock == 1u && !device->has_active) {
        return refuse(NO_IDENTITY, 0u);
    }
    return answer(0u);
}

static struct outcome finish(struct station_device *device)
{
    uint8_t *body = body_of(device);
    bool lock = body[1] == 1u;
    int failure;
    struct outcome check = check_finish(device, body[0], body[1]);
    if (refused(check)) {
        return check;
    }
    failure = wipe_spare_slot(device);
    if (failure == 0 && lock) {
        failure = set_lock(device);
    }
    if (failure != 0) {
        return refuse(STORAGE, (uint32_t)failure);
    }
    body[0] = (uint8_t)lifecycle_of(device);
    return answer(1u);
}

static struct outcome abort_transfer(struct station_device *device)
{
    int failure = wipe_spare_slot(device);
    return failure == 0 ? answer(0u) : refuse(STORAGE, (uint32_t)failure);
}

static struct outcome erase(struct station_device *device)
{
    uint8_t spare = spare_slot(device);
    int failure;
    if (device->locked) {
        return refuse(LOCKED, 0u);
    }
    /* The spare one first: else a power cut in between brings an older identity back. */
    failure = wipe_spare_slot(device);
    if (failure == 0) {
        failure = erase_slot(device, (uint8_t)(1u - spare));
        find_active(device);
    }
    return failure == 0 ? answer(0u) : refuse(STORAGE, (uint32_t)failure);
}

/* --- READ --- */

/*
 * The most data in an answer to READ or CSR: the device may return less than it was asked for, and
 * the station asks on. It fits into the smallest frame buffer.
 */
#define READ_MAX 256u

/* How many bytes an answer to READ or CSR carries. */
static uint32_t some_of(uint32_t total, uint32_t offset, uint32_t most)
{
    uint32_t some = offset < total ? total - offset : 0u;
    if (some > most) {
        some = most;
    }
    return some > READ_MAX ? READ_MAX : some;
}

static struct outcome read_object(struct station_device *device)
{
    uint8_t *body = body_of(device);
    uint8_t kind = body[0];
    uint32_t offset = take_u32(body + 1);
    uint16_t most = take_u16(body + 5);
    uint32_t start;
    uint32_t some;
    int index;
    int failure;
    if (!kind_is_known(kind)) {
        return refuse(BAD_VALUE, 0u);
    }
    if (most == 0u) {
        return refuse(BAD_VALUE, 5u);
    }
    if (kind == KIND_KEY || kind == KIND_PKCS8_KEY) {
        return refuse(SECRET, kind);
    }
    if (!device->has_active) {
        return refuse(NO_IDENTITY, 0u);
    }
    index = find_object(&device->active, kind, &start);
    if (index < 0) {
        return refuse(NO_OBJECT, kind);
    }
    some = some_of(device->active.objects[index].length, offset, most);
    put_u32(body, device->active.objects[index].length);
    failure = some == 0u ? 0 : read_storage(device, image_region(device->active_slot), start + offset, body + 4, some);
    return failure == 0 ? answer(4u + some) : refuse(STORAGE, (uint32_t)failure);
}

/* --- KEYGEN and CSR --- */

/* Draws until a number is a private key: the first one is, but for once in four billion draws. */
static int make_key(struct station_device *device)
{
    const struct station_hooks *hooks = device->hooks;
    int failure = 1;
    int tries;
    for (tries = 0; tries < 8 && failure != 0; tries++) {
        failure = hooks->random(hooks->context, device->made_private, sizeof device->made_private);
        if (failure != 0) {
            return failure;
        }
        failure = hooks->public_key(hooks->context, device->made_private, device->made_public);
    }
    return failure;
}

static struct outcome keygen(struct station_device *device)
{
    uint8_t *body = body_of(device);
    uint32_t number = take_u32(body + 1);
    if (body[0] != 1u) {
        return refuse(BAD_VALUE, 0u);
    }
    if (device->locked) {
        return refuse(LOCKED, 0u);
    }
    if (!device->has_made_key || device->made_key_number != number) {
        int failure;
        drop_made_key(device);
        failure = make_key(device);
        if (failure != 0) {
            drop_made_key(device);
            return refuse(SIGNER, (uint32_t)failure);
        }
        device->has_made_key = true;
        device->made_key_number = number;
    }
    copy_bytes(body, device->made_public, STATION_PUBLIC_KEY_LENGTH);
    return answer(STATION_PUBLIC_KEY_LENGTH);
}

/*
 * The signing request is written from its end to its start, so that every length is known when its
 * turn comes: `at` moves down, and what was written lies between it and the buffer's end.
 */
struct der {
    uint8_t *at;
    const uint8_t *end;
};

#define DER_SEQUENCE 0x30u
#define DER_SET 0x31u
#define DER_INTEGER 0x02u
#define DER_BIT_STRING 0x03u
#define DER_UTF8_STRING 0x0cu
#define DER_ATTRIBUTES 0xa0u

/* Longest: 64 hexadecimal digits of a name, two signature numbers of 33 bytes. */
#define CSR_MAX 268u

static void der_bytes(struct der *der, const uint8_t *bytes, size_t length)
{
    der->at -= length;
    copy_bytes(der->at, bytes, length);
}

static void der_byte(struct der *der, uint8_t byte)
{
    der_bytes(der, &byte, 1u);
}

/* Puts tag and length before what was written since `end`. */
static void der_wrap(struct der *der, uint8_t tag, const uint8_t *end)
{
    size_t length = (size_t)(end - der->at);
    der_byte(der, (uint8_t)(length & 0xffu));
    if (length > 0xffu) {
        der_byte(der, (uint8_t)(length >> 8));
        der_byte(der, 0x82u);
    } else if (length > 0x7fu) {
        der_byte(der, 0x81u);
    }
    der_byte(der, tag);
}

/* A positive INTEGER from 32 bytes: no needless zeros before it, one where its first bit is set. */
static void der_integer(struct der *der, const uint8_t number[32])
{
    const uint8_t *end = der->at;
    size_t skipped = 0u;
    while (skipped < 31u && number[skipped] == 0u) {
        skipped++;
    }
    der_bytes(der, number + skipped, 32u - skipped);
    if ((number[skipped] & 0x80u) != 0u) {
        der_byte(der, 0u);
    }
    der_wrap(der, DER_INTEGER, end);
}

/* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING { public key } }, but for the key. */
static const uint8_t der_key_start[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                        0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

/* SEQUENCE { ecdsa-with-SHA256 } */
static const uint8_t der_signature_algorithm[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                                  0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

/* OBJECT IDENTIFIER commonName */
static const uint8_t der_common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};

static void der_name(struct der *der, const struct station_facts *facts)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *end = der->at;
    size_t i;
    for (i = facts->hardware_id_length; i > 0u; i--) {
        der_byte(der, (uint8_t)digits[facts->hardware_id[i - 1u] & 0x0fu]);
        der_byte(der, (uint8_t)digits[facts->hardware_id[i - 1u] >> 4]);
    }
    der_wrap(der, DER_UTF8_STRING, end);
    der_bytes(der, der_common_name, sizeof der_common_name);
    der_wrap(der, DER_SEQUENCE, end);
    der_wrap(der, DER_SET, end);
    der_wrap(der, DER_SEQUENCE, end);
}

/* CertificationRequestInfo: what is signed. */
static void der_request_info(struct der *der, const struct station_device *device)
{
    static const uint8_t version_0[] = {DER_INTEGER, 0x01, 0x00};
    const uint8_t *end = der->at;
    der_wrap(der, DER_ATTRIBUTES, end);
    der_bytes(der, device->made_public, STATION_PUBLIC_KEY_LENGTH);
    der_bytes(der, der_key_start, sizeof der_key_start);
    der_name(der, device->facts);
    der_bytes(der, version_0, sizeof version_0);
    der_wrap(der, DER_SEQUENCE, end);
}

static void der_signature(struct der *der, const uint8_t signature[STATION_SIGNATURE_LENGTH])
{
    const uint8_t *end = der->at;
    der_integer(der, signature + 32);
    der_integer(der, signature);
    der_wrap(der, DER_SEQUENCE, end);
    der_byte(der, 0u); /* no unused bits */
    der_wrap(der, DER_BIT_STRING, end);
}

static int sign_request(struct station_device *device, uint8_t buffer[CSR_MAX])
{
    const struct station_hooks *hooks = device->hooks;
    uint8_t digest[STATION_DIGEST_LENGTH];
    struct der der;
    int failure;
    der.at = buffer + CSR_MAX;
    der.end = der.at;
    der_request_info(&der, device);
    hooks->hash_start(hooks->context);
    hooks->hash_update(hooks->context, der.at, (size_t)(der.end - der.at));
    hooks->hash_finish(hooks->context, digest);
    failure = hooks->sign(hooks->context, device->made_private, digest, device->made_signature);
    device->has_made_signature = failure == 0;
    return failure;
}

static struct outcome csr(struct station_device *device)
{
    uint8_t buffer[CSR_MAX];
    uint8_t *body = body_of(device);
    uint32_t offset = take_u32(body);
    uint16_t most = take_u16(body + 4);
    uint32_t total;
    uint32_t some;
    struct der der;
    int failure = 0;
    if (most == 0u) {
        return refuse(BAD_VALUE, 4u);
    }
    if (!device->has_made_key) {
        return refuse(NO_KEY, 0u);
    }
    if (!device->has_made_signature) {
        failure = sign_request(device, buffer);
    }
    if (failure != 0) {
        return refuse(SIGNER, (uint32_t)failure);
    }
    /* Signed once, so that the bytes stay the same; all else is written anew each time. */
    der.at = buffer + CSR_MAX;
    der.end = der.at;
    der_signature(&der, device->made_signature);
    der_bytes(&der, der_signature_algorithm, sizeof der_signature_algorithm);
    der_request_info(&der, device);
    der_wrap(&der, DER_SEQUENCE, der.end);
    total = (uint32_t)(der.end - der.at);
    some = some_of(total, offset, most);
    put_u32(body, total);
    if (some > 0u) {
        copy_bytes(body + 4, der.at + offset, some);
    }
    return answer(4u + some);
}

/* --- Frames: sections 1 and 3 --- */

/* Whether a body is exactly as long as its layout. Types that are unknown never come here. */
static bool length_is_right(const struct station_device *device, uint8_t type, size_t length)
{
    switch (type) {
    case IDENTIFY:
    case FINISH:
        return length == 2u;
    case BEGIN:
        return length >= 37u && length == 37u + 3u * (size_t)device->frame[BODY_OFFSET + 36u];
    case CHUNK:
        return length >= 5u && length <= 4u + (size_t)device->facts->max_chunk;
    case COMMIT:
    case PROVE:
        return length == 32u;
    case READ:
        return length == 7u;
    case KEYGEN:
        return length == 5u;
    case CSR:
        return length == 6u;
    default:
        return length == 0u;
    }
}

static struct outcome check_session(const struct station_device *device, uint8_t version, uint8_t type,
                                    uint32_t session)
{
    /* No session is open where device->session is 0, and 0 never opens one. */
    if (session == 0u || (type != IDENTIFY && session != device->session)) {
        return refuse(NO_SESSION, 0u);
    }
    if (version != PROTOCOL_VERSION) {
        return refuse(BAD_VERSION, PROTOCOL_VERSION | (PROTOCOL_VERSION << 8));
    }
    return answer(0u);
}

static struct outcome execute(struct station_device *device, uint8_t type, uint32_t session, size_t length)
{
    switch (type) {
    case IDENTIFY:
        return identify(device, session);
    case BEGIN:
        return begin(device);
    case CHUNK:
        return chunk(device, length);
    case COMMIT:
        return commit(device);
    case PROVE:
        return prove(device);
    case FINISH:
        return finish(device);
    case ABORT:
        return abort_transfer(device);
    case ERASE:
        return erase(device);
    case READ:
        return read_object(device);
    case KEYGEN:
        return keygen(device);
    case CSR:
        return csr(device);
    default: /* RESTART, whose deed comes after its reply */
        return answer(0u);
    }
}

/* Section 3: the checks in their order, then the request itself. */
static struct outcome handle_request(struct station_device *device, size_t length)
{
    uint8_t type = device->frame[1];
    uint32_t session = take_u32(device->frame + 4);
    struct outcome check = check_session(device, device->frame[0], type, session);
    if (refused(check)) {
        return check;
    }
    if (type < IDENTIFY || type > CSR) {
        return refuse(UNKNOWN_TYPE, type);
    }
    if (!is_offered(device, type)) {
        return refuse(UNSUPPORTED, type);
    }
    if (!length_is_right(device, type, length)) {
        return refuse(BAD_LENGTH, (uint32_t)length);
    }
    return execute(device, type, session, length);
}

static void send_bytes(struct station_device *device, const uint8_t *bytes, size_t length)
{
    device->hooks->send(device->hooks->context, bytes, length);
}

/* Sends the frame's first `length` bytes, encoded as they go out: no second buffer. */
static void send_frame(struct station_device *device, size_t length)
{
    static const uint8_t delimiter = 0u;
    size_t at = 0u;
    send_bytes(device, &delimiter, 1u);
    for (;;) {
        uint8_t code = 1u;
        while (code < 0xffu && at + code - 1u < length && device->frame[at + code - 1u] != 0u) {
            code++;
        }
        send_bytes(device, &code, 1u);
        if (code > 1u) {
            send_bytes(device, device->frame + at, code - 1u);
        }
        at += code - 1u;
        if (at == length) {
            break;
        }
        if (code < 0xffu) {
            at++; /* the 00 that this block stands for */
        }
    }
    send_bytes(device, &delimiter, 1u);
}

/* Version, seq and session stay where they came in. */
static void reply(struct station_device *device, struct outcome outcome)
{
    size_t length = outcome.length;
    if (refused(outcome)) {
        device->frame[1] = 0xffu;
        put_u16(body_of(device), (uint16_t)outcome.error);
        put_u32(body_of(device) + 2, outcome.detail);
        length = 6u;
    } else {
        device->frame[1] |= REPLY_BIT;
    }
    put_u32(body_of(device) + length, station_crc32(0u, device->frame, BODY_OFFSET + length));
    send_frame(device, FRAME_OVERHEAD + length);
}

/* Undoes COBS in place; 0 where the bytes are not its one form. */
static size_t decode_frame(uint8_t *bytes, size_t length)
{
    size_t from = 0u;
    size_t to = 0u;
    uint8_t code = 0u;
    while (from < length) {
        uint8_t previous = code;
        code = bytes[from];
        if (code == 0u || from + code > length) {
            return 0u;
        }
        /* A last block of 01 behind a full one says nothing: the other form of the same bytes. */
        if (code == 1u && previous == 0xffu && from + 1u == length) {
            return 0u;
        }
        copy_bytes(bytes + to, bytes + from + 1u, code - 1u);
        to += code - 1u;
        from += code;
        if (code < 0xffu && from < length) {
            bytes[to] = 0u;
            to++;
        }
    }
    return to;
}

static bool frame_is_sound(const struct station_device *device, size_t length)
{
    return length >= FRAME_OVERHEAD && length <= FRAME_MAX
           && take_u32(device->frame + length - CRC_LENGTH)
                  == station_crc32(0u, device->frame, length - CRC_LENGTH);
}

static void handle_frame(struct station_device *device)
{
    size_t length = decode_frame(device->frame, device->frame_length);
    if (frame_is_sound(device, length) && (device->frame[1] & REPLY_BIT) == 0u) {
        struct outcome outcome = handle_request(device, length - FRAME_OVERHEAD);
        bool restart = !refused(outcome) && device->frame[1] == RESTART;
        reply(device, outcome);
        if (restart) {
            device->resetting = true;
        }
    }
    /* It may hold the key. */
    wipe(device->frame, sizeof device->frame);
}

static void receive_byte(struct station_device *device, uint8_t byte)
{
    if (byte != 0u) {
        if (!device->discarding && device->frame_length < STATION_FRAME_CAPACITY) {
            device->frame[device->frame_length] = byte;
            device->frame_length++;
        } else {
            device->discarding = true;
        }
        return;
    }
    if (!device->discarding && device->frame_length > 0u) {
        handle_frame(device);
    }
    device->frame_length = 0u;
    device->discarding = false;
}

void station_device_receive(struct station_device *device, const uint8_t *bytes, size_t length)
{
    size_t i;
    for (i = 0u; i < length && !device->resetting; i++) {
        receive_byte(device, bytes[i]);
        if (device->resetting) {
            device->hooks->reset(device->hooks->context);
        }
    }
}

/* --- Start --- */

static bool text_is_right(const char *text, size_t least, size_t most)
{
    size_t length = text_length(text);
    size_t i;
    for (i = 0u; i < length; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            return false;
        }
    }
    return length >= least && length <= most;
}

static bool facts_are_right(const struct station_facts *facts)
{
    return text_is_right(facts->model, 1u, 32u) && text_is_right(facts->firmware, 1u, 32u)
           && text_is_right(facts->factory_serial, 0u, 64u) && facts->hardware_id != NULL
           && facts->hardware_id_length >= 4u && facts->hardware_id_length <= 32u
           && facts->window >= 1u && facts->window <= 8u && facts->max_chunk >= 65u
           && facts->max_chunk <= 1001u && facts->max_chunk + 21u <= STATION_FRAME_CAPACITY;
}

static bool hooks_are_there(const struct station_facts *facts, const struct station_hooks *hooks)
{
    return hooks->erase != NULL && hooks->write != NULL && hooks->read != NULL
           && hooks->hash_start != NULL && hooks->hash_update != NULL && hooks->hash_finish != NULL
           && hooks->send != NULL && hooks->reset != NULL
           && (!facts->can_lock || (hooks->lock_read != NULL && hooks->lock_set != NULL));
}

enum station_start station_device_start(struct station_device *device, const struct station_facts *facts,
                                        const struct station_hooks *hooks)
{
    if (!facts_are_right(facts)) {
        return STATION_FACTS_WRONG;
    }
    if (!hooks_are_there(facts, hooks)) {
        return STATION_HOOKS_MISSING;
    }
    device->facts = facts;
    device->hooks = hooks;
    device->session = 0u;
    device->replaced_session = 0u;
    device->resetting = false;
    device->discarding = false;
    device->frame_length = 0u;
    drop_transfer(device);
    drop_made_key(device);
    find_lock(device);
    find_active(device);
    return STATION_STARTED;
}
