/* Data of files in chunks: appending never moves what is there, holes take no room, and
 * writing into a file of the archive copies only the chunks it touches. */
#include "vfs_internal.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 65536, FIRST_MINIMUM = 64, ROOM_EXACT_BELOW = 1 << 20 };

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How much of a chunk has memory; 0 when it has none. */
static uint32_t chunk_capacity(const struct content *content, uint64_t number)
{
    if (number >= content->chunk_slots || !content->chunks[number]) {
        return 0;
    }
    return number == 0 ? content->first_capacity : CHUNK_BYTES;
}

/* How much of a chunk without memory the archive has. */
static uint32_t base_in_chunk(const struct content *content, uint64_t number)
{
    uint64_t start = number * CHUNK_BYTES;
    if (start >= content->base_length) {
        return 0;
    }
    return (uint32_t)least(content->base_length - start, CHUNK_BYTES);
}

int64_t content_read(const struct content *content, uint64_t offset, uint8_t *buffer, size_t length)
{
    if (offset >= content->size) {
        return 0;
    }
    size_t total = (size_t)least(length, content->size - offset);
    size_t done = 0;
    while (done < total) {
        uint64_t number = (offset + done) / CHUNK_BYTES;
        uint32_t within = (uint32_t)((offset + done) % CHUNK_BYTES);
        size_t part = (size_t)least(total - done, CHUNK_BYTES - within);
        uint32_t capacity = chunk_capacity(content, number);
        const uint8_t *from = capacity ? content->chunks[number] : NULL;
        if (!capacity) {
            capacity = base_in_chunk(content, number);
            from = content->base + number * CHUNK_BYTES;
        }
        size_t present = within < capacity ? (size_t)least(part, capacity - within) : 0;
        if (present) {
            memcpy(buffer + done, from + within, present);
        }
        memset(buffer + done + present, 0, part - present);
        done += part;
    }
    return (int64_t)total;
}

static uint64_t slots_for(uint64_t slots, uint64_t count)
{
    slots = slots ? slots : 1;
    while (slots < count) {
        slots *= 2;
    }
    return slots;
}

static int reserve_slots(struct vfs *fs, struct content *content, uint64_t count)
{
    if (count <= content->chunk_slots) {
        return 0;
    }
    uint64_t slots = slots_for(content->chunk_slots, count);
    if (slots > SIZE_MAX / sizeof(uint8_t *) || slots > UINT32_MAX) {
        return -VFS_EFBIG;
    }
    uint64_t added = (slots - content->chunk_slots) * sizeof(uint8_t *);
    int error = usage_charge(fs, added);
    if (error) {
        return error;
    }
    uint8_t **chunks = realloc(content->chunks, (size_t)slots * sizeof(uint8_t *));
    if (!chunks) {
        usage_refund(fs, added);
        return -VFS_ENOMEM;
    }
    memset(chunks + content->chunk_slots, 0,
           (size_t)(slots - content->chunk_slots) * sizeof(uint8_t *));
    content->chunks = chunks;
    content->chunk_slots = (uint32_t)slots;
    return 0;
}

/* Capacity for the first chunk: doubled, but no more than the limits still allow. */
static uint32_t first_capacity(const struct vfs *fs, uint32_t old, uint32_t needed)
{
    uint64_t wanted = old * 2u > FIRST_MINIMUM ? old * 2u : FIRST_MINIMUM;
    while (wanted < needed) {
        wanted *= 2;
    }
    wanted = least(wanted, CHUNK_BYTES);
    uint64_t allowed = old + usage_left(fs);
    return (uint32_t)(wanted <= allowed ? wanted : allowed > needed ? allowed : needed);
}

/* Gives the chunk memory for its first `needed` bytes, with what the archive has there. */
static int reserve_chunk(struct vfs *fs, struct content *content, uint64_t number, uint32_t needed)
{
    uint32_t old = chunk_capacity(content, number);
    if (needed <= old) {
        return 0;
    }
    int error = reserve_slots(fs, content, number + 1);
    if (error) {
        return error;
    }
    uint32_t base = old ? 0 : base_in_chunk(content, number);
    uint32_t capacity = CHUNK_BYTES;
    if (number == 0) {
        capacity = first_capacity(fs, old, needed > base ? needed : base);
    }
    error = usage_charge(fs, capacity - old);
    if (error) {
        return error;
    }
    uint8_t *chunk = realloc(content->chunks[number], capacity);
    if (!chunk) {
        usage_refund(fs, capacity - old);
        return -VFS_ENOMEM;
    }
    if (base) {
        memcpy(chunk, content->base + number * CHUNK_BYTES, base);
    }
    memset(chunk + old + base, 0, capacity - old - base);
    content->chunks[number] = chunk;
    if (number == 0) {
        content->first_capacity = capacity;
    }
    return 0;
}

int64_t content_write(struct vfs *fs, struct content *content, uint64_t offset, const uint8_t *data,
                      size_t length)
{
    size_t done = 0;
    while (done < length) {
        uint64_t at = offset + done;
        uint64_t number = at / CHUNK_BYTES;
        uint32_t within = (uint32_t)(at % CHUNK_BYTES);
        size_t part = (size_t)least(length - done, CHUNK_BYTES - within);
        int error = reserve_chunk(fs, content, number, within + (uint32_t)part);
        if (error) {
            return done ? (int64_t)done : error;
        }
        memcpy(content->chunks[number] + within, data + done, part);
        done += part;
        if (at + part > content->size) {
            content->size = at + part;
        }
    }
    return (int64_t)done;
}

/* How far writing gets when space is short: chunk by chunk, as content_write takes it. */
static uint64_t last_room(const struct content *content, uint64_t offset, uint64_t length,
                          uint64_t left)
{
    uint64_t slots = content->chunk_slots;
    uint64_t room = 0;
    while (room < length) {
        uint64_t number = (offset + room) / CHUNK_BYTES;
        uint64_t end = (number + 1) * CHUNK_BYTES;
        uint64_t table = 0;
        if (number >= slots) {
            uint64_t wanted = slots_for(slots, number + 1);
            table = (wanted - slots) * sizeof(uint8_t *);
            slots = wanted;
        }
        uint32_t capacity = chunk_capacity(content, number);
        uint64_t missing = CHUNK_BYTES - capacity;
        if (missing + table > left) {
            uint64_t reach = number * CHUNK_BYTES + capacity;
            if (number == 0 && left > table) { /* the first chunk may be of any size */
                reach += left - table;
                if (!capacity && reach < base_in_chunk(content, 0)) {
                    return 0; /* not even a copy of what the archive has there */
                }
            }
            return reach > offset + room ? least(reach - offset, length) : room;
        }
        left -= missing + table;
        room = end - offset;
    }
    return length;
}

uint64_t content_room(const struct vfs *fs, const struct content *content, uint64_t offset,
                      uint64_t length)
{
    uint64_t left = usage_left(fs);
    uint64_t slots = slots_for(content->chunk_slots, (offset + length) / CHUNK_BYTES + 1);
    uint64_t most = 2 * CHUNK_BYTES + slots * sizeof(uint8_t *); /* beside the bytes themselves */
    if (left > most + ROOM_EXACT_BELOW) {
        return least(length, left - most);
    }
    return last_room(content, offset, length, left);
}

static void drop_chunk(struct vfs *fs, struct content *content, uint32_t number)
{
    usage_refund(fs, chunk_capacity(content, number));
    free(content->chunks[number]);
    content->chunks[number] = NULL;
    if (number == 0) {
        content->first_capacity = 0;
    }
}

int content_resize(struct vfs *fs, struct content *content, uint64_t size)
{
    if (size == 0) {
        content_clear(fs, content);
        return 0;
    }
    if (size < content->size) {
        uint64_t last = (size - 1) / CHUNK_BYTES;
        for (uint64_t number = last + 1; number < content->chunk_slots; number++) {
            drop_chunk(fs, content, (uint32_t)number);
        }
        uint32_t kept = (uint32_t)(size - last * CHUNK_BYTES);
        uint32_t capacity = chunk_capacity(content, last);
        if (kept < capacity) {
            memset(content->chunks[last] + kept, 0, capacity - kept);
        }
        content->base_length = least(content->base_length, size);
    }
    content->size = size;
    return 0;
}

void content_clear(struct vfs *fs, struct content *content)
{
    for (uint32_t number = 0; number < content->chunk_slots; number++) {
        drop_chunk(fs, content, number);
    }
    usage_refund(fs, (uint64_t)content->chunk_slots * sizeof(uint8_t *));
    free(content->chunks);
    *content = (struct content){0};
}
