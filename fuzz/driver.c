/* Runs a fuzz target without libFuzzer: every file of the corpus, then mutations of them.
 *
 *     fuzz_<noun> [--mutations N | --seconds N] [--seed N] CORPUS_FOLDER
 *
 * The mutations are a function of the seed, so a failure can be repeated. Before each input is run
 * it is written to <program>.input, where a crash leaves it. Last line: `N passed, 0 failed`. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define INPUT_BYTES_MAX ((size_t)1 << 20)
#define MAX_FILES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    uint8_t *data;
    size_t size;
};

struct corpus {
    struct input inputs[MAX_FILES];
    size_t count;
};

static uint64_t random_state = 1;

static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return bound ? random_state % bound : 0;
}

static void die(const char *what, const char *which)
{
    fprintf(stderr, "fuzz: %s: ", which);
    perror(what);
    exit(2);
}

static void read_file(const char *path, struct input *out)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        die("cannot open", path);
    out->data = malloc(INPUT_BYTES_MAX);
    if (!out->data)
        die("out of memory", path);
    out->size = fread(out->data, 1, INPUT_BYTES_MAX, file);
    fclose(file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_corpus(const char *folder, struct corpus *corpus)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, by_name);
    if (count < 0)
        die("cannot read the corpus", folder);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && corpus->count < MAX_FILES)
            read_file(path, &corpus->inputs[corpus->count++]);
        free(entries[i]);
    }
    free(entries);
    if (corpus->count == 0) {
        fprintf(stderr, "fuzz: %s: the corpus is empty\n", folder);
        exit(2);
    }
}

/* Bytes on which decoders tend to stumble: ends of LEB128 and of the integer types. */
static uint8_t interesting_byte(void)
{
    static const uint8_t bytes[] = {0, 1, 0x0f, 0x10, 0x40, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff};
    return random_below(4) ? bytes[random_below(sizeof bytes)] : (uint8_t)random_below(256);
}

static size_t mutate_once(uint8_t *data, size_t size, const struct corpus *corpus)
{
    size_t at = random_below(size + 1);
    size_t run = 1 + random_below(random_below(8) ? 8 : 512);
    const struct input *other = &corpus->inputs[random_below(corpus->count)];
    switch (random_below(6)) {
    case 0: /* flip a bit */
        if (at < size)
            data[at] ^= (uint8_t)(1u << random_below(8));
        return size;
    case 1: /* overwrite */
        for (size_t i = at; i < size && i < at + run; i++)
            data[i] = interesting_byte();
        return size;
    case 2: /* cut the end */
        return random_below(4) ? size : at;
    case 3: /* take out */
        if (run > size - at)
            run = size - at;
        memmove(data + at, data + at + run, size - at - run);
        return size - run;
    case 4: /* put in */
        if (size + run > INPUT_BYTES_MAX)
            return size;
        memmove(data + at + run, data + at, size - at);
        for (size_t i = 0; i < run; i++)
            data[at + i] = interesting_byte();
        return size + run;
    default: { /* copy a piece of another input */
        size_t from = random_below(other->size + 1);
        for (size_t i = 0; i < run && at + i < size && from + i < other->size; i++)
            data[at + i] = other->data[from + i];
        return size;
    }
    }
}

/* The input goes into a file mapping of its own: it survives the crash it causes. */
struct keeper {
    uint8_t *shared;
    int fd;
};

static struct keeper keeper_open(const char *program)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.input", program);
    struct keeper keeper = {.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (keeper.fd < 0)
        die("cannot write", path);
    keeper.shared = mmap(NULL, INPUT_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, keeper.fd, 0);
    if (keeper.shared == MAP_FAILED)
        die("cannot map", path);
    return keeper;
}

static void run_one(const struct keeper *keeper, const uint8_t *data, size_t size)
{
    if (ftruncate(keeper->fd, (off_t)size) != 0)
        die("ftruncate", "input");
    memcpy(keeper->shared, data, size);
    /* A copy of exactly its size, so that a sanitizer sees reads past the end. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        die("out of memory", "input");
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

int main(int argc, char **argv)
{
    static struct corpus corpus;
    uint64_t mutations = 0, seconds = 0, ran = 0;
    int next = 1;
    for (; next + 1 < argc && argv[next][0] == '-'; next += 2) {
        uint64_t number = strtoull(argv[next + 1], NULL, 10);
        if (strcmp(argv[next], "--mutations") == 0)
            mutations = number;
        else if (strcmp(argv[next], "--seconds") == 0)
            seconds = number;
        else if (strcmp(argv[next], "--seed") == 0)
            random_state = number | 1;
    }
    if (next + 1 != argc) {
        fprintf(stderr, "usage: %s [--mutations N | --seconds N] [--seed N] CORPUS_FOLDER\n",
                argv[0]);
        return 2;
    }
    read_corpus(argv[next], &corpus);
    struct keeper keeper = keeper_open(argv[0]);
    for (size_t i = 0; i < corpus.count; i++, ran++)
        run_one(&keeper, corpus.inputs[i].data, corpus.inputs[i].size);
    uint8_t *scratch = malloc(INPUT_BYTES_MAX);
    if (!scratch)
        die("out of memory", argv[next]);
    time_t end = time(NULL) + (time_t)seconds;
    for (uint64_t i = 0; seconds ? time(NULL) < end : i < mutations; i++, ran++) {
        const struct input *seed = &corpus.inputs[random_below(corpus.count)];
        size_t size = seed->size;
        memcpy(scratch, seed->data, size);
        for (uint64_t n = 1 + random_below(4); n > 0; n--)
            size = mutate_once(scratch, size, &corpus);
        run_one(&keeper, scratch, size);
    }
    free(scratch);
    printf("%s: %llu inputs\n%zu passed, 0 failed\n", argv[0], (unsigned long long)ran,
           corpus.count);
    return 0;
}
