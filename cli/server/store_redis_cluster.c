/* Redis Cluster: a key belongs to one of 16384 slots, a slot to a node, and a node that is asked for
 * a slot of another says where that is (Redis cluster specification). Both keys of a session are in
 * one slot, since the session's name is their hash tag. Who has which slot is learned from answers. */
#include "store_redis.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* CRC16 as the specification has it: XMODEM, polynomial 0x1021. */
static unsigned checksum(const char *data, size_t length)
{
    unsigned crc = 0;
    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned)(unsigned char)data[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xFFFF;
    }
    return crc;
}

static unsigned slot_of(const char *key)
{
    const char *tag = strchr(key, '{');
    const char *end = tag ? strchr(tag, '}') : NULL;
    if (end && end > tag + 1)
        return checksum(tag + 1, (size_t)(end - tag - 1)) % REDIS_SLOTS;
    return checksum(key, strlen(key)) % REDIS_SLOTS;
}

bool redis_same_address(const struct redis_address *a, const struct redis_address *b)
{
    return strcmp(a->host, b->host) == 0 && strcmp(a->port, b->port) == 0;
}

unsigned redis_node_of(struct redis *redis, const char *key)
{
    if (!key)
        return 0;
    pthread_mutex_lock(&redis->lock);
    unsigned node = redis->slots[slot_of(key)];
    pthread_mutex_unlock(&redis->lock);
    return node;
}

void redis_forget_node(struct redis *redis, unsigned node)
{
    pthread_mutex_lock(&redis->lock);
    for (size_t i = 0; i < REDIS_SLOTS; i++) {
        if (redis->slots[i] == node)
            redis->slots[i] = 0;
    }
    pthread_mutex_unlock(&redis->lock);
}

/* "HOST:PORT", where HOST may be empty: that of the node that says so. */
static bool read_address(const char *text, const struct redis_address *asked,
                         struct redis_address *out)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    char *end;
    if (!colon || length >= sizeof out->host || !isdigit((unsigned char)colon[1]))
        return false;
    long port = strtol(colon + 1, &end, 10);
    if (*end || port < 1 || port > 65535)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr(".:-_", text[i]))
            return false;
    }
    *out = *asked;
    if (length > 0 && memchr(text, ':', length)) /* IPv6 */
        snprintf(out->host, sizeof out->host, "[%.*s]", (int)(length > 60 ? 60 : length), text);
    else if (length > 0)
        snprintf(out->host, sizeof out->host, "%.*s", (int)length, text);
    snprintf(out->port, sizeof out->port, "%ld", port);
    return true;
}

/* When there is no room, all are forgotten: nodes come and go. */
static unsigned find_node(struct redis *redis, const struct redis_address *address)
{
    for (unsigned i = 1; i < redis->node_count; i++) {
        if (redis_same_address(&redis->nodes[i], address))
            return i;
    }
    if (redis->node_count == REDIS_NODES_MAX) {
        memset(redis->slots, 0, sizeof redis->slots);
        redis->node_count = 1;
    }
    redis->nodes[redis->node_count] = *address;
    return redis->node_count++;
}

bool redis_redirect(struct redis *redis, const char *text, unsigned *node, bool *asking)
{
    char kind[8], where[300];
    unsigned slot;
    struct redis_address address;
    if (sscanf(text, "%7s %u %299s", kind, &slot, where) != 3 || slot >= REDIS_SLOTS)
        return false;
    *asking = strcmp(kind, "ASK") == 0;
    if (!*asking && strcmp(kind, "MOVED") != 0)
        return false;
    pthread_mutex_lock(&redis->lock);
    unsigned found =
        read_address(where, &redis->nodes[*node], &address) ? find_node(redis, &address) : 0;
    if (found && !*asking)
        redis->slots[slot] = (unsigned char)found;
    pthread_mutex_unlock(&redis->lock);
    *node = found;
    return found != 0;
}
