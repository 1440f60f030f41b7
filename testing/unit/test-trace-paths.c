// SPDX-License-Identifier: BSD-2-Clause
/* test-trace-paths.c - paths put together from fetched names, mounts and /proc. */
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "Tracefs/TracePaths.h"
#include "check.h"

#define NOBODY 0x7fffffffu /* no process has this id */

enum { MOUNT_ROOT = 20, MOUNT_DATA = 30, MOUNT_BIND = 35, MOUNT_DEEP = 36, MOUNT_UNKNOWN = 33 };

static struct trace_mounts mounts;
static struct trace_path path;

static void add_mount(int id, const char *root, const char *point)
{
    mounts.all[mounts.count++] = (struct trace_mount){.id = id, .root = strdup(root), .point = strdup(point)};
}

static void fill_mounts(void)
{
    mounts = (struct trace_mounts){.all = calloc(8, sizeof(*mounts.all)), .room = 8, .fd = -1};
    if (!mounts.all)
        abort();
    add_mount(MOUNT_ROOT, "/", "/");
    add_mount(MOUNT_DATA, "/", "/mnt/data");
    add_mount(MOUNT_BIND, "/sub/dir", "/bind");
    add_mount(MOUNT_DEEP, "/sub", "/a b/c");
}

/* The path as text, from the root. */
static const char *path_text(void)
{
    static char text[EBPF_PATH_MAX + 1];
    struct slice rest = {path.data, path.len}, component;
    size_t len = 0;

    while (slice__last_component(&rest, &component)) {
        text[len++] = '/';
        memcpy(text + len, component.data, component.len);
        len += component.len;
    }
    text[len] = '\0';
    return text;
}

/* The names of a text, separated by blanks, the leaf first. */
static struct trace_names names_of(int mount, const char *text)
{
    struct trace_names names = {.mount = mount, .tgid = NOBODY, .link = "cwd"};

    for (int i = 0; i < TRACE_NAMES_MAX && *text; i++) {
        size_t len = strcspn(text, " ");

        names.of[i] = (struct slice){text, len};
        text += len + strspn(text + len, " ");
    }
    return names;
}

static void test_from_text(void)
{
    static const struct {
        const char *text, *data;
        uint32_t len;
    } rows[] = {
        {"/a/bc", "bc\0a", 5},
        {"/a/bc/", "bc\0a", 5},
        {"//a//bc", "bc\0a", 5},
        {"a/bc", "bc\0a", 5},
        {"/usr/bin/x", "x\0bin\0usr", 10},
        {"/", "", 0},
        {"", "", 0},
        {"///", "", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        path = (struct trace_path){.len = 77, .flags = EBPF_VARLEN_DELETED};
        trace_path__from_text(&path, rows[i].text, strlen(rows[i].text));
        CHECK(path.len == rows[i].len && !path.flags && !memcmp(path.data, rows[i].data, path.len));
    }
    trace_path__from_text(&path, "/a/bcd", 5);
    CHECK_SAME(path_text(), "/a/bc");
}

/* What does not fit is flagged. */
static void test_long_text(void)
{
    char text[EBPF_PATH_MAX + 2];

    for (size_t i = 0; i < sizeof(text); i += 2)
        memcpy(text + i, "/x", 2);
    trace_path__from_text(&path, text, EBPF_PATH_MAX);
    CHECK(path.len == EBPF_PATH_MAX && !path.flags);
    trace_path__from_text(&path, text, EBPF_PATH_MAX + 2);
    CHECK(path.len == EBPF_PATH_MAX && path.flags == EBPF_VARLEN_TRUNCATED);
    memset(text + 1, 'x', sizeof(text) - 1);
    trace_path__from_text(&path, text, EBPF_PATH_MAX);
    CHECK(path.len == EBPF_PATH_MAX && !path.flags);
    trace_path__from_text(&path, text, EBPF_PATH_MAX + 1);
    CHECK(path.len == 0 && path.flags == EBPF_VARLEN_TRUNCATED);
}

static void test_cut_root(void)
{
    static const struct {
        const char *path, *root, *rest; /* rest: NULL if it does not begin there */
    } rows[] = {
        {"/a/b/c", "/a", "/b/c"}, {"/a/b/c", "/a/b/c", ""}, {"/a/b/c", "/", "/a/b/c"}, {"/", "/", ""},
        {"/a/b/c", "/b", NULL},   {"/a/b/c", "/a/c", NULL}, {"/a/b", "/a/b/c", NULL},  {"/ab/c", "/b", NULL},
        {"/ab/c", "/a", NULL},    {"/a/b/c", "/c", NULL},   {"", "/a", NULL},          {"/a/xb/c", "/a/b", NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        static struct trace_path root;

        trace_path__from_text(&path, rows[i].path, strlen(rows[i].path));
        trace_path__from_text(&root, rows[i].root, strlen(rows[i].root));
        CHECK(trace_path__cut_root(&path, &root) == !!rows[i].rest);
        CHECK_SAME(path_text(), rows[i].rest ? rows[i].rest : rows[i].path);
    }
}

static void test_mounts(void)
{
    static const struct {
        int mount;
        const char *names, *text;
        uint16_t flags;
    } rows[] = {
        {MOUNT_ROOT, "c b a /", "/a/b/c", 0},
        {MOUNT_ROOT, "a /", "/a", 0},
        {MOUNT_ROOT, "/", "", 0},
        {MOUNT_DATA, "c b /", "/mnt/data/b/c", 0},
        {MOUNT_DATA, "/", "/mnt/data", 0},
        {MOUNT_BIND, "f dir sub /", "/bind/f", 0},
        {MOUNT_BIND, "dir sub /", "/bind", 0},
        {MOUNT_DEEP, "f dir sub /", "/a b/c/dir/f", 0},
        {MOUNT_UNKNOWN, "c b a /", "/a/b/c", EBPF_VARLEN_UNREACHABLE},
        {MOUNT_UNKNOWN, "memfd /", "/memfd", EBPF_VARLEN_UNREACHABLE},
        {MOUNT_UNKNOWN, "d c b a", "/a/b/c/d", EBPF_VARLEN_TRUNCATED},
        {MOUNT_ROOT, "d c b a", "/a/b/c/d", EBPF_VARLEN_TRUNCATED},
        {MOUNT_DATA, "b a", "/a/b", EBPF_VARLEN_TRUNCATED},
        {MOUNT_UNKNOWN, "memfd:x", "/memfd:x", EBPF_VARLEN_NAME_ONLY},
        {MOUNT_UNKNOWN, "memfd:x memfd:x memfd:x memfd:x", "/memfd:x", EBPF_VARLEN_NAME_ONLY},
        {MOUNT_ROOT, "memfd:x a /", "/a/memfd:x", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct trace_names names = names_of(rows[i].mount, rows[i].names);

        path = (struct trace_path){.len = 99, .flags = EBPF_VARLEN_DELETED};
        trace_path__build(&path, &mounts, &names);
        CHECK_SAME(path_text(), rows[i].text);
        CHECK(path.flags == rows[i].flags);
    }
    /* Something above the directory that the mount shows is not below its place. */
    const struct trace_names outside = names_of(MOUNT_BIND, "f other sub /");

    trace_path__build(&path, &mounts, &outside);
    CHECK(path.flags == EBPF_VARLEN_UNREACHABLE);
}

static void build_own(const char *text, const char *link)
{
    struct trace_names names = names_of(MOUNT_ROOT, text);

    names.tgid = (uint32_t)getpid();
    names.link = link;
    trace_path__build(&path, &mounts, &names);
}

static void check_own(const char *names, const char *want, uint16_t flags)
{
    build_own(names, "cwd");
    CHECK_SAME(path_text(), want);
    CHECK(path.flags == flags);
}

static void test_exe(void)
{
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    if (!CHECK(len > 0))
        return;
    exe[len] = '\0';
    build_own(strrchr(exe, '/') + 1, "exe");
    CHECK_SAME(path_text(), exe);
    CHECK(!path.flags);
    build_own(strrchr(exe, '/') + 1, "cwd");
    CHECK(path.flags == EBPF_VARLEN_TRUNCATED);
}

/* More names than a probe fetches: /proc has the rest, if it ends in what was fetched. */
static void test_own_process(void)
{
    static const char *const below[] = {"one", "two", "three", "four", "five", "six"};
    char top[] = "/tmp/test-trace-paths.XXXXXX", before[PATH_MAX], whole[PATH_MAX];
    bool ok = getcwd(before, sizeof(before)) && mkdtemp(top) && !chdir(top);

    for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++)
        ok = ok && !mkdir(below[i], 0700) && !chdir(below[i]);
    if (!CHECK(ok && getcwd(whole, sizeof(whole))))
        return;
    check_own("six five four three", whole, 0);
    check_own("six", whole, 0);
    check_own("six five four two", "/two/four/five/six", EBPF_VARLEN_TRUNCATED);
    check_own("ix five four three", "/three/four/five/ix", EBPF_VARLEN_TRUNCATED);
    check_own("six five four thre", "/thre/four/five/six", EBPF_VARLEN_TRUNCATED);
    check_own("five four three two", "/two/three/four/five", EBPF_VARLEN_TRUNCATED);
    check_own("six five /", "/five/six", 0);
    build_own("six five four three", "no-such-link");
    CHECK(path.flags == EBPF_VARLEN_TRUNCATED);
    CHECK(!rmdir("../six"));
    check_own("six five four three", whole, EBPF_VARLEN_DELETED);
    CHECK(!chdir(top) && !rmdir("one/two/three/four/five") && !rmdir("one/two/three/four"));
    CHECK(!rmdir("one/two/three") && !rmdir("one/two") && !rmdir("one") && !chdir(before) && !rmdir(top));
}

/* Each line of this process' mountinfo is found; mounts that are not in the table are read from the process. */
static void check_own_mounts(struct trace_mounts *table, uint32_t tgid)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[4 * PATH_MAX], root[PATH_MAX], point[PATH_MAX];
    int id, seen = 0;

    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%d %*d %*s %4095s %4095s", &id, root, point) != 3 || strchr(root, '\\') ||
            strchr(point, '\\'))
            continue;
        const struct trace_mount *mount = trace_mounts__find(table, id, tgid);

        if (CHECK(mount && mount->id == id)) {
            CHECK_SAME(mount->root, root);
            CHECK_SAME(mount->point, point);
        }
        seen++;
    }
    CHECK(seen > 0);
    for (size_t i = 1; i < table->count; i++)
        CHECK(table->all[i - 1].id < table->all[i].id);
    if (file)
        fclose(file);
}

static void test_own_mounts(void)
{
    struct trace_mounts own, empty = {.fd = -1};

    CHECK(trace_mounts__init(&own) == 0);
    check_own_mounts(&own, NOBODY);
    CHECK(!trace_mounts__find(&own, INT_MAX, NOBODY) && !trace_mounts__find(&own, -1, NOBODY));
    trace_mounts__fini(&own);
    CHECK(!own.all && !own.count);
    check_own_mounts(&empty, (uint32_t)getpid());
    trace_mounts__fini(&empty);
}

int main(void)
{
    fill_mounts();
    test_from_text();
    test_long_text();
    test_cut_root();
    test_mounts();
    test_exe();
    test_own_process();
    test_own_mounts();
    trace_mounts__fini(&mounts);
    return check__report();
}
