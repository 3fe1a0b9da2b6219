/* What code that throws is linked to: the runtime has no unwinding. Compiled with -fexceptions
 * -fignore-exceptions, C++ that uses exceptions works as long as none is thrown; a throw ends the
 * sandbox, as abort() does. */
#include <stdlib.h>

void *__cxa_allocate_exception(size_t size)
{
    (void)size;
    abort();
}

void __cxa_free_exception(void *object)
{
    (void)object;
    abort();
}

void __cxa_throw(void *object, void *type, void (*destroy)(void *))
{
    (void)object, (void)type, (void)destroy;
    abort();
}

void __cxa_rethrow(void)
{
    abort();
}

void *__cxa_begin_catch(void *object)
{
    (void)object;
    abort();
}

void __cxa_end_catch(void)
{
    abort();
}
