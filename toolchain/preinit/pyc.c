/* The .pyc files of the archive, made by the guest itself, so that they are of the very Python
 * that will read them. Contract with the guest (runtime/main.c): eryx_compile_archive writes
 * them into its file system, eryx_read_file(path, &data, &length) hands one over. */
#include "preinit/pyc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stdlib/archive.h"

#define PATH_BYTES 512u
#define REQUEST_BYTES (PATH_BYTES + 16u)
#define TAG ".cpython-314.pyc"

/* "lib/a/b.py" gives "lib/a/__pycache__/b.cpython-314.pyc". False: no Python source. */
static bool pyc_path(const struct archive_file *file, char out[PATH_BYTES])
{
    if (file->is_directory || file->path_length < 4 ||
        memcmp(file->path + file->path_length - 3, ".py", 3) != 0)
        return false;
    size_t stem = file->path_length - 3, folder = stem;
    while (folder > 0 && file->path[folder - 1] != '/')
        folder--;
    int length = snprintf(out, PATH_BYTES, "%.*s__pycache__/%.*s" TAG, (int)folder, file->path,
                          (int)(stem - folder), file->path + folder);
    return length > 0 && length < (int)PATH_BYTES;
}

/* Guest memory for one request: the path, then the two words that are filled in. */
struct request {
    uint32_t path, answer;
};

static bool request_new(struct guest *guest, struct request *request)
{
    const uint32_t arguments[] = {0, 0, 8, REQUEST_BYTES};
    if (!guest_call(guest, "cabi_realloc", arguments, 4, &request->answer))
        return false;
    request->path = request->answer + 8;
    if (request->answer && guest_bytes(guest, request->answer, REQUEST_BYTES))
        return true;
    step_error("cabi_realloc gave no memory");
    return false;
}

/* *data is in guest memory. False without a message: the guest could not read it. */
static bool read_file(struct guest *guest, const struct request *request, const char *path,
                      const uint8_t **data, uint32_t *size)
{
    char *text = (char *)guest_bytes(guest, request->path, PATH_BYTES + 1);
    snprintf(text, PATH_BYTES + 1, "/%s", path);
    const uint32_t arguments[] = {request->path, request->answer, request->answer + 4};
    uint32_t status, answer[2];
    if (!guest_call(guest, "eryx_read_file", arguments, 3, &status) || status != 0)
        return false;
    memcpy(answer, guest_bytes(guest, request->answer, sizeof answer), sizeof answer);
    *data = guest_bytes(guest, answer[0], answer[1]);
    *size = answer[1];
    return *data != NULL;
}

static bool add_all(struct guest *guest, const struct file_bytes *archive,
                    struct archive_builder *builder, uint32_t *made, uint32_t *missing)
{
    struct request request;
    if (!request_new(guest, &request))
        return false;
    uint32_t count = archive_count(archive->data);
    for (uint32_t i = 0; i < count; i++) {
        struct archive_file file = archive_get(archive->data, i);
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%.*s", (int)file.path_length, file.path);
        if (file.is_directory ? !archive_add_directory(builder, path)
                              : !archive_add(builder, path, file.data, file.size))
            return false;
        if (!pyc_path(&file, path))
            continue;
        const uint8_t *data;
        uint32_t size;
        if (!read_file(guest, &request, path, &data, &size)) {
            fprintf(stderr, "preinit: no %s\n", path);
            (*missing)++;
        } else if (archive_add(builder, path, data, size)) {
            (*made)++;
        } else {
            return false;
        }
    }
    return true;
}

bool pyc_make(struct guest *guest, const struct file_bytes *archive, struct file_bytes *out)
{
    uint32_t compiled, made = 0, missing = 0;
    if (!guest_call(guest, "eryx_compile_archive", NULL, 0, &compiled))
        return false;
    if ((int32_t)compiled < 0) {
        step_error("eryx_compile_archive failed; its message is above");
        return false;
    }
    struct archive_builder builder = {0};
    bool done = add_all(guest, archive, &builder, &made, &missing);
    if (done && made != compiled) {
        step_error("the guest compiled %u files, but %u .pyc files could be read", compiled, made);
        done = false;
    }
    done = done && archive_encode(&builder, out);
    archive_free(&builder);
    if (done)
        printf("preinit: %u .pyc files, %u sources without one\n", made, missing);
    return done;
}
