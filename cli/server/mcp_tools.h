/* The tools of `eryx mcp`: their descriptions, and from arguments to jobs and back. */
#ifndef ERYX_CLI_SERVER_MCP_TOOLS_H
#define ERYX_CLI_SERVER_MCP_TOOLS_H

#include <jansson.h>

#include "service.h"

/* The tools as tools/list has them; new reference. */
json_t *mcp_tools_list(const struct server_config *config);

/* A job for a call of a tool; NULL with *answer (new reference): the result of one that needs no
 * job, or says what is wrong with the arguments. NULL for both: there is no tool of this name. */
struct job *mcp_tools_job(struct service *service, const struct server_config *config,
                          const char *name, const json_t *arguments, json_t **answer);

/* The result of the call; new reference. */
json_t *mcp_tools_result(const struct job *job);

/* A result that says what went wrong. */
json_t *mcp_tools_failure(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
