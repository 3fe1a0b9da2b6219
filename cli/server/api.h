/* The HTTP interface of `eryx serve`: docs/server.md, and openapi.json beside this file. */
#ifndef ERYX_CLI_SERVER_API_H
#define ERYX_CLI_SERVER_API_H

#include <stdbool.h>

#include "http.h"
#include "service.h"

/* Handles a request below /v1. */
void api_handle(struct service *service, struct http_request *request);

/* What `eryx top` shows. */
void top_reply(struct service *service, struct http_request *request);

/* Metrics in the text format of Prometheus. */
void metrics_reply(struct service *service, uint32_t connections, struct http_request *request);

#endif
