/* Floating-point exceptions that code raises itself (C11 7.6). WebAssembly has no status of its
 * operations, so libc's functions do nothing; but what a library says with feraiseexcept it may ask
 * for later, across extensions: numpy's linalg tells so that a matrix is singular. The flags of
 * the SDK's fenv.h (sdk/headers/fenv.h). */
#include "wasi.h"

#define VISIBLE __attribute__((visibility("default")))

enum { EXCEPTIONS = 31 };

static int raised;

VISIBLE int feclearexcept(int which);
VISIBLE int feraiseexcept(int which);
VISIBLE int fetestexcept(int which);
VISIBLE int fegetexceptflag(unsigned long *flags, int which);
VISIBLE int fesetexceptflag(const unsigned long *flags, int which);
VISIBLE int fegetenv(unsigned long *environment);
VISIBLE int fesetenv(const unsigned long *environment);
VISIBLE int feholdexcept(unsigned long *environment);
VISIBLE int feupdateenv(const unsigned long *environment);

int feclearexcept(int which)
{
    raised &= ~which;
    return 0;
}

int feraiseexcept(int which)
{
    raised |= which & EXCEPTIONS;
    return 0;
}

int fetestexcept(int which)
{
    return raised & which;
}

int fegetexceptflag(unsigned long *flags, int which)
{
    *flags = (unsigned long)(raised & which);
    return 0;
}

int fesetexceptflag(const unsigned long *flags, int which)
{
    raised = (raised & ~which) | ((int)*flags & which & EXCEPTIONS);
    return 0;
}

int fegetenv(unsigned long *environment)
{
    *environment = (unsigned long)raised;
    return 0;
}

/* FE_DFL_ENV is no address. */
int fesetenv(const unsigned long *environment)
{
    raised = environment == (const unsigned long *)-1 ? 0 : (int)*environment & EXCEPTIONS;
    return 0;
}

int feholdexcept(unsigned long *environment)
{
    fegetenv(environment);
    raised = 0;
    return 0;
}

int feupdateenv(const unsigned long *environment)
{
    int before = raised;
    fesetenv(environment);
    return feraiseexcept(before);
}
