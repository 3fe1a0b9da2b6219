/* Built-ins of the canonical ABI that the guest imports. */
#ifndef ABI_BUILTINS_H
#define ABI_BUILTINS_H

#include "engine/engine.h"

engine_reply_t builtin_task_return(void *context, engine_value_t *values);
engine_reply_t builtin_set_new(void *context, engine_value_t *values);
engine_reply_t builtin_set_wait(void *context, engine_value_t *values);
engine_reply_t builtin_set_poll(void *context, engine_value_t *values);
engine_reply_t builtin_set_drop(void *context, engine_value_t *values);
engine_reply_t builtin_join(void *context, engine_value_t *values);
engine_reply_t builtin_subtask_drop(void *context, engine_value_t *values);
engine_reply_t builtin_subtask_cancel(void *context, engine_value_t *values);

#endif
