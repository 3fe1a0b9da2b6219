/* The WASI 0.2.0 interfaces that libc imports, answered inside the sandbox.
 *
 * Files end in the in-memory file system, standard streams, clocks, entropy and exit at the
 * host (docs/architecture.md, section 5), sockets in "access denied". What the rest of the
 * runtime needs of it is here; everything else is exports that the linker binds libc to. */
#ifndef ERYX_WASI_WASI_H
#define ERYX_WASI_WASI_H

#include <stddef.h>
#include <stdint.h>

#define WASI_HOME "/home/sandbox" /* HOME and the first working directory */

struct vfs;

/* Builds the file system from the archive in the constant range and enters WASI_HOME. Does
 * nothing the second time; libc's first use of a path does it too. */
void wasi_start(void);

/* The file system, for limits and for files the runtime makes itself. */
struct vfs *wasi_file_system(void);

/* Asks the host what it mounts, and makes the tree so. */
void wasi_mounts_ask(void);

/* From begin to take, what is written to stdout goes to memory instead of the host (at most
 * WASI_CAPTURE_MAX bytes; further writes fail with ENOSPC). */
enum { WASI_CAPTURE_MAX = 64 << 20 };
void wasi_stdout_capture_begin(void);
/* The text since begin, to be freed by the caller, or NULL when it is empty. Ends capturing. */
char *wasi_stdout_capture_take(size_t *length);
/* Bytes that went to the host's stdout and stderr so far. */
uint64_t wasi_stdio_written(void);

/* As dup of POSIX, but that the copy's position is its own; for files and directories only (ENOTSUP). */
int wasi_duplicate(int fd);

/* The exit code of the program, for the host; set before its exit import is called. */
extern int32_t eryx_exit_code;

#endif
