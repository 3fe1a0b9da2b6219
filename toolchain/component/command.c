/* eryx-build component: the module and its initial memory as a standard component.
 *
 * The core module gets the image as data segments and the globals their values of the image, and
 * is wrapped by wasm-tools (component.mjs), together with the adapter that answers what only
 * liberyx offers (stub.h). That checks all imports and exports against the world. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "component/core.h"
#include "component/stub.h"
#include "file.h"
#include "image/image.h"
#include "module_file.h"

extern char **environ;

struct arguments {
    const char *module, *memory, *meta, *wit, *wasm_tools, *script, *output, *wit_out;
};

static bool read_meta(const char *path, const struct file_bytes *memory, image_footer_t *out)
{
    struct file_bytes bytes;
    eryx_error_t error;
    if (!file_read(path, &bytes))
        return false;
    bool good = bytes.size == sizeof *out;
    if (good)
        memcpy(out, bytes.data, sizeof *out);
    good = good && image_footer_check_seal(out, &error) == ERYX_OK &&
           out->memory.length == memory->size && out->global_count <= IMAGE_MAX_GLOBALS;
    if (!good)
        step_error("%s and the memory file are not of one run of eryx-build preinit", path);
    file_bytes_free(&bytes);
    return good;
}

/* No file if the module needs none. */
static bool write_stub(const struct wasm_module *module, const char *path)
{
    struct wasm_buffer stub = {0};
    if (!stub_needed(module))
        return true;
    bool done = stub_encode(module, &stub) && file_write(path, stub.data, stub.size);
    wasm_buffer_free(&stub);
    return done;
}

static bool write_core(const struct arguments *arguments, const char *core, const char *stub)
{
    struct file_bytes bytes, memory;
    struct wasm_module module;
    image_footer_t footer;
    if (!module_file_read(arguments->module, &bytes, &module))
        return false;
    bool done = file_read(arguments->memory, &memory);
    if (done) {
        done = read_meta(arguments->meta, &memory, &footer) &&
               core_from_image(&module, &memory, &footer) && module_file_write(core, &module) &&
               write_stub(&module, stub);
        wasm_free(&module);
        file_bytes_free(&memory);
    } else {
        wasm_free(&module);
    }
    file_bytes_free(&bytes);
    return done;
}

/* node's output, the WIT of the component, goes to wit_fd. */
static bool run_node(const struct arguments *arguments, const char *core, const char *stub,
                     const char *component, int wit_fd)
{
    char *const command[] = {"node",
                             (char *)arguments->script,
                             (char *)arguments->wasm_tools,
                             (char *)arguments->wit,
                             "sandbox",
                             (char *)core,
                             (char *)component,
                             access(stub, F_OK) == 0 ? (char *)stub : NULL,
                             NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, wit_fd, STDOUT_FILENO);
    int failure = posix_spawnp(&child, "node", &actions, NULL, command, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure) {
        step_error("cannot run node: %s; is Node.js installed and in PATH?", strerror(failure));
        return false;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 1) /* 1: it said why itself */
        step_error("node failed with status %d", status);
    return false;
}

static bool make(const struct arguments *arguments, const char *component, int wit_fd)
{
    char *core = NULL, *stub = NULL;
    bool done = asprintf(&core, "%s.core", component) >= 0;
    if (!done || asprintf(&stub, "%s.stub", component) < 0) {
        step_error("out of memory; close other programs and run again");
        if (done)
            free(core);
        return false;
    }
    done = write_core(arguments, core, stub) && run_node(arguments, core, stub, component, wit_fd);
    unlink(core);
    unlink(stub);
    free(core);
    free(stub);
    return done;
}

static bool make_with_wit(const struct arguments *arguments, const char *component)
{
    struct file_output wit;
    if (!file_output_open(arguments->wit_out, &wit))
        return false;
    if (make(arguments, component, wit.fd))
        return file_output_commit(&wit);
    file_output_abort(&wit);
    return false;
}

static bool make_without_wit(const struct arguments *arguments, const char *component)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        step_error("cannot open /dev/null: %s", strerror(errno));
        return false;
    }
    bool done = make(arguments, component, fd);
    close(fd);
    return done;
}

static bool component(const struct arguments *arguments)
{
    struct file_output output;
    if (!file_output_open(arguments->output, &output))
        return false;
    if (arguments->wit_out ? make_with_wit(arguments, output.temporary)
                           : make_without_wit(arguments, output.temporary))
        return file_output_commit(&output);
    file_output_abort(&output);
    return false;
}

static void print_help(FILE *stream)
{
    fputs("usage: eryx-build component polled.wasm --memory memory.img --meta image.meta\n"
          "           --wit FOLDER --wasm-tools FILE --script component.mjs -o runtime.wasm\n"
          "Wraps the module with its initial memory as a component of world eryx:sandbox/sandbox.\n"
          "  --memory, --meta FILE  what preinit made of the same module\n"
          "  --wit FOLDER           runtime.wit and deps/\n"
          "  --wasm-tools FILE      dist/wasm-tools.js of the npm package "
          "@bytecodealliance/jco-transpile\n"
          "  --script FILE          toolchain/component/component.mjs\n"
          "  --wit-out FILE         out: the component's WIT as wasm-tools prints it\n",
          stream);
}

int component_run(int argc, char **argv)
{
    static const struct option options[] = {{"memory", required_argument, NULL, 'm'},
                                            {"meta", required_argument, NULL, 't'},
                                            {"wit", required_argument, NULL, 'w'},
                                            {"wasm-tools", required_argument, NULL, 'n'},
                                            {"script", required_argument, NULL, 's'},
                                            {"wit-out", required_argument, NULL, 'p'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct arguments arguments = {0};
    for (int option; (option = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
        const char **target = option == 'm'   ? &arguments.memory
                              : option == 't' ? &arguments.meta
                              : option == 'w' ? &arguments.wit
                              : option == 'n' ? &arguments.wasm_tools
                              : option == 's' ? &arguments.script
                              : option == 'p' ? &arguments.wit_out
                              : option == 'o' ? &arguments.output
                                              : NULL;
        if (target)
            *target = optarg;
        else if (option == 'h')
            return print_help(stdout), COMMAND_OK;
        else
            return print_help(stderr), COMMAND_USAGE;
    }
    if (optind + 1 != argc || !arguments.memory || !arguments.meta || !arguments.wit ||
        !arguments.wasm_tools || !arguments.script || !arguments.output)
        return print_help(stderr), COMMAND_USAGE;
    arguments.module = argv[optind];
    return component(&arguments) ? COMMAND_OK : COMMAND_FAILED;
}
