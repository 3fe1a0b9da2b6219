/* libarchive, loaded when the first archive is read or written: with what it depends on it is
 * sixteen libraries, which would make every start of a program slower. */
#ifndef MOUNT_LIBARCHIVE_H
#define MOUNT_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

#include <eryx/error.h>

#define LIBARCHIVE_FUNCTIONS(F)                                                                    \
    F(archive_read_new)                                                                            \
    F(archive_read_free)                                                                           \
    F(archive_read_support_filter_bzip2)                                                           \
    F(archive_read_support_filter_gzip)                                                            \
    F(archive_read_support_filter_xz)                                                              \
    F(archive_read_support_filter_zstd)                                                            \
    F(archive_read_support_format_tar)                                                             \
    F(archive_read_support_format_zip_seekable)                                                    \
    F(archive_read_open_memory)                                                                    \
    F(archive_read_next_header)                                                                    \
    F(archive_read_data)                                                                           \
    F(archive_error_string)                                                                        \
    F(archive_entry_pathname)                                                                      \
    F(archive_entry_pathname_utf8)                                                                 \
    F(archive_entry_hardlink)                                                                      \
    F(archive_entry_hardlink_utf8)                                                                 \
    F(archive_entry_symlink)                                                                       \
    F(archive_entry_symlink_utf8)                                                                  \
    F(archive_entry_filetype)                                                                      \
    F(archive_entry_is_encrypted)                                                                  \
    F(archive_entry_mtime)                                                                         \
    F(archive_entry_mtime_nsec)                                                                    \
    F(archive_entry_new)                                                                           \
    F(archive_entry_clear)                                                                         \
    F(archive_entry_free)                                                                          \
    F(archive_entry_set_pathname)                                                                  \
    F(archive_entry_set_symlink)                                                                   \
    F(archive_entry_set_filetype)                                                                  \
    F(archive_entry_set_perm)                                                                      \
    F(archive_entry_set_mtime)                                                                     \
    F(archive_entry_set_size)                                                                      \
    F(archive_write_new)                                                                           \
    F(archive_write_free)                                                                          \
    F(archive_write_close)                                                                         \
    F(archive_write_set_format_pax_restricted)                                                     \
    F(archive_write_set_options)                                                                   \
    F(archive_write_open)                                                                          \
    F(archive_write_header)                                                                        \
    F(archive_write_data)

typedef struct libarchive {
#define LIBARCHIVE_MEMBER(name) __typeof__(&name) name;
    LIBARCHIVE_FUNCTIONS(LIBARCHIVE_MEMBER)
#undef LIBARCHIVE_MEMBER
} libarchive_t;

/* NULL: it cannot be loaded, *error tells why (ERYX_ERR_IO). Any thread. */
const libarchive_t *libarchive_load(eryx_error_t *error);

#endif
