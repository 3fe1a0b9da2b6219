/* libcurl, loaded when there is something to ask: linked, it and the libraries it needs would take
 * longer to load than a program runs. */
#ifndef CLI_TOP_LIBCURL_H
#define CLI_TOP_LIBCURL_H

#define CURL_DISABLE_TYPECHECK /* no macros around the functions' names */
#include <curl/curl.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo

#define LIBCURL_FUNCTIONS(F)                                                                       \
    F(curl_global_init)                                                                            \
    F(curl_easy_init)                                                                              \
    F(curl_easy_setopt)                                                                            \
    F(curl_easy_perform)                                                                           \
    F(curl_easy_getinfo)                                                                           \
    F(curl_easy_strerror)                                                                          \
    F(curl_easy_cleanup)                                                                           \
    F(curl_slist_append)                                                                           \
    F(curl_slist_free_all)

struct libcurl {
#define LIBCURL_MEMBER(name) __typeof__(&name) name;
    LIBCURL_FUNCTIONS(LIBCURL_MEMBER)
#undef LIBCURL_MEMBER
};

/* Initialised, and never unloaded. NULL after an error message. One thread. */
const struct libcurl *libcurl_load(void);

#endif
