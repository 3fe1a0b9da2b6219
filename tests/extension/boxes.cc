// An extension module in C++ for the tests: constructors of static objects, libc++'s containers and
// streams, virtual functions, dynamic_cast, static local variables, 128-bit numbers.
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace
{

struct Box {
    virtual ~Box() = default;
    virtual long value() const = 0;
};

struct Doubled : Box {
    long inner;
    explicit Doubled(long inner) : inner(inner)
    {
    }
    long value() const override
    {
        return inner * 2;
    }
};

struct Other : Box {
    long value() const override
    {
        return 0;
    }
};

std::vector<std::string> words = {"gamma", "alpha", "a word that is too long to be kept inside"};
std::map<std::string, int> table{{"one", 1}, {"two", 2}};

int &counter()
{
    static int value = [] { return 41; }();
    return value;
}

PyObject *describe(PyObject *, PyObject *)
{
    std::vector<std::string> sorted = words;
    std::sort(sorted.begin(), sorted.end());
    std::ostringstream text;
    for (const std::string &word : sorted)
        text << word << '|';
    std::unique_ptr<Box> box = std::make_unique<Doubled>(21);
    text << table["two"] << '|' << box->value() << '|' << ++counter() << '|' << 1.5 << '|';
    text << (dynamic_cast<Doubled *>(box.get()) != nullptr)
         << (dynamic_cast<Other *>(box.get()) != nullptr) << '|';
    auto wide = static_cast<unsigned __int128>(box->value()) * 1000000007ull * 1000000009ull;
    text << static_cast<unsigned long long>(wide / 97);
    std::cout << "from std::cout" << std::endl;
    return PyUnicode_FromString(text.str().c_str());
}

PyMethodDef methods[] = {{"describe", describe, METH_NOARGS, nullptr}, {}};
PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "boxes", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

} // namespace

PyMODINIT_FUNC PyInit_boxes()
{
    return PyModule_Create(&definition);
}
