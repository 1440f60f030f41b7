// SPDX-License-Identifier: BSD-2-Clause
/* test-select.c - conditions as lists, and invalid ones. */
#include <dlfcn.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "Bpf/Select/Resolve.h"
#include "Bpf/Select/Selection.h"
#include "check.h"

static struct selection built;
static int messages;
static bool seems_mounted; /* cgroups (v2), whatever is mounted there */

/* Replaces that of the C library. */
int statfs(const char *path, struct statfs *ret_fs)
{
    int (*real)(const char *, struct statfs *) = (int (*)(const char *, struct statfs *))dlsym(RTLD_NEXT, "statfs");
    int err = real(path, ret_fs);

    if (seems_mounted && !strcmp(path, "/sys/fs/cgroup")) {
        ret_fs->f_type = CGROUP2_SUPER_MAGIC;
        return 0;
    }
    return err;
}

static void on_log(void *user, enum ebpf_log_level level, const char *format, va_list args)
{
    (void)user, (void)level, (void)format, (void)args;
    messages++;
}

static int build(const struct ebpf_condition *conditions, size_t count)
{
    const struct ebpf_log log = {.fn = on_log};

    messages = 0;
    return selection__build(&built, conditions, count, &log);
}

static void test_none(void)
{
    CHECK(!build(NULL, 0) && !built.kinds && !messages);
    CHECK(built.include.pids[0] == SELECT_NO_ID && built.exclude.uids[SELECT_VALUES - 1] == SELECT_NO_ID);
    CHECK(built.include.comms[0][0] == UINT64_MAX && !built.include.path_lens[0] && !built.include.cgroups[0]);
}

static void test_all_kinds(void)
{
    const struct ebpf_condition conditions[] = {
        {.kind = EBPF_SELECT_PID, .id = 7},
        {.kind = EBPF_SELECT_PID, .id = 8, .exclude = true},
        {.kind = EBPF_SELECT_PID, .id = 9},
        {.kind = EBPF_SELECT_UID, .id = 0},
        {.kind = EBPF_SELECT_COMM, .text = "fifteen-bytes-x"},
        {.kind = EBPF_SELECT_CONTAINER, .exclude = true},
        {.kind = EBPF_SELECT_TREE, .id = 5},
    };
    char comm[16] = "fifteen-bytes-x";

    CHECK(!build(conditions, sizeof(conditions) / sizeof(*conditions)) && !messages);
    CHECK(built.include.pids[0] == 7 && built.include.pids[1] == 9 && built.include.pids[2] == SELECT_NO_ID);
    CHECK(built.exclude.pids[0] == 8 && built.include.uids[0] == 0);
    CHECK(!memcmp(built.include.comms[0], comm, sizeof(comm)));
    CHECK(built.include.kinds == (1u << SELECT_PID | 1u << SELECT_UID | 1u << SELECT_COMM | 1u << SELECT_TREE));
    CHECK(built.exclude.kinds == (1u << SELECT_PID | 1u << SELECT_CONTAINER));
    CHECK(built.kinds == (built.include.kinds | built.exclude.kinds));
}

/* Leaf first, as paths in records are. */
static void test_paths(void)
{
    static const struct {
        const char *path, *turned;
        uint32_t len;
    } paths[] = {
        {"/etc", "etc\0", 4},
        {"/etc/cron.d", "cron.d\0etc\0", 11},
        {"//etc///cron.d//", "cron.d\0etc\0", 11},
        {"/a/b/c", "c\0b\0a\0", 6},
    };

    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        struct ebpf_condition c = {.kind = EBPF_SELECT_PATH, .text = paths[i].path};

        CHECK(!build(&c, 1) && built.include.path_lens[0] == paths[i].len);
        CHECK(!memcmp(built.include.paths[0], paths[i].turned, paths[i].len));
    }
}

/* The paths into which a condition was resolved, one after the other. */
static bool path__is(size_t n, const char *path)
{
    char turned[SELECT_PATH_MAX] = {0};
    size_t len = 0;

    for (size_t end = strlen(path); end;) {
        size_t start = end;

        while (path[start - 1] != '/')
            start--;
        memcpy(turned + len, path + start, end - start);
        len += end - start + 1;
        end = start - 1;
    }
    return built.include.path_lens[n] == len && !memcmp(built.include.paths[n], turned, sizeof(turned));
}

static char *below(const char *directory, const char *name)
{
    static char texts[4][4096];
    static unsigned int next;

    next = (next + 1) % 4;
    snprintf(texts[next], sizeof(texts[next]), "%s%s", directory, name);
    return texts[next];
}

/* Events have paths without links and dots. */
static void test_links(void)
{
    static const struct {
        const char *name, *path, *target;
        int messages;
    } rows[] = {
        {"/real/.//./x/", "/real/x", NULL, 0},
        {"/real/../real/y", "/real/y", NULL, 0},
        {"/link/file", "/real/file", NULL, 1},
        {"/link", "/link", "/real", 1},
        {"/link/..", NULL, NULL, 0},
        {"/nowhere", "/nowhere", NULL, 1},
        {"/real/star*", "/real/star*", NULL, 0},
    };
    static const char *const wrong[] = {"/real/*.c", "/re?l", "/real/[a]", "/none/../x", "/nowhere/x"};
    char directory[] = "/tmp/test-select-XXXXXX", real[4096];

    CHECK(mkdtemp(directory) && realpath(directory, real));
    CHECK(!mkdir(below(real, "/real"), 0700) && !symlink("real", below(real, "/link")));
    CHECK(!symlink("none", below(real, "/nowhere")) && !mkdir(below(real, "/real/star*"), 0700));
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct ebpf_condition c = {.kind = EBPF_SELECT_PATH, .text = below(real, rows[i].name)};

        CHECK(!build(&c, 1) && messages == (rows[i].path ? rows[i].messages : 1));
        CHECK(path__is(0, rows[i].path ? below(real, rows[i].path) : real));
        CHECK(rows[i].target ? path__is(1, below(real, rows[i].target)) : !built.include.path_lens[1]);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct ebpf_condition c = {.kind = EBPF_SELECT_PATH, .text = below(real, wrong[i])};

        CHECK(build(&c, 1) == -EINVAL && messages == 1);
    }
    CHECK(!rmdir(below(real, "/real/star*")) && !unlink(below(real, "/nowhere")));
    CHECK(!unlink(below(real, "/link")) && !rmdir(below(real, "/real")) && !rmdir(real));
}

/* If cgroups are mounted; otherwise only that can be tested. */
static void test_cgroups(void)
{
    static const struct {
        const char *text, *path;
        int level;
    } rows[] = {
        {"/", "", 0},
        {"/a/b", "/a/b", 2},
        {"a", "/a", 1},
        {"/a/./b/../c//", "/a/c", 2},
        {"/..", NULL, -1},
        {"/a/../..", NULL, -1},
        {"/a*", NULL, -1},
        {"/tmp", NULL, -1},
        {".", NULL, -1},
        {"..", NULL, -1},
        {"/cgroup.procs", NULL, -1},
        {"/proc/self/root/tmp", NULL, -1},
    };
    char path[CGROUP_PATH_MAX];
    const char *why = NULL;
    bool has_cgroups = cgroup__resolve("/", path, &why) == 0;

    CHECK(has_cgroups || strstr(why, "no cgroup v2 is mounted"));
    for (size_t i = 0; has_cgroups && i < sizeof(rows) / sizeof(*rows); i++) {
        CHECK(cgroup__resolve(rows[i].text, path, &why) == rows[i].level);
        CHECK(!rows[i].path || !strcmp(path, rows[i].path));
    }
}

/* Depth of a cgroup below the root: the probes compare a process' own cgroup of that level. */
static void test_cgroup_levels(void)
{
    struct ebpf_condition c = {.kind = EBPF_SELECT_CGROUP, .text = "/test-select-a/b"};

    seems_mounted = true;
    if (build(&c, 1) == -EOPNOTSUPP)
        return; /* in a cgroup namespace, filters by cgroup are refused */
    CHECK(!build(&c, 1) && built.include.cgroup_is_set[0] && built.include.cgroup_levels[0] == 2);
    CHECK_SAME((const char *)built.include.cgroup_paths[0], "/test-select-a/b");
    c.text = "/";
    c.exclude = true;
    CHECK(!build(&c, 1) && built.exclude.cgroup_is_set[0] && built.exclude.cgroup_levels[0] == 0);
    CHECK(built.exclude.kinds == 1u << SELECT_CGROUP && !built.include.kinds);
    seems_mounted = false;
}

static void test_refused(void)
{
    static char long_path[400];
    const struct ebpf_condition wrong[] = {
        {.kind = EBPF_SELECT_COMM, .text = ""},
        {.kind = EBPF_SELECT_COMM, .text = "sixteen-bytes-xx"},
        {.kind = EBPF_SELECT_COMM},
        {.kind = EBPF_SELECT_PATH, .text = "etc"},
        {.kind = EBPF_SELECT_PATH, .text = ""},
        {.kind = EBPF_SELECT_PATH, .text = "/"},
        {.kind = EBPF_SELECT_PATH, .text = long_path},
        {.kind = (enum ebpf_select_kind)99, .id = 1},
    };
    struct selection before = built;

    memset(long_path, 'a', sizeof(long_path) - 1);
    long_path[0] = '/';
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        CHECK(build(&wrong[i], 1) == -EINVAL && messages == 1);
    CHECK(!memcmp(&before, &built, sizeof(before)));
}

static void test_too_many(void)
{
    struct ebpf_condition conditions[SELECT_VALUES + 1];

    for (uint32_t i = 0; i <= SELECT_VALUES; i++)
        conditions[i] = (struct ebpf_condition){.kind = EBPF_SELECT_UID, .id = i, .text = "/x"};
    CHECK(!build(conditions, SELECT_VALUES) && !messages);
    CHECK(build(conditions, SELECT_VALUES + 1) == -EINVAL && messages == 1);
    for (int i = 0; i <= SELECT_TEXTS; i++)
        conditions[i].kind = EBPF_SELECT_PATH;
    CHECK(!build(conditions, SELECT_TEXTS) && !messages);
    CHECK(build(conditions, SELECT_TEXTS + 1) == -EINVAL && messages == 1);
}

/* Tested without a search of the lists: a single condition on the actor. */
static void test_quick(void)
{
    struct ebpf_condition c[] = {{.kind = EBPF_SELECT_COMM, .text = "load", .exclude = true},
                                 {.kind = EBPF_SELECT_PATH, .text = "/etc"},
                                 {.kind = EBPF_SELECT_UID, .id = 7}};
    char name[16] = "load", mask[16] = {-1, -1, -1, -1, -1};

    CHECK(!build(c, 2) && built.quick.kinds == 1u << SELECT_COMM && built.quick.excludes);
    CHECK(!memcmp(built.quick.value, name, sizeof(name)) && !memcmp(built.quick.mask, mask, sizeof(mask)));
    CHECK(!build(c, 3) && !built.quick.kinds);
    CHECK(!build(c + 1, 1) && !built.quick.kinds);
    CHECK(!build(c + 1, 2) && built.quick.kinds == 1u << SELECT_UID && !built.quick.excludes);
    CHECK(built.quick.value[0] == 7 && built.quick.mask[0] == UINT64_MAX);
    c[0] = (struct ebpf_condition){.kind = EBPF_SELECT_UID, .id = 8};
    CHECK(!build(c, 3) && !built.quick.kinds);
    c[2] = (struct ebpf_condition){.kind = EBPF_SELECT_PID, .id = 9, .exclude = true};
    CHECK(!build(c + 2, 1) && built.quick.kinds == 1u << SELECT_PID && built.quick.excludes);
    CHECK(!build(c + 2, 1) && built.quick.value[0] == 9);
    c[2] = (struct ebpf_condition){.kind = EBPF_SELECT_COMM, .text = "fifteen-bytes-x"};
    CHECK(!build(c + 2, 1) && built.quick.mask[1] == UINT64_MAX);
}

int main(void)
{
    test_none();
    test_quick();
    test_all_kinds();
    test_paths();
    test_links();
    test_cgroups();
    test_cgroup_levels();
    test_refused();
    test_too_many();
    return check__report();
}
