/* One file out of a wheel.
 *
 * Done with libzip: it checks the central directory against the local headers, handles
 * zip64 and verifies CRCs, all of which a reader of our own would have to learn. */
#include "libs/wheel.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

static bool ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

static bool find_member(zip_t *archive, const char *path, const char *suffix, zip_stat_t *out)
{
    zip_int64_t count = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < count; i++)
        if (zip_stat_index(archive, (zip_uint64_t)i, 0, out) == 0 && out->valid & ZIP_STAT_NAME &&
            out->valid & ZIP_STAT_SIZE && ends_with(out->name, suffix))
            return true;
    step_error("%s: no file *%s in it; is it the componentize-py wheel?", path, suffix);
    return false;
}

static bool read_member(zip_t *archive, const char *path, const zip_stat_t *member,
                        struct file_bytes *out)
{
    zip_file_t *file = zip_fopen_index(archive, member->index, 0);
    uint8_t *data = malloc((size_t)member->size + 1);
    size_t size = 0;
    zip_int64_t got = 1;
    while (file && data && got > 0) {
        /* One byte more than expected, so that the end, and with it the CRC, is reached. */
        got = zip_fread(file, data + size, member->size + 1 - size);
        if (got > 0)
            size += (size_t)got;
    }
    bool whole = file && data && got == 0 && size == member->size;
    if (!whole)
        step_error("%s: cannot unpack %s: %s; download the wheel again", path, member->name,
                   !data  ? "out of memory"
                   : file ? zip_file_strerror(file)
                          : zip_strerror(archive));
    if (file)
        zip_fclose(file);
    if (!whole) {
        free(data);
        return false;
    }
    data[size] = 0;
    *out = (struct file_bytes){data, size};
    return true;
}

bool wheel_read(const char *path, const char *suffix, size_t max_bytes, struct file_bytes *out)
{
    int code = 0;
    zip_t *archive = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code);
    if (!archive) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        step_error("cannot read the wheel %s: %s; download it again", path,
                   zip_error_strerror(&error));
        zip_error_fini(&error);
        return false;
    }
    zip_stat_t member;
    bool done = find_member(archive, path, suffix, &member);
    if (done && member.size > max_bytes) {
        step_error("%s: %s is larger than %zu bytes", path, member.name, max_bytes);
        done = false;
    }
    done = done && read_member(archive, path, &member, out);
    zip_discard(archive);
    return done;
}
