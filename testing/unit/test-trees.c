// SPDX-License-Identifier: BSD-2-Clause
/* test-trees.c - tree flags of the processes of this machine, with processes of the test's own. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "Bpf/Select/Trees.h"
#include "check.h"

#define KNOWN_IN (TREE_KNOWN | TREE_INCLUDED)
#define KNOWN_OUT (TREE_KNOWN | TREE_EXCLUDED)

static struct tree_chunk *table;
static uint32_t chunks;

static unsigned int entry(pid_t pid)
{
    return table[pid / TREE_CHUNK].entries[pid % TREE_CHUNK];
}

/* A child with a child of its own, both of which wait for their end. */
static pid_t begin_family(pid_t *ret_grandchild)
{
    int ends[2];

    if (pipe(ends))
        return -1;
    pid_t child = fork();

    if (!child) {
        pid_t grandchild = fork();

        if (grandchild && write(ends[1], &grandchild, sizeof(grandchild)) != sizeof(grandchild))
            _exit(1);
        pause();
        _exit(0);
    }
    CHECK(read(ends[0], ret_grandchild, sizeof(*ret_grandchild)) == sizeof(*ret_grandchild));
    close(ends[0]);
    close(ends[1]);
    return child;
}

static void end_family(pid_t child, pid_t grandchild)
{
    kill(grandchild, SIGKILL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void test_descendants(void)
{
    pid_t grandchild = 0, child = begin_family(&grandchild), self = getpid();
    struct ebpf_condition c[] = {{.kind = EBPF_SELECT_TREE, .id = (uint32_t)child},
                                 {.kind = EBPF_SELECT_TREE, .id = (uint32_t)grandchild, .exclude = true},
                                 {.kind = EBPF_SELECT_PID, .id = (uint32_t)self}};

    if (!CHECK(child > 0 && grandchild > 0))
        return;
    CHECK(!trees__mark(table, chunks, c, 1));
    CHECK(entry(child) == KNOWN_IN && entry(grandchild) == KNOWN_IN && entry(self) == TREE_KNOWN);
    CHECK(!trees__mark(table, chunks, c, 2)); /* the tree within a tree has a flag of its own */
    CHECK(entry(child) == KNOWN_IN && entry(grandchild) == KNOWN_OUT);
    c[0].exclude = true;
    CHECK(!trees__mark(table, chunks, c, 1));
    CHECK(entry(child) == KNOWN_OUT && entry(grandchild) == KNOWN_OUT);
    CHECK(!trees__mark(table, chunks, c + 2, 1)); /* not about a tree */
    CHECK(entry(child) == TREE_KNOWN && entry(self) == TREE_KNOWN);
    end_family(child, grandchild);
}

int main(void)
{
    chunks = trees__chunk_count();
    table = calloc(chunks, sizeof(*table));
    if (CHECK(table))
        test_descendants();
    free(table);
    return check__report();
}
