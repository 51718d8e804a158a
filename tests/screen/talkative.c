/*
 * A library that talks, as a PKCS#11 module may: each line that comes through the pipe named by
 * TALKATIVE goes to standard error of the process that it is loaded into. Licensed under
 * Apache-2.0 OR MIT.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *talk(void *path)
{
    char line[256];
    FILE *pipe = fopen(path, "r");
    while (pipe != NULL && fgets(line, sizeof line, pipe) != NULL) {
        if (write(2, line, strlen(line)) < 0) {
            break;
        }
    }
    return NULL;
}

__attribute__((constructor)) static void start(void)
{
    pthread_t thread;
    char *path = getenv("TALKATIVE");
    if (path != NULL) {
        pthread_create(&thread, NULL, talk, path);
    }
}
