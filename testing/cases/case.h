/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case.h - functions that the case programs share. To be included first.
 *
 * A case program performs one operation in its variants, and prints what it did as one line of JSON, the facts: pids,
 * values, whatever its expectation (case-NAME.py) needs. It waits for conditions, not for a time. A failure of the
 * program itself (not of what it tests) ends it with status 99 and no facts.
 */
#ifndef CASE_H
#define CASE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CASE_FAILED 99
#define DEADLINE_MS 300000 /* of each wait, as long as may pass on a loaded machine */

static inline _Noreturn void die(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, strerror(errno));
    _exit(CASE_FAILED);
}

#define CHECK(condition) ((condition) ? (void)0 : die(__FILE__, __LINE__, #condition))

/* ------------------------------------------------------------------ facts */

/* Buffered until the end, so that a child that ends by _exit prints none of them. */
static char facts[4 << 20];
static size_t facts_len;

static inline __attribute__((format(printf, 1, 2))) void facts__put(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = vsnprintf(facts + facts_len, sizeof(facts) - facts_len, format, args);
    va_end(args);
    CHECK(len >= 0 && (size_t)len < sizeof(facts) - facts_len);
    facts_len += len;
}

/* Print the comma, if one is needed, and the key; an element of an array has none (NULL). */
static inline void fact__key(const char *key)
{
    if (!facts_len)
        facts__put("{");
    char last = facts[facts_len - 1];

    if (last != '{' && last != '[')
        facts__put(",");
    if (key)
        facts__put("\"%s\":", key);
}

static inline void fact__int(const char *key, long long value)
{
    fact__key(key);
    facts__put("%lld", value);
}

static inline void fact__bool(const char *key, bool value)
{
    fact__key(key);
    facts__put(value ? "true" : "false");
}

/* Printable ASCII; anything else goes through fact__bytes. */
static inline void fact__str(const char *key, const char *value)
{
    fact__key(key);
    facts__put("\"");
    for (; *value; value++) {
        CHECK(*value >= ' ' && *value <= '~');
        if (*value == '"' || *value == '\\')
            facts__put("\\");
        facts__put("%c", *value);
    }
    facts__put("\"");
}

/* Any bytes, in hexadecimal. */
static inline void fact__bytes(const char *key, const void *data, size_t len)
{
    fact__key(key);
    facts__put("\"");
    for (size_t i = 0; i < len; i++)
        facts__put("%02x", ((const unsigned char *)data)[i]);
    facts__put("\"");
}

static inline void fact__object(const char *key)
{
    fact__key(key);
    facts__put("{");
}

static inline void fact__object_end(void)
{
    facts__put("}");
}

static inline void fact__array(const char *key)
{
    fact__key(key);
    facts__put("[");
}

static inline void fact__array_end(void)
{
    facts__put("]");
}

/* Print the facts; the return value of main. */
static inline int facts__print(void)
{
    facts__put("}\n");
    CHECK(fwrite(facts, 1, facts_len, stdout) == facts_len && !fflush(stdout));
    return 0;
}

/* Report that the kernel lacks what the case needs. */
static inline _Noreturn void case__skip(const char *reason)
{
    facts_len = 0;
    fact__str("skip", reason);
    exit(facts__print());
}

static inline uint64_t clock__ns(clockid_t clock)
{
    struct timespec ts;

    CHECK(!clock_gettime(clock, &ts));
    return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

/* Print the inode numbers of the namespaces of a process; 0 for a kind that the kernel lacks, as events have it. */
static inline void fact__namespaces(const char *key, pid_t pid)
{
    static const char *const names[] = {"uts", "ipc", "mnt", "net", "cgroup", "time", "pid", "user"};

    fact__object(key);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[64];
        struct stat st;

        snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, names[i]);
        bool has_kind = !stat(path, &st);

        CHECK(has_kind || errno == ENOENT);
        fact__int(names[i], has_kind ? st.st_ino : 0);
    }
    fact__object_end();
}

/* Return the size of a thread's stack: so many bytes, or the least that the machine allows (128 KiB on arm64). */
static inline size_t stack__least(size_t bytes)
{
    long least = sysconf(_SC_THREAD_STACK_MIN);

    return least > (long)bytes ? (size_t)least : bytes;
}

/* ------------------------------------------------------------- a directory */

static char case_dir[128];

/* Create an empty directory for this run and enter it. */
static inline void case__dir(void)
{
    umask(022);
    snprintf(case_dir, sizeof(case_dir), "/tmp/%s.%d", program_invocation_short_name, getpid());
    CHECK(!mkdir(case_dir, 0755) && !chdir(case_dir));
    fact__str("dir", case_dir);
}

static inline void fd__write_all(int fd, const void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, (const char *)data + done, len - done);

        CHECK(n > 0);
        done += n;
    }
}

static inline void file__write(const char *path, const void *data, size_t len, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    CHECK(fd >= 0);
    fd__write_all(fd, data, len);
    CHECK(!fchmod(fd, mode) && !close(fd));
}

static inline void file__puts(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !close(fd));
}

static inline void fd__copy(int from, int to)
{
    static char buf[65536];
    ssize_t n;

    while ((n = read(from, buf, sizeof(buf))) > 0)
        fd__write_all(to, buf, n);
    CHECK(n == 0);
}

/* Copy this program: a static executable, which runs anywhere. */
static inline void self__copy(const char *path)
{
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);

    CHECK(from >= 0 && to >= 0);
    fd__copy(from, to);
    CHECK(!close(from) && !close(to));
}

/* ---------------------------------------------------------------- children */

/*
 * With CASE_CHILD in its environment a case program is only an image to be executed: it ends at once with that status,
 * or with the number of its arguments. It is not an argument, because arguments are being tested; and it is handled
 * before main, so that no case can forget it.
 */
static inline __attribute__((constructor)) void case__child_image(int argc, char **argv, char **envp)
{
    const char *status = getenv("CASE_CHILD");

    (void)argv;
    (void)envp;
    if (status)
        _exit(strcmp(status, "argc") ? atoi(status) : argc);
}

static char *const child_env[] = {(char *)"CASE_CHILD=0", NULL};

typedef void child_fn(void *arg);

/* Start a child that runs fn and ends with 0 if that returns. */
static inline pid_t child__start(child_fn *fn, void *arg)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (!pid) {
        fn(arg);
        _exit(0);
    }
    return pid;
}

/* Return how it ended, as wait reports it. */
static inline int child__wait(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, __WALL) != pid)
        CHECK(errno == EINTR);
    return status;
}

/* Run it and check that it succeeds. */
static inline pid_t child__run(child_fn *fn, void *arg)
{
    pid_t pid = child__start(fn, arg);

    CHECK(child__wait(pid) == 0);
    return pid;
}

#define NOBODY 65534

static inline void become_nobody(void)
{
    CHECK(!setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY));
}

/* Cause SIGSEGV, with a core dump if core_pattern allows it. */
static inline void crash(void *unused)
{
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    volatile int *volatile nowhere = (int *)8;

    (void)unused;
    CHECK(!setrlimit(RLIMIT_CORE, &unlimited) && !prctl(PR_SET_DUMPABLE, 1));
    *nowhere = 0;
}

struct gate {
    int fds[2];
};

/* A gate at which a process waits until another one opens it, or no process is left that could. */
static inline void gate__init(struct gate *gate)
{
    CHECK(!pipe2(gate->fds, O_CLOEXEC));
}

static inline void gate__wait(struct gate *gate)
{
    char c;

    close(gate->fds[1]);
    CHECK(read(gate->fds[0], &c, 1) >= 0);
    close(gate->fds[0]);
}

static inline void gate__open(struct gate *gate)
{
    /* A byte is needed, because a third process may hold the pipe open without knowing. */
    CHECK(write(gate->fds[1], "", 1) == 1 && !close(gate->fds[0]) && !close(gate->fds[1]));
}

/* A number from a process that is not our child to us. */
static inline void number__send(int fd, pid_t value)
{
    CHECK(write(fd, &value, sizeof(value)) == sizeof(value));
}

static inline pid_t number__receive(int fd)
{
    pid_t value;

    CHECK(read(fd, &value, sizeof(value)) == sizeof(value));
    return value;
}

static inline pid_t thread__id(void)
{
    return syscall(SYS_gettid);
}

static inline void thread__run(void *(*fn)(void *), void *arg)
{
    pthread_t thread;

    errno = pthread_create(&thread, NULL, fn, arg);
    CHECK(!errno);
    errno = pthread_join(thread, NULL);
    CHECK(!errno);
}

/* ---------------------------------------------------------- 32-bit callers */

/*
 * Make a system call by the 32-bit entry, with 32-bit numbers. Pointers must be below 4 GiB: those to static objects
 * are, in a program that is linked statically. Return a negative errno on failure.
 */
static inline long int80(long nr, long a, long b, long c, long d)
{
#ifdef __x86_64__
    long ret;

    __asm__ volatile("int $0x80"
                     : "=a"(ret)
                     : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(0)
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)ret;
#else
    (void)nr, (void)a, (void)b, (void)c, (void)d;
    return -ENOSYS;
#endif
}

static inline void int80__getpid(void *unused)
{
    (void)unused;
    _exit(int80(20, 0, 0, 0, 0) == getpid() ? 0 : 1);
}

/*
 * Return whether this kernel accepts 32-bit calls, and add that to the facts. A kernel without them kills the caller,
 * so a child tries.
 */
static inline bool int80__available(void)
{
    bool available = child__wait(child__start(int80__getpid, NULL)) == 0;

    fact__bool("int80", available);
    if (!available)
        fact__str("skipped_part", "32-bit callers: the kernel takes no 32-bit system calls");
    return available;
}

#endif
