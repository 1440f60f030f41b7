// SPDX-License-Identifier: BSD-2-Clause
/*
 * idle-holders HOLDERS ROUNDS BURST - threads of the lowest scheduling class, which needs no privilege, change files
 * without end on one CPU, so that usually some of them are preempted in a probe; the main thread changes another file
 * in bursts. Prints the number of changes of the main thread and of the others.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HOLDERS_MAX 64

static atomic_bool ended;
static unsigned long changes[HOLDERS_MAX];

static int file__open(const char *name)
{
    int fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0) {
        perror(name);
        exit(1);
    }
    return fd;
}

static void pin(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(0, &set);
    if (sched_setaffinity(0, sizeof(set), &set))
        exit(1);
}

static void *hold(void *count)
{
    static const struct sched_param none;
    char name[64];

    pin();
    if (sched_setscheduler(0, SCHED_IDLE, &none))
        exit(1);
    snprintf(name, sizeof(name), "holder-%td", (unsigned long *)count - changes);
    for (int fd = file__open(name); !ended;)
        *(unsigned long *)count += !fchmod(fd, 0600);
    return NULL;
}

int main(int argc, char **argv)
{
    int holders = argc > 1 ? atoi(argv[1]) : 0, rounds = argc > 2 ? atoi(argv[2]) : 0;
    int burst = argc > 3 ? atoi(argv[3]) : 0;
    unsigned long own = 0, others = 0;
    pthread_t threads[HOLDERS_MAX];

    if (holders < 1 || holders > HOLDERS_MAX)
        return 2;
    pin();
    int fd = file__open("victim");

    for (int i = 0; i < holders; i++) {
        if (pthread_create(&threads[i], NULL, hold, &changes[i]))
            return 1;
    }
    for (int round = 0; round < rounds; round++) {
        nanosleep(&(struct timespec){.tv_nsec = 500000 + random() % 3000 * 1000}, NULL);
        for (int i = 0; i < burst; i++)
            own += !fchmod(fd, 0600);
    }
    ended = true;
    for (int i = 0; i < holders; i++) {
        pthread_join(threads[i], NULL);
        others += changes[i];
    }
    printf("%lu %lu\n", own, others);
    return 0;
}
