/* Limits that the host sets (control.limit): of the file system, and of recursion.
 *
 * sys.setrecursionlimit sets at most the ceiling: programs that ask for "a million" to be on the safe
 * side run on. Its function is exchanged in the method's definition, which all function objects made
 * of it share, those of another import of sys too. Memory bounds recursion in any case. */
#include "python.h"

#include "vfs/vfs.h"
#include "wasi/wasi.h"

/* The beginning of PyMethodDef and PyCFunctionObject, as all versions have them. */
struct method_definition {
    const char *name;
    PyCFunction function;
    int flags;
};
struct function_object {
    PyObject base;
    struct method_definition *definition;
};

enum { RECURSION_DEFAULT = 1000000 };

static PyCFunction original;
static long ceiling = RECURSION_DEFAULT;
static uint32_t image_inodes;

static PyObject *set_recursion_limit(PyObject *module, PyObject *limit)
{
    long wanted = PyLong_AsLong(limit);
    PyObject *lower, *result;
    if (wanted == -1 && PyErr_Occurred()) {
        PyErr_Clear(); /* the original says what is wrong with it */
    }
    if (wanted <= ceiling) {
        return original(module, limit);
    }
    lower = PyLong_FromLong(ceiling);
    result = lower == NULL ? NULL : original(module, lower);
    Py_XDECREF(lower);
    return result;
}

bool limits_start(void)
{
    PyObject *function = PyDict_GetItemString(python.sys_dict, "setrecursionlimit");
    struct method_definition *definition =
        function == NULL ? NULL : ((struct function_object *)function)->definition;
    if (definition == NULL || PyCFunction_GetFunction(function) != definition->function ||
        definition->flags != METH_O) {
        PyErr_SetString(PyExc_SystemError, "sys.setrecursionlimit is not what it was");
        return false;
    }
    original = definition->function;
    definition->function = set_recursion_limit;
    image_inodes = vfs_get_usage(wasi_file_system()).inodes;
    return true;
}

static uint32_t sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static void limit_recursion(uint32_t recursion)
{
    ceiling = recursion < INT32_MAX ? (long)recursion : INT32_MAX;
    if (Py_GetRecursionLimit() > ceiling) {
        Py_SetRecursionLimit((int)ceiling);
    }
}

void export_control_limit(uint64_t file_system_bytes, uint32_t files, uint32_t open_files,
                          uint32_t recursion)
{
    struct vfs *fs = wasi_file_system();
    struct vfs_limits limits = vfs_get_limits(fs);
    limits.total_bytes = file_system_bytes;
    limits.inodes = sum(image_inodes, files);
    limits.open_files = open_files;
    vfs_set_limits(fs, &limits);
    limit_recursion(recursion);
}
