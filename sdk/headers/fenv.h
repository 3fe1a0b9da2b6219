/* The C library's, for which there are no floating-point exceptions. In the sandbox there are those
 * that code raises with feraiseexcept (runtime/wasi/fenv.c); operations raise none. */
#include_next <fenv.h>

#ifndef FE_INVALID
#define FE_INVALID 1
#define FE_DIVBYZERO 2
#define FE_OVERFLOW 4
#define FE_UNDERFLOW 8
#define FE_INEXACT 16
#undef FE_ALL_EXCEPT
#define FE_ALL_EXCEPT 31
#endif
