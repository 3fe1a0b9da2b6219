/* Visibility of public functions. */
#ifndef ERYX_EXPORT_H
#define ERYX_EXPORT_H

#if defined(__GNUC__)
#define ERYX_API __attribute__((visibility("default")))
#else
#define ERYX_API
#endif

#endif
