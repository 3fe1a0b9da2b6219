/* The module: what the command finds in it. */
#include <pthread.h>
#include <string.h>

#include <curl/curl.h>

#include "module.h"
#include "store_url.h"

static CURLcode started;

static void start(void)
{
    started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const struct store_backend *open_url(const char *place, void **env, char name[200],
                                            struct store_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
    if (started != CURLE_OK)
        store_fail(error, STORE_FAILED, "libcurl: %s", curl_easy_strerror(started));
    else if (begins(place, "redis://") || begins(place, "rediss://"))
        return store_open_redis(place, env, name, error);
    else if (begins(place, "s3://"))
        return store_open_s3(place, env, name, error);
    else
        store_fail(
            error, STORE_FAILED,
            "there are no stores of the kind '%.*s://'; a folder, redis://, rediss:// or s3:// "
            "is needed",
            (int)strcspn(place, ":") > 20 ? 20 : (int)strcspn(place, ":"), place);
    return NULL;
}

__attribute__((visibility("default"))) extern const struct module eryx_module;
const struct module eryx_module = {sizeof eryx_module, ERYX_VERSION, open_url, &fetch_functions};
