/* How outcomes are named, in JSON and in metrics. */
#ifndef ERYX_CLI_OUTCOME_KIND_H
#define ERYX_CLI_OUTCOME_KIND_H

#include <eryx.h>

const char *outcome_kind_name(eryx_outcome_kind_t kind);

#endif
