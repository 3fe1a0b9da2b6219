/* Fuzz target: the host's imports of sockets, called as a hostile guest would.
 *
 * The input is a list of calls: which import, then its arguments, each chosen among numbers of live
 * sockets, pointers into memory, at its edge and outside, and small or huge values. Connections can
 * only be to 127.66.66.66, and only to eight ports, where the same input may listen. Every other input has secrets,
 * whose filters see what flows. Events are printable text whatever the program asks for. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "abi/callbacks.h"
#include "abi/guest.h"
#include "abi/imports.h"
#include "net/net.h"
#include "secrets/wire.h"

#define MEMORY_BYTES (1u << 20)
#define CALLS_MAX 64
#define NUMBERS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    const uint8_t *data;
    size_t left;
} input;

static uint8_t next_byte(void)
{
    if (input.left == 0)
        return 0;
    input.left--;
    return *input.data++;
}

static uint32_t next_word(void)
{
    uint32_t word = next_byte();
    word |= (uint32_t)next_byte() << 8;
    word |= (uint32_t)next_byte() << 16;
    return word | (uint32_t)next_byte() << 24;
}

static uint32_t numbers[NUMBERS], number_count, subtasks[NUMBERS], subtask_count;

static uint32_t next_argument(void)
{
    uint8_t choice = next_byte();
    switch (choice & 7) {
    case 0:
    case 1:
        return numbers[choice / 8 % NUMBERS];
    case 2:
    case 3: /* where there are addresses, see fill */
        return MEMORY_POLL_BYTES + choice / 8 * 20u;
    case 4:
        return MEMORY_BYTES - choice / 8;
    case 5:
        return choice / 8;
    case 6:
        return next_byte() * 257u;
    default:
        return next_word();
    }
}

/* Addresses that the rules grant, and some that they do not; the name of one that is resolved. */
static void fill(uint8_t *memory)
{
    for (unsigned i = 0; i < 32; i++) {
        net_address_t address = {
            .family = 4, .port = (uint16_t)(47000 + i % 8), .bytes = {127, 66, 66, 66}};
        if (i % 8 == 7)
            address.port = 0;
        if (i >= 24)
            address.bytes[3] = (uint8_t)i;
        if (i >= 28)
            address.family = (uint8_t)(i % 8);
        memcpy(memory + MEMORY_POLL_BYTES + i * 20, &address, sizeof address);
    }
    memcpy(memory + MEMORY_POLL_BYTES + 31 * 20, "a.test", 6);
}

static int on_resolve(void *env, const char *name, eryx_net_address_t *out, size_t capacity)
{
    (void)env, (void)name, (void)capacity;
    strcpy(out[0].text, "127.66.66.66");
    return 1;
}

static void check_text(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            abort();
}

static void on_event(void *env, const eryx_net_event_t *event)
{
    (void)env;
    check_text(event->name);
    check_text(event->address);
    check_text(event->reason);
}

static secrets_t *secrets_of_all(void)
{
    static secrets_t *secrets;
    static const char *const hosts[] = {"a.test", "127.66.66.66"};
    eryx_secret_t secret;
    eryx_secret_init(&secret);
    secret.name = "KEY";
    secret.value = "sk-live+4eC39HqLyjWDarjtT1zdp7dc/";
    secret.hosts = hosts;
    secret.host_count = 2;
    secret.cleartext = true;
    if (!secrets && secrets_new(&secret, 1, &secrets, NULL) != ERYX_OK)
        abort();
    return secrets;
}

static void wake(void *env)
{
    (void)env;
}

static void remember(uint32_t *list, uint32_t *count, uint32_t value)
{
    list[(*count)++ % NUMBERS] = value;
}

static void call_one(guest_t *guest, uint8_t *memory)
{
    engine_value_t values[ENGINE_MAX_ARGUMENTS] = {{0}};
    const engine_import_t *import = &imports_net.items[next_byte() % imports_net.count];
    size_t parameters = strlen(import->parameters);
    for (size_t i = 0; i < parameters; i++)
        values[i].u32 = next_argument();
    bool waits = strcmp(import->name, "net-wait") == 0;
    if (import->call(guest, values) != ENGINE_RETURN) {
        if (!guest->fault)
            abort();
        guest->fault = NULL;
        return;
    }
    if (values[0].i32 == -1) /* "this host has no network" */
        abort();
    if (waits && values[0].i32 > 0 && (values[0].u32 & 15) == SUBTASK_STARTED)
        remember(subtasks, &subtask_count, values[0].u32 >> 4);
    else if (values[0].i32 > 0)
        remember(numbers, &number_count, values[0].u32);
    if (next_byte() % 16 == 0)
        fill(memory);
}

/* The end of some waits, as the guest's thread sees it. */
static void settle(guest_t *guest)
{
    uint32_t state;
    pending_t *pending = mailbox_collect(guest->calls->mailbox);
    while (pending) {
        pending_t *next = pending->next;
        if (pending->subtask)
            waitables_return(&guest->waitables, pending->subtask);
        pending->kind->release(pending);
        pending = next;
    }
    uint8_t choice = next_byte();
    if (subtask_count > 0 && choice % 4 == 0) {
        uint32_t subtask = subtasks[next_byte() % NUMBERS];
        if (!waitables_subtask_cancel(&guest->waitables, subtask, &state))
            waitables_subtask_drop(&guest->waitables, subtask);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[MEMORY_BYTES];
    static net_t *net;
    static const char *const allow[] = {"127.66.66.66:47000-47007", "listen:127.66.66.66",
                                        "udp:127.66.66.66:47000-47007", "*.test"};
    memory_origin_t origin = {0};
    memory_slot_t slot = {.origin = &origin, .base = memory, .size = MEMORY_BYTES};
    eryx_net_options_t options;
    eryx_limits_t limits;
    calls_t calls = {0};
    if (!net)
        net = net_new();
    eryx_net_options_init(&options);
    eryx_limits_init(&limits);
    options.allow = allow;
    options.allow_count = 4;
    options.on_resolve = on_resolve;
    options.on_event = on_event;
    guest_t guest = {.slot = &slot, .calls = &calls, .waitables.forget = pending_abandon};
    calls.mailbox = mailbox_new(wake, NULL, NULL);
    if (!net || !calls.mailbox ||
        net_sandbox_new(net, &options, &limits, calls.mailbox, &guest.net, NULL) != ERYX_OK)
        abort();
    if (size % 2)
        wire_secrets(guest.net, secrets_of_all());
    input.data = data;
    input.left = size;
    number_count = subtask_count = 0;
    memset(numbers, 0, sizeof numbers);
    fill(memory);
    if (size > 0 && data[0] == 255) { /* a sandbox without network */
        net_sandbox_free(guest.net);
        guest.net = NULL;
    }
    for (int i = 0; i < CALLS_MAX && input.left > 0; i++) {
        call_one(&guest, memory);
        settle(&guest);
    }
    waitables_free(&guest.waitables);
    net_sandbox_free(guest.net);
    mailbox_close(calls.mailbox);
    return 0;
}
