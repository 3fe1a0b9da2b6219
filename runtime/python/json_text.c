/* JSON as it is written piece by piece, of strings that may hold anything. */
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "python.h"

void json_add(struct json_text *text, const char *data, size_t length)
{
    if (text->capacity - text->length < length) {
        size_t capacity = (text->length + length) * 2;
        char *larger = text->failed ? NULL : realloc(text->data, capacity);
        if (larger == NULL) {
            text->failed = true;
            return;
        }
        text->data = larger;
        text->capacity = capacity;
    }
    memcpy(text->data + text->length, data, length);
    text->length += length;
}

void json_literal(struct json_text *text, const char *literal)
{
    json_add(text, literal, strlen(literal));
}

void json_free(struct json_text *text)
{
    free(text->data);
    *text = (struct json_text){0};
}

/* The inside of a JSON string. `data` is UTF-8, but may have surrogates: U+FFFD. */
static void add_escaped(struct json_text *text, const char *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    size_t start = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)data[i];
        bool surrogate = byte == 0xed && i + 2 < length && (unsigned char)data[i + 1] >= 0xa0;
        if (byte >= 0x20 && byte != '"' && byte != '\\' && !surrogate) {
            continue;
        }
        json_add(text, data + start, i - start);
        if (surrogate) {
            json_literal(text, "\xef\xbf\xbd");
            i += 2;
        } else if (byte < 0x20) {
            char escape[6] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
            json_add(text, escape, sizeof escape);
        } else {
            json_add(text, (char[]){'\\', (char)byte}, 2);
        }
        start = i + 1;
    }
    json_add(text, data + start, length - start);
}

size_t json_string(struct json_text *text, PyObject *string, size_t room)
{
    PyObject *bytes = string == NULL || !PyUnicode_Check(string)
                          ? NULL
                          : PyUnicode_AsEncodedString(string, "utf-8", "surrogatepass");
    size_t length = 0;
    if (bytes != NULL) {
        const char *data = PyBytes_AsString(bytes);
        length = (size_t)PyBytes_Size(bytes);
        if (length > room) {
            length = room;
            while (length > 0 && ((unsigned char)data[length] & 0xc0) == 0x80) {
                length--;
            }
        }
        add_escaped(text, data, length);
    }
    python_ignore_error();
    Py_XDECREF(bytes);
    return length;
}

size_t json_decimal(char *to, uint32_t number)
{
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (size_t i = 0; i < count; i++) {
        to[i] = digits[count - 1 - i];
    }
    return count;
}
