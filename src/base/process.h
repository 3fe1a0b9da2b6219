/* Which process this is: what was opened before a fork() is not usable in the child. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

/* 1, and one more in each child, as soon as it was called once in the parent. Cheap, unlike getpid. */
unsigned process_generation(void);

#endif
