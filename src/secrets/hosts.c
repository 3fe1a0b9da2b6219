/* Host patterns of secrets. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <string.h>

#include "secrets/secrets.h"

#define HOST_MAX 253

static bool literal(const char *text, unsigned char address[16], int *family) {
    *family = AF_INET;
    if (inet_pton(AF_INET, text, address) == 1)
        return true;
    *family = AF_INET6;
    return inet_pton(AF_INET6, text, address) == 1;
}

static bool label_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

bool secret_host_valid(const char *pattern) {
    unsigned char address[16];
    int family;
    if (literal(pattern, address, &family))
        return true;
    bool wild = strncmp(pattern, "*.", 2) == 0;
    if (wild)
        pattern += 2;
    size_t length = strlen(pattern), label = 0;
    if (length == 0 || length > HOST_MAX || (wild && !strchr(pattern, '.')))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (pattern[i] == '.' ? label == 0 : !label_byte(pattern[i]) || label == 63)
            return false;
        label = pattern[i] == '.' ? 0 : label + 1;
    }
    /* An all-numeric last label would be one of the other spellings of an IPv4 address. */
    const char *last = strrchr(pattern, '.');
    last = last ? last + 1 : pattern;
    return *last != '\0' && last[strspn(last, "0123456789")] != '\0';
}

bool secret_host_matches(const char *pattern, const char *host) {
    unsigned char wanted[16], given[16];
    int family, other;
    if (literal(pattern, wanted, &family))
        return literal(host, given, &other) && family == other &&
               memcmp(wanted, given, family == AF_INET ? 4 : 16) == 0;
    size_t length = strlen(host);
    if (length > 0 && host[length - 1] == '.')
        length--;
    if (strncmp(pattern, "*.", 2) != 0)
        return strlen(pattern) == length && memcmp(pattern, host, length) == 0;
    pattern++;
    size_t suffix = strlen(pattern);
    return length > suffix && host[0] != '.' &&
           memcmp(host + length - suffix, pattern, suffix) == 0;
}
