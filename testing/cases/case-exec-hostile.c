/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Execs of processes that do not want to be seen: a tracer changes the arguments of its tracee as soon as it can; the
 * names of a working directory are as long as FUSE allows; and a read of /proc/PID/cmdline hangs, since the lock of the
 * memory is held by a page fault of a file in FUSE, and somebody else waits for it.
 */
#include "case.h"

#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define BUFFER_SIZE (FUSE_MIN_READ_BUFFER * 32)
#define PAGE 4096
#define LONG_NAME 1000
#define LEVELS 4
#define VICTIMS 6
#define VICTIM_ARGS 15 /* more than a record has */
#define VICTIM_ENV "HOSTILE_FILE"
#define FILE_PREFIX "file"

static uint64_t last_node = FUSE_ROOT_ID + 1;
static int asked_pipe[2]; /* a number for each read that the server does not answer */

static void reply(int fd, const struct fuse_in_header *in, int error, const void *data, size_t len)
{
    struct fuse_out_header out = {.len = (uint32_t)(sizeof(out) + len), .error = error, .unique = in->unique};
    struct iovec parts[] = {{&out, sizeof(out)}, {(void *)data, len}};

    CHECK(writev(fd, parts, 2) > 0 || errno == ENOENT); /* the process that asked is gone */
}

static void attr__fill(struct fuse_attr *attr, uint64_t node, bool is_file)
{
    *attr = (struct fuse_attr){.ino = node, .mode = is_file ? S_IFREG | 0644 : S_IFDIR | 0755, .nlink = 2};
    attr->size = is_file ? PAGE : 0;
}

/* Each name is there: files begin with FILE_PREFIX, and have odd numbers. */
static void answer(int fd, const struct fuse_in_header *in, const void *body)
{
    struct fuse_entry_out entry = {.entry_valid = 1000, .attr_valid = 1000};
    struct fuse_attr_out attr = {.attr_valid = 1000};
    struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 65536};
    struct fuse_open_out opened = {0};
    bool is_file;

    switch (in->opcode) {
    case FUSE_INIT:
        reply(fd, in, 0, &init, sizeof(init));
        break;
    case FUSE_LOOKUP:
        is_file = !strncmp(body, FILE_PREFIX, strlen(FILE_PREFIX));
        last_node += 2;
        entry.nodeid = last_node | is_file;
        attr__fill(&entry.attr, entry.nodeid, is_file);
        reply(fd, in, 0, &entry, sizeof(entry));
        break;
    case FUSE_GETATTR:
        attr__fill(&attr.attr, in->nodeid, in->nodeid != FUSE_ROOT_ID && in->nodeid % 2);
        reply(fd, in, 0, &attr, sizeof(attr));
        break;
    case FUSE_OPEN:
    case FUSE_OPENDIR:
        reply(fd, in, 0, &opened, sizeof(opened));
        break;
    case FUSE_READ:
        number__send(asked_pipe[1], 1);
        break;
    case FUSE_FLUSH:
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
        reply(fd, in, 0, NULL, 0);
        break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
        break;
    default:
        reply(fd, in, -ENOSYS, NULL, 0);
    }
}

static void serve(void *arg)
{
    static char buffer[BUFFER_SIZE];
    int fd = *(int *)arg;

    for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) > 0 || errno == EINTR;) {
        if (n > 0)
            answer(fd, (void *)buffer, buffer + sizeof(struct fuse_in_header));
    }
}

static void load_module(void *unused)
{
    (void)unused;
    CHECK(!setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1));
    _exit(system("modprobe fuse 2>/dev/null") != 0);
}

/* --------------------------------------------------------------------- the tracer */

static void exec_traced(void *unused)
{
    static char *const argv[] = {"traced", "true-argument", NULL};

    (void)unused;
    CHECK(!ptrace(PTRACE_TRACEME, 0, NULL, NULL) && !raise(SIGSTOP));
    execve("/proc/self/exe", argv, child_env);
    CHECK(!"execve");
}

/* Write over the second argument, to which the third word of the new stack points. */
static void argument__forge(pid_t pid)
{
    FILE *stat;
    char path[64], line[2048];
    unsigned long long stack = 0;
    int field = 2;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    stat = fopen(path, "re");
    CHECK(stat && fgets(line, sizeof(line), stat) && !fclose(stat));
    for (char *at = strrchr(line, ')'); at && field < 28; field++) {
        at = strchr(at + 1, ' ');
        stack = strtoull(at, NULL, 10);
    }
    errno = 0;
    long first = ptrace(PTRACE_PEEKDATA, pid, stack + 8, NULL), second = ptrace(PTRACE_PEEKDATA, pid, stack + 16, NULL);

    CHECK(!errno && !ptrace(PTRACE_POKEDATA, pid, first, *(const long *)"forged!") &&
          !ptrace(PTRACE_POKEDATA, pid, second, *(const long *)"forged!"));
}

static void trace_exec(void)
{
    pid_t pid = child__start(exec_traced, NULL);
    int status;

    CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
    CHECK(!ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXEC) && !ptrace(PTRACE_CONT, pid, NULL, NULL));
    CHECK(waitpid(pid, &status, 0) == pid && status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8));
    argument__forge(pid);
    CHECK(!ptrace(PTRACE_CONT, pid, NULL, NULL) && child__wait(pid) == 0);
    fact__int("traced", pid);
}

/* -------------------------------------------------------------------- long names */

static void exec_plain(void *unused)
{
    static char *const argv[] = {"plain", NULL};

    (void)unused;
    execve("/proc/self/exe", argv, child_env);
    CHECK(!"execve");
}

static void exec_in_long_names(void *unused)
{
    char name[LONG_NAME + 1];

    memset(name, 'n', LONG_NAME);
    name[LONG_NAME] = '\0';
    for (int i = 0; i < LEVELS; i++)
        CHECK(!chdir(name));
    child__run(exec_plain, unused);
    exec_plain(unused);
}

/* ------------------------------------------------------------------------ victims */

static void *fault(void *page)
{
    char byte;
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

    pread(memory, &byte, 1, (off_t)(uintptr_t)page); /* holds the lock while the server is asked */
    return NULL;
}

static void *write_lock(void *unused)
{
    mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return unused;
}

/* The image: a read of its memory waits until the end. Not a constructor: it needs threads. */
static int victim(const char *path)
{
    pthread_t thread;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    void *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);

    if (file < 0 || page == MAP_FAILED || pthread_create(&thread, NULL, fault, page))
        return 1;
    int ready = atoi(strrchr(path, '.') + 1);
    char number[sizeof(pid_t)];

    if (read(ready, number, sizeof(number)) != sizeof(number) || pthread_create(&thread, NULL, write_lock, NULL))
        return 1;
    for (;;)
        pause();
}

static void exec_victim(void *arg)
{
    static char args[VICTIM_ARGS][2000];
    char *argv[VICTIM_ARGS + 1] = {NULL}, env[256], *envp[] = {env, NULL};

    for (int i = 0; i < VICTIM_ARGS; i++) {
        memset(args[i], 'a' + i, sizeof(args[i]) - 1);
        argv[i] = args[i];
    }
    snprintf(env, sizeof(env), VICTIM_ENV "=%s/" FILE_PREFIX "%d.%d", case_dir, *(int *)arg, asked_pipe[0]);
    CHECK(!fcntl(asked_pipe[0], F_SETFD, 0));
    execve("/proc/self/exe", argv, envp);
    CHECK(!"execve");
}

int main(void)
{
    const char *file = getenv(VICTIM_ENV);
    pid_t victims[VICTIMS];
    char options[100];

    if (file)
        return victim(file);
    fact__int("pid", getpid());
    case__dir();
    trace_exec();
    child__wait(child__start(load_module, NULL));
    int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (device < 0)
        case__skip("the kernel has no FUSE");
    snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
    CHECK(!pipe2(asked_pipe, O_CLOEXEC) && !mount("case", case_dir, "fuse", 0, options));
    pid_t server = child__start(serve, &device);

    CHECK(!chdir(case_dir));
    fact__int("in_long_names", child__run(exec_in_long_names, NULL));
    CHECK(!chdir("/"));
    for (int i = 0; i < VICTIMS; i++)
        victims[i] = child__start(exec_victim, &i);
    fact__array("victims");
    for (int i = 0; i < VICTIMS; i++)
        fact__int(NULL, victims[i]);
    fact__array_end();
    fact__int("afterwards", child__run(exec_plain, NULL));
    usleep(300000); /* they are looked at now, or not */
    fact__int("last", child__run(exec_plain, NULL));
    for (int i = 0; i < VICTIMS; i++)
        kill(victims[i], SIGKILL);
    kill(server, SIGKILL);
    child__wait(server);
    CHECK(!umount2(case_dir, MNT_FORCE | MNT_DETACH) && !close(device));
    for (int i = 0; i < VICTIMS; i++)
        child__wait(victims[i]);
    return facts__print();
}
