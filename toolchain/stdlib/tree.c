/* Folders of the build machine into the archive. */
#include "stdlib/tree.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>

typedef bool filter_fn(const struct file_bytes *bytes);

static bool any_file(const struct file_bytes *bytes)
{
    (void)bytes;
    return true;
}

/* RFC 9636: compiled zones begin with "TZif". */
static bool is_zone(const struct file_bytes *bytes)
{
    return bytes->size > 44 && memcmp(bytes->data, "TZif", 4) == 0;
}

static bool is_left_out(const FTSENT *entry)
{
    const char *name = entry->fts_name;
    return entry->fts_level > 0 && (name[0] == '.' || strcmp(name, "__pycache__") == 0);
}

static bool add_file(struct archive_builder *builder, const FTSENT *entry, size_t root_length,
                     const char *prefix, filter_fn *wanted)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s%s", prefix, entry->fts_path + root_length);
    if (length < 0 || (size_t)length >= sizeof path) {
        step_error("the path %s is too long", entry->fts_path);
        return false;
    }
    struct file_bytes bytes;
    if (!file_read(entry->fts_accpath, &bytes))
        return false;
    bool done = !wanted(&bytes) || archive_add(builder, path, bytes.data, bytes.size);
    file_bytes_free(&bytes);
    return done;
}

static bool add_tree(struct archive_builder *builder, const char *folder, const char *prefix,
                     filter_fn *wanted)
{
    char *const roots[] = {(char *)folder, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk) {
        step_error("cannot read the folder %s: %s", folder, strerror(errno));
        return false;
    }
    size_t root_length = strlen(folder);
    while (root_length > 1 && folder[root_length - 1] == '/')
        root_length--;
    bool done = true;
    size_t before = builder->count;
    for (FTSENT *entry; done && (entry = fts_read(walk));) {
        if (is_left_out(entry))
            fts_set(walk, entry, FTS_SKIP);
        else if (entry->fts_info == FTS_F)
            done = add_file(builder, entry, root_length, prefix, wanted);
        else if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR ||
                 entry->fts_info == FTS_NS) {
            step_error("cannot read %s: %s", entry->fts_path, strerror(entry->fts_errno));
            done = false;
        }
    }
    fts_close(walk);
    if (done && builder->count == before) {
        step_error("%s: no files to add in this folder", folder);
        done = false;
    }
    return done;
}

bool tree_add(struct archive_builder *builder, const char *folder, const char *prefix)
{
    return add_tree(builder, folder, prefix, any_file);
}

bool tree_add_zones(struct archive_builder *builder, const char *folder, const char *prefix)
{
    return add_tree(builder, folder, prefix, is_zone);
}
