/* SPDX-License-Identifier: BSD-2-Clause */
/* A harmless kernel module: loaded by file, from memory, by an orphan and by a 32-bit caller; and refused loads. */
#include "case.h"

#include <ctype.h>

#define MODULE "/lib/harmless.ko"
#define NO_DEVICES "numdummies=0"
#define INT80_FINIT_MODULE 350
#define COMPRESSED_FILE 4

static char name[64];
static int file;
static int pid_pipe[2];
static const char parameters[] = NO_DEVICES;

/* The module's name is that of the file behind the link, with '_' for '-'. */
static void name__find(void)
{
    char target[256] = "";

    CHECK(readlink(MODULE, target, sizeof(target) - 1) > 0 || errno == EINVAL);
    const char *base = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
    size_t len = strcspn(base, ".");

    CHECK(len > 0 && len < sizeof(name));
    for (size_t i = 0; i < len; i++)
        name[i] = base[i] == '-' ? '_' : base[i];
}

/* Return what the kernel shows of the loaded module; empty if the module does not state it. */
static void fact__attribute(const char *attribute)
{
    char path[256], value[128] = "";
    FILE *stream;

    snprintf(path, sizeof(path), "/sys/module/%s/%s", name, attribute);
    stream = fopen(path, "re");
    if (stream) {
        CHECK(fgets(value, sizeof(value), stream));
        value[strcspn(value, "\n")] = '\0';
        fclose(stream);
    }
    fact__str(attribute, value);
}

static void unload(void)
{
    CHECK(!syscall(SYS_delete_module, name, O_NONBLOCK));
}

static void load_file(void *unused)
{
    (void)unused;
    CHECK(!setresgid(1, 2, 3));
    CHECK(!syscall(SYS_finit_module, file, parameters, 0));
}

static void load_memory(void *unused)
{
    static char image[4 << 20];
    ssize_t len = pread(file, image, sizeof(image), 0);

    (void)unused;
    CHECK(len > 0 && !syscall(SYS_init_module, image, len, parameters));
}

/* A copy that looks out of tree and unsigned: without the mark of each. */
static void load_tainted(void *unused)
{
    static const char in_tree[] = "intree=Y", mark[] = "~Module signature appended~\n";
    static char image[4 << 20];
    ssize_t len = pread(file, image, sizeof(image), 0);
    size_t mark_len = sizeof(mark) - 1;

    (void)unused;
    char *found = len > 0 ? memmem(image, len, in_tree, sizeof(in_tree) - 1) : NULL;

    CHECK(found);
    *found = 'I';
    if (!memcmp(image + len - mark_len, mark, mark_len))
        len -= mark_len;
    CHECK(!syscall(SYS_init_module, image, len, parameters));
}

static void *load_in_thread(void *unused)
{
    load_file(unused);
    return NULL;
}

static void load_by_thread(void *unused)
{
    thread__run(load_in_thread, unused);
}

static void load_int80(void *unused)
{
    (void)unused;
    CHECK(int80(INT80_FINIT_MODULE, file, (long)parameters, 0, 0) == 0);
}

/* Loads as a child of process 1, after its parent has ended. */
static void load_orphaned(void *arg)
{
    struct gate *parent_alive = arg;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid)
        return;
    gate__wait(parent_alive);
    CHECK(getppid() == 1);
    load_file(NULL);
    number__send(pid_pipe[1], getpid());
}

static pid_t run_orphaned(void)
{
    struct gate parent_alive;

    gate__init(&parent_alive);
    child__run(load_orphaned, &parent_alive);
    gate__open(&parent_alive);
    return number__receive(pid_pipe[0]);
}

/* Garbage, and a module that is already loaded. */
static void refused(void *unused)
{
    static char garbage[8192] = "\177ELF";

    (void)unused;
    CHECK(syscall(SYS_init_module, garbage, sizeof(garbage), "") == -1 && errno == ENOEXEC);
    CHECK(syscall(SYS_finit_module, file, parameters, 0) == -1 && errno == EEXIST);
    CHECK(syscall(SYS_finit_module, file, parameters, COMPRESSED_FILE) == -1); /* it is not */
}

int main(void)
{
    file = open(MODULE, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        case__skip("there is no module " MODULE);
    name__find();
    CHECK(!pipe2(pid_pipe, O_CLOEXEC));
    fact__int("pid", getpid());
    fact__str("name", name);
    fact__int("by_file", child__run(load_file, NULL));
    fact__attribute("version");
    fact__attribute("srcversion");
    fact__attribute("taint");
    fact__int("refused", child__run(refused, NULL));
    unload();
    fact__int("orphan", run_orphaned());
    unload();
    fact__int("from_memory", child__run(load_memory, NULL));
    unload();
    fact__int("tainted", child__run(load_tainted, NULL));
    fact__object("tainted_module");
    fact__attribute("taint");
    fact__object_end();
    unload();
    fact__int("by_thread", child__run(load_by_thread, NULL));
    unload();
    if (int80__available()) {
        fact__int("by_int80", child__run(load_int80, NULL));
        unload();
    }
    return facts__print();
}
