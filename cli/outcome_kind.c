/* See outcome_kind.h. */
#include "outcome_kind.h"

const char *outcome_kind_name(eryx_outcome_kind_t kind)
{
    switch (kind) {
    case ERYX_OUTCOME_OK:
        return "ok";
    case ERYX_OUTCOME_EXCEPTION:
        return "exception";
    case ERYX_OUTCOME_EXIT:
        return "exit";
    case ERYX_OUTCOME_LIMIT:
        return "limit";
    case ERYX_OUTCOME_INTERRUPTED:
        return "interrupted";
    case ERYX_OUTCOME_TRAP:
        return "trap";
    }
    return "unknown";
}
