/* What of the standard library does not go into the sandbox, and why. */
#ifndef STDLIB_OMIT_H
#define STDLIB_OMIT_H

struct omitted {
    const char *path; /* a file, or a directory with all below it */
    const char *reason;
};

static const struct omitted omitted_paths[] = {
    {"test", "tests of CPython itself"},
    {"lib2to3", "removed from Python, its grammar files are left in some builds"},
    {"idlelib", "a graphical editor"},
    {"tkinter", "needs _tkinter and a display"},
    {"turtle.py", "needs tkinter"},
    {"turtledemo", "needs tkinter"},
    {"curses", "needs _curses and a terminal"},
    {"ensurepip", "installs pip by running it as a process"},
    {"venv", "makes environments of an installed interpreter by running it"},
    {"config-3.14-wasm32-wasi", "for linking C programs with libpython"},
    {"ctypes/macholib", "for macOS"},
    {"_aix_support.py", "for AIX"},
    {"_pyrepl/mypy.ini", "settings of a type checker"},
    {"tomllib/mypy.ini", "settings of a type checker"},
    {"site-packages/README.txt", "tells what the folder is for"},
};

enum { OMITTED_COUNT = sizeof omitted_paths / sizeof omitted_paths[0] };

#endif
