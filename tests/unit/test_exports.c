/* test_exports LIBRARY HEADERS...: the shared library exports exactly the functions that the
 * public headers declare. */
#include "fixture.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 256 };

typedef struct names {
    char text[NAMES_MAX][64];
    size_t count;
} names_t;

static names_t exported, declared;
static char **arguments;

static void add_name(names_t *names, const char *start, size_t length) {
    assert_true(names->count < NAMES_MAX && length < sizeof names->text[0]);
    snprintf(names->text[names->count++], sizeof names->text[0], "%.*s", (int)length, start);
}

static bool has_name(const names_t *names, const char *name) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->text[i], name) == 0)
            return true;
    return false;
}

static const Elf64_Shdr *find_section(const uint8_t *file, uint32_t type) {
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(file + header->e_shoff);
    for (unsigned i = 0; i < header->e_shnum; i++)
        if (sections[i].sh_type == type)
            return &sections[i];
    return NULL;
}

static void read_exports(const char *path) {
    int fd = open(path, O_RDONLY);
    struct stat status;
    assert_true(fd >= 0 && fstat(fd, &status) == 0);
    const uint8_t *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_true(file != MAP_FAILED);
    const Elf64_Shdr *table = find_section(file, SHT_DYNSYM);
    assert_non_null(table);
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
    const Elf64_Shdr *strings = (const Elf64_Shdr *)(file + header->e_shoff) + table->sh_link;
    const Elf64_Sym *symbols = (const Elf64_Sym *)(file + table->sh_offset);
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++) {
        const char *name = (const char *)file + strings->sh_offset + symbols[i].st_name;
        if (symbols[i].st_shndx != SHN_UNDEF && *name)
            add_name(&exported, name, strlen(name));
    }
    munmap((void *)file, (size_t)status.st_size);
    close(fd);
}

/* The name before the first parenthesis after each ERYX_API at the start of a line. */
static void read_header(const char *path) {
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (const char *next = text; (next = strstr(next, "\nERYX_API ")); next++) {
        const char *end = strchr(next, '(');
        assert_non_null(end);
        const char *start = end;
        while (start[-1] != ' ' && start[-1] != '*')
            start--;
        add_name(&declared, start, (size_t)(end - start));
    }
}

static void test_exports(void **state) {
    (void)state;
    read_exports(arguments[1]);
    for (char **header = arguments + 2; *header; header++)
        read_header(*header);
    assert_true(declared.count > 20);
    for (size_t i = 0; i < declared.count; i++)
        if (!has_name(&exported, declared.text[i]))
            fail_msg("%s is declared but not exported", declared.text[i]);
    for (size_t i = 0; i < exported.count; i++)
        if (!has_name(&declared, exported.text[i]))
            fail_msg("%s is exported but not declared", exported.text[i]);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: test_exports LIBRARY HEADERS...\n");
        return 2;
    }
    arguments = argv;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exports)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
