// SPDX-License-Identifier: BSD-2-Clause
/* test-trace-files.c - what is kept of files between records: directories, and operations of threads. */
#include <stdlib.h>

#include "Tracefs/TraceDirectories.h"
#include "Tracefs/TraceOps.h"
#include "check.h"

#define DENTRY UINT64_C(0xffff888012345680)
#define INODE 77

static struct trace_directories dirs;
static struct trace_ops ops;
static struct trace_path path;

/* A path of components that are separated by blanks, the leaf first. */
static struct slice components(const char *text)
{
    static char data[64];
    size_t len = strlen(text);

    for (size_t i = 0; i <= len; i++)
        data[i] = text[i] == ' ' ? '\0' : text[i];
    return (struct slice){data, len ? len + 1 : 0};
}

static bool is_known(uint64_t dentry, uint64_t inode, const char *name)
{
    struct slice found;
    uint16_t flags;

    return trace_directories__find(&dirs, dentry, inode, (struct slice){name, strlen(name)}, &found, &flags);
}

static void test_directories(void)
{
    struct slice found;
    uint16_t flags;

    trace_directories__learn(&dirs, DENTRY, INODE, components("b a"), 0);
    CHECK(trace_directories__find(&dirs, DENTRY, INODE, (struct slice){"b", 1}, &found, &flags));
    CHECK(found.len == 4 && !memcmp(found.data, "b\0a", 4) && !flags);
    /* the address is used again */
    CHECK(!is_known(DENTRY, INODE + 1, "b"));
    CHECK(!is_known(DENTRY, INODE, "bb") && !is_known(DENTRY, INODE, "a") && !is_known(DENTRY, INODE, ""));
    CHECK(!is_known(DENTRY + 64, INODE, "b"));
    /* less is not taken for more */
    trace_directories__learn(&dirs, DENTRY, INODE, components("b"), EBPF_VARLEN_TRUNCATED);
    CHECK(trace_directories__find(&dirs, DENTRY, INODE, (struct slice){"b", 1}, &found, &flags) && found.len == 4);
    trace_directories__learn(&dirs, DENTRY, INODE, components("c a"), 0);
    CHECK(is_known(DENTRY, INODE, "c") && !is_known(DENTRY, INODE, "b"));
    trace_directories__remove(&dirs, DENTRY, INODE);
    CHECK(!is_known(DENTRY, INODE, "c") && trace_directories__has_removed(&dirs, DENTRY, INODE));
    CHECK(!trace_directories__has_removed(&dirs, DENTRY, INODE + 1));
}

static void test_root_directory(void)
{
    trace_directories__learn(&dirs, DENTRY, INODE, components(""), 0);
    CHECK(is_known(DENTRY, INODE, "/") && !is_known(DENTRY, INODE, "a"));
    trace_directories__forget_all(&dirs);
    CHECK(!is_known(DENTRY, INODE, "/"));
}

static void op_begin(uint32_t tid, uint64_t time_ns)
{
    struct trace_op *op = trace_ops__get(&ops, tid);

    if (!CHECK(op))
        return;
    op->kind = TRACE_OP_CREATE;
    op->dentry = DENTRY;
    op->time_ns = time_ns;
}

static void test_ops(void)
{
    op_begin(1, 10);
    CHECK(trace_ops__find(&ops, 1, TRACE_OP_CREATE, DENTRY));
    CHECK(!trace_ops__find(&ops, 1, TRACE_OP_DELETE, DENTRY) && !trace_ops__find(&ops, 1, TRACE_OP_CREATE, DENTRY + 8));
    CHECK(!trace_ops__find(&ops, 1 + TRACE_OPS_SETS, TRACE_OP_CREATE, DENTRY));
    /* many threads at one place: the oldest of them is dropped, but first what has ended */
    for (uint32_t i = 1; i < TRACE_OPS_WAYS; i++)
        op_begin(1 + i * TRACE_OPS_SETS, 10 + i);
    trace_ops__get(&ops, 1 + 2 * TRACE_OPS_SETS)->kind = TRACE_OP_NONE;
    op_begin(1 + TRACE_OPS_WAYS * TRACE_OPS_SETS, 20);
    CHECK(trace_ops__find(&ops, 1, TRACE_OP_CREATE, DENTRY));
    op_begin(1 + (TRACE_OPS_WAYS + 1) * TRACE_OPS_SETS, 21);
    CHECK(!trace_ops__find(&ops, 1, TRACE_OP_CREATE, DENTRY));
    CHECK(trace_ops__find(&ops, 1 + TRACE_OPS_SETS, TRACE_OP_CREATE, DENTRY));
    CHECK(trace_ops__find(&ops, 1 + TRACE_OPS_WAYS * TRACE_OPS_SETS, TRACE_OP_CREATE, DENTRY));
    trace_ops__fini(&ops);
    CHECK(!trace_ops__find(&ops, 1 + TRACE_OPS_SETS, TRACE_OP_CREATE, DENTRY));
}

static void test_prepend(void)
{
    static const char text[] = "/a/b";

    trace_path__from_text(&path, text, strlen(text));
    trace_path__prepend(&path, "cd", 2);
    CHECK(path.len == 7 && !memcmp(path.data, "cd\0b\0a", 7) && !path.flags);
}

/* What is too long, or has too many components, loses those above. */
static void test_prepend_cut(void)
{
    char leaf[256];

    memset(leaf, 'x', sizeof(leaf));
    path.len = path.flags = 0;
    for (int i = 0; i < TRACE_COMPONENTS_MAX; i++)
        trace_path__prepend(&path, "a", 1);
    CHECK(path.len == 2 * TRACE_COMPONENTS_MAX && !path.flags);
    trace_path__prepend(&path, "b", 1);
    CHECK(path.len == 2 * TRACE_COMPONENTS_MAX && path.flags == EBPF_VARLEN_TRUNCATED && *path.data == 'b');
    path.len = path.flags = 0;
    for (int i = 0; i < 16; i++)
        trace_path__prepend(&path, leaf, sizeof(leaf) - 1);
    CHECK(path.len == EBPF_PATH_MAX && !path.flags);
    trace_path__prepend(&path, "b", 1);
    CHECK(path.len == 2 + 15 * sizeof(leaf) && path.flags == EBPF_VARLEN_TRUNCATED && *path.data == 'b');
}

static void test_to_text(void)
{
    static const char *const texts[] = {"/a/bc/d", "/a", ""};
    char text[EBPF_PATH_MAX + 1];

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        trace_path__from_text(&path, texts[i], strlen(texts[i]));
        trace_path__to_text(&path, text);
        CHECK_SAME(text, texts[i]);
    }
}

int main(void)
{
    test_directories();
    test_root_directory();
    test_ops();
    test_prepend();
    test_prepend_cut();
    test_to_text();
    return check__report();
}
