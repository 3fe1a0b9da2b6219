/* Read-only file archive that eryx-build places in the constant range of linear memory.
 *
 * Shared by the guest (reads it in place) and the toolchain (writes it). Little-endian;
 * offsets count from the start of the header. Entries are sorted by path (byte order),
 * paths are relative without leading or trailing slash ("lib/python3.14/os.py"), every
 * parent directory has an entry of its own. File data starts at multiples of 16. */
#ifndef ERYX_VFS_ARCHIVE_H
#define ERYX_VFS_ARCHIVE_H

#include <stdint.h>

#define ARCHIVE_MAGIC "ERYXARC1"

enum archive_entry_kind { ARCHIVE_FILE = 0, ARCHIVE_DIRECTORY = 1 };

struct archive_entry {
    uint32_t path_offset;
    uint32_t path_length;
    uint32_t data_offset; /* 0 for directories */
    uint32_t data_length;
    uint32_t mtime; /* seconds since 1970 */
    uint32_t kind;  /* enum archive_entry_kind */
};

struct archive_header {
    char magic[8];
    uint32_t entry_count;
    uint32_t total_bytes; /* header, entries, paths and data */
    /* struct archive_entry entries[entry_count] follows */
};

#endif
