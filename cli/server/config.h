/* The configuration of `eryx mcp` and `eryx serve`: a JSON file, all of whose keys are optional. */
#ifndef ERYX_CLI_SERVER_CONFIG_H
#define ERYX_CLI_SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx.h>

struct server_config {
    eryx_limits_t limits;     /* of every sandbox */
    uint32_t sessions;        /* at once */
    uint64_t session_idle_ns; /* a session that is not used so long is closed; 0: never */
    uint32_t workers;         /* threads that run programs */
    uint32_t jobs;            /* accepted and not done */
    uint32_t session_jobs;    /* of them waiting for one session */
    uint64_t request_bytes;   /* of one request */
    uint64_t file_bytes;      /* of one file that is put or got */
    char *listen;             /* "ADDRESS:PORT" */
    char *token_file;         /* NULL: none */
    char *store_directory;    /* both NULL: sessions are kept in memory only */
    char *store_url;          /* may have a password */
    char **origins;           /* values of Origin that browsers may send */
    size_t origin_count;
};

void config_init(struct server_config *config);

/* path NULL: the defaults. Prints its own message and returns false on failure. */
bool config_read(const char *path, struct server_config *config);

void config_free(struct server_config *config);

#endif
