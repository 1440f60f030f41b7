// SPDX-License-Identifier: BSD-2-Clause
/* test-trace-select.c - conditions that are applied in user space: what passes, what is refused, which processes. */
#include <errno.h>
#include <stdlib.h>

#include "Tracefs/TraceSelect.h"
#include "check.h"

/* A family of processes that are not there, above the kernel's maximum of 2^22. */
enum { FATHER = 5000001, CHILD, GRANDCHILD, STRANGER, LATER, ABSENT = 6000000 };

#define START_NS UINT64_C(123456789012347)

static struct processes table;
static struct trace_selection selection;
static int errors, warnings;

static void on_log(void *user, enum ebpf_log_level level, const char *format, va_list args)
{
    (void)user, (void)format, (void)args;
    errors += level == EBPF_LOG_ERROR;
    warnings += level == EBPF_LOG_WARNING;
}

static const struct ebpf_log test_log = {.fn = on_log};

static int set(const struct ebpf_condition *conditions, size_t count)
{
    errors = warnings = 0;
    return trace_selection__set(&selection, &table, conditions, count, &test_log);
}

static struct process *process(uint32_t tgid)
{
    return processes__find(&table, tgid);
}

static void add_process(uint32_t tgid, uint32_t ppid, const char *cgroup)
{
    struct process *p = processes__get(&table, tgid, START_NS, process(ppid));

    if (!p)
        abort();
    p->pids.ppid = ppid;
    process__set_cgroup(p, cgroup, strlen(cgroup));
}

static void fill_table(void)
{
    if (processes__init(&table))
        abort();
    add_process(FATHER, 1, "/a/b");
    add_process(CHILD, FATHER, "/a/b");
    add_process(GRANDCHILD, CHILD, "/a/b/c");
    add_process(STRANGER, 1, "/a/bc");
}

static bool passes_as(uint32_t tgid, uint32_t uid, const char *comm)
{
    char name[EBPF_COMM_LEN] = "";

    memcpy(name, comm, strnlen(comm, sizeof(name)));
    const struct trace_actor actor = {
        .process = process(tgid),
        .uid = uid,
        .comm = name,
        .ns = {.pid = selection.host_pid_ns, .mnt = selection.host_mnt_ns},
    };

    return trace_selection__passes(&selection, &actor);
}

static bool passes(uint32_t tgid)
{
    return passes_as(tgid, 0, "sh");
}

/* Bit n: the n-th process of the family passes. */
static unsigned int passing(void)
{
    unsigned int bits = 0;

    for (uint32_t i = 0; i < 4; i++)
        bits |= (unsigned int)passes(FATHER + i) << i;
    return bits;
}

/* Set one condition, and the opposite one, and compare which processes of the family pass. */
static void check_family(struct ebpf_condition c, unsigned int want)
{
    CHECK(set(&c, 1) == 0 && !errors && passing() == want);
    c.exclude = true;
    CHECK(set(&c, 1) == 0 && !errors && passing() == (~want & 15));
}

static void test_family(void)
{
    check_family((struct ebpf_condition){.kind = EBPF_SELECT_PID, .id = FATHER}, 1);
    check_family((struct ebpf_condition){.kind = EBPF_SELECT_PID, .id = GRANDCHILD}, 4);
    check_family((struct ebpf_condition){.kind = EBPF_SELECT_TREE, .id = FATHER}, 7);
    check_family((struct ebpf_condition){.kind = EBPF_SELECT_TREE, .id = CHILD}, 6);
    check_family((struct ebpf_condition){.kind = EBPF_SELECT_TREE, .id = STRANGER}, 8);
    check_family((struct ebpf_condition){.kind = EBPF_SELECT_CONTAINER}, 0);
    CHECK(set(NULL, 0) == 0 && passing() == 15);
}

static void test_cgroups(void)
{
    static const struct {
        const char *text;
        unsigned int passing;
    } rows[] = {
        {"/a/b", 7},
        {"/a/b/", 7},
        {"/a/b//", 7},
        {"/a/b/c", 4},
        {"/a/bc", 8},
        {"/a", 15},
        {"/", 15},
        {"/b", 0},
        {"/a/b/cd", 0},
        {"a/b", 0},
        {"/sys/fs/cgroup/a/b", 7},
        {"/sys/fs/cgroup", 15},
        {"/sys/fs/cgroup/", 15},
        {"/sys/fs/cgroups/a/b", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        check_family((struct ebpf_condition){.kind = EBPF_SELECT_CGROUP, .text = rows[i].text}, rows[i].passing);
    const struct ebpf_condition c = {.kind = EBPF_SELECT_CGROUP, .text = "/"};

    CHECK(set(&c, 1) == 0 && !passes(ABSENT));
    /* Only a whole component is the place where cgroups are mounted. */
    process__set_cgroup(process(STRANGER), "s/a", strlen("s/a"));
    check_family((struct ebpf_condition){.kind = EBPF_SELECT_CGROUP, .text = "/sys/fs/cgroups/a"}, 0);
    process__set_cgroup(process(STRANGER), "/a/bc", strlen("/a/bc"));
}

static void test_threads(void)
{
    const struct ebpf_condition uid = {.kind = EBPF_SELECT_UID, .id = 1000};
    const struct ebpf_condition comm[] = {{.kind = EBPF_SELECT_COMM, .text = "cat"},
                                          {.kind = EBPF_SELECT_COMM, .text = "fifteen-letters"}};
    const struct ebpf_condition no_cat = {.kind = EBPF_SELECT_COMM, .text = "cat", .exclude = true};

    CHECK(set(&uid, 1) == 0 && passes_as(CHILD, 1000, "sh") && !passes_as(CHILD, 1001, "sh"));
    CHECK(passes_as(ABSENT, 1000, "sh")); /* no process is needed for it */
    CHECK(set(comm, 2) == 0 && passes_as(CHILD, 0, "cat") && passes_as(CHILD, 0, "fifteen-letters"));
    CHECK(!passes_as(CHILD, 0, "ca") && !passes_as(CHILD, 0, "catx") && !passes_as(CHILD, 0, "fifteen-letters!"));
    CHECK(set(&no_cat, 1) == 0 && !passes_as(CHILD, 0, "cat") && passes_as(CHILD, 0, "cats"));
}

static void test_containers(void)
{
    struct ebpf_condition c = {.kind = EBPF_SELECT_CONTAINER};

    for (int i = 0; i < 2; i++) {
        c.exclude = i;
        CHECK(set(&c, 1) == 0);
        struct trace_actor actor = {.comm = "sh", .ns = {.pid = selection.host_pid_ns, .mnt = selection.host_mnt_ns}};

        CHECK(trace_selection__passes(&selection, &actor) == c.exclude);
        actor.ns.pid++;
        CHECK(trace_selection__passes(&selection, &actor) == !c.exclude);
        actor.ns.mnt++;
        CHECK(trace_selection__passes(&selection, &actor) == !c.exclude);
        actor.ns.pid--;
        CHECK(trace_selection__passes(&selection, &actor) == !c.exclude);
    }
}

/* One include of every kind must match, and no exclude. */
static void test_together(void)
{
    const struct ebpf_condition c[] = {
        {.kind = EBPF_SELECT_UID, .id = 1000},
        {.kind = EBPF_SELECT_UID, .id = 1001},
        {.kind = EBPF_SELECT_TREE, .id = FATHER},
        {.kind = EBPF_SELECT_COMM, .text = "cat", .exclude = true},
        {.kind = EBPF_SELECT_PID, .id = GRANDCHILD, .exclude = true},
    };

    CHECK(set(c, 5) == 0 && !errors && !warnings);
    CHECK(passes_as(CHILD, 1000, "sh") && passes_as(FATHER, 1001, "sh"));
    CHECK(!passes_as(CHILD, 1002, "sh") && !passes_as(STRANGER, 1000, "sh") && !passes_as(ABSENT, 1000, "sh"));
    CHECK(!passes_as(CHILD, 1000, "cat") && !passes_as(GRANDCHILD, 1000, "sh"));
    CHECK(set(c + 2, 2) == 0 && passes_as(GRANDCHILD, 1, "sh") && !passes_as(STRANGER, 1, "sh"));
}

/* The library tests these, or they are about files: every process passes. */
static void test_other_kinds(void)
{
    const struct ebpf_condition c[] = {
        {.kind = EBPF_SELECT_PATH, .text = "/etc"},
        {.kind = EBPF_SELECT_ADDRESS, .text = "::1", .exclude = true},
        {.kind = EBPF_SELECT_PORT, .id = 1},
    };

    for (size_t i = 0; i < 3; i++)
        CHECK(set(c + i, 1) == 0 && passing() == 15);
    CHECK(set(c, 3) == 0 && passing() == 15);
}

/* The marks of trees pass to new children, those of single processes do not. */
static void test_inherited(void)
{
    const struct ebpf_condition c[] = {{.kind = EBPF_SELECT_TREE, .id = STRANGER},
                                       {.kind = EBPF_SELECT_TREE, .id = CHILD}};
    const struct ebpf_condition pid = {.kind = EBPF_SELECT_PID, .id = CHILD};

    CHECK(set(c, 2) == 0);
    CHECK(process(STRANGER)->trees == 1 && process(CHILD)->trees == 2 && process(GRANDCHILD)->trees == 2);
    CHECK(process(FATHER)->trees == 0 && !process(CHILD)->chosen);
    add_process(LATER, GRANDCHILD, "/");
    CHECK(process(LATER)->trees == 2 && passes(LATER));
    /* A later process with this id is no child of it. */
    CHECK(processes__get(&table, LATER, START_NS + 1, process(FATHER)) == process(LATER) && !passes(LATER));
    process(LATER)->pids.ppid = CHILD;
    CHECK(set(&pid, 1) == 0 && process(CHILD)->chosen == 1 && !process(CHILD)->trees && !passes(LATER));
    CHECK(processes__get(&table, LATER, START_NS + 2, process(CHILD)) == process(LATER) && !passes(LATER));
    processes__end(&table, process(LATER));
}

/* A condition on what is not there, or has ended, is warned of, and no process matches it. */
static void test_nobody(void)
{
    struct ebpf_condition c[] = {{.kind = EBPF_SELECT_PID, .id = LATER}, {.kind = EBPF_SELECT_TREE, .id = LATER}};

    add_process(LATER, FATHER, "/");
    CHECK(set(c, 2) == 0 && !warnings);
    processes__end(&table, process(LATER));
    CHECK(set(c, 2) == 0 && warnings == 2 && !errors && !process(LATER)->chosen && !process(LATER)->trees);
    CHECK(!passes(LATER) && !passing());
    c[0].id = c[1].id = ABSENT;
    CHECK(set(c, 2) == 0 && warnings == 2 && !errors && !passing());
}

/* Parents that form a ring, as those of ids used again may, do not hold up a search. */
static void test_ring_of_parents(void)
{
    const struct ebpf_condition c = {.kind = EBPF_SELECT_TREE, .id = STRANGER};

    process(FATHER)->pids.ppid = GRANDCHILD;
    CHECK(set(&c, 1) == 0 && passing() == 8);
    process(FATHER)->pids.ppid = 1;
}

/* A selection that is refused, at whichever place, leaves the one before, with its marks. */
static void test_refused(void)
{
    static const struct ebpf_condition wrong[] = {
        {.kind = EBPF_SELECT_COMM},
        {.kind = EBPF_SELECT_COMM, .text = ""},
        {.kind = EBPF_SELECT_COMM, .text = "sixteen-letters-"},
        {.kind = EBPF_SELECT_CGROUP},
        {.kind = EBPF_SELECT_CGROUP, .text = ""},
        {.kind = EBPF_SELECT_PORT + 1},
        {.kind = (enum ebpf_select_kind) - 1},
        {.kind = (enum ebpf_select_kind)1000, .text = "x"},
    };
    const struct ebpf_condition tree[] = {{.kind = EBPF_SELECT_TREE, .id = CHILD},
                                          {.kind = EBPF_SELECT_COMM, .text = "sh"}};
    struct ebpf_condition many[TRACE_CONDITIONS_MAX + 1];

    CHECK(set(tree, 2) == 0 && passing() == 6);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        const struct ebpf_condition c[] = {
            {.kind = EBPF_SELECT_COMM, .text = "other"}, wrong[i], {.kind = EBPF_SELECT_PID, .id = FATHER}};

        CHECK(set(wrong + i, 1) == -EINVAL && errors == 1 && passing() == 6 && selection.count == 2);
        CHECK(set(c, 3) == -EINVAL && errors == 1 && passing() == 6 && selection.count == 2);
        CHECK(process(CHILD)->trees == 1 && !process(FATHER)->chosen);
    }
    for (uint32_t i = 0; i <= TRACE_CONDITIONS_MAX; i++)
        many[i] = (struct ebpf_condition){.kind = EBPF_SELECT_PID, .id = i < TRACE_CONDITIONS_MAX - 1 ? 1 : STRANGER};
    CHECK(set(many, TRACE_CONDITIONS_MAX + 1) == -EINVAL && errors == 1 && passing() == 6);
    CHECK(set(many, TRACE_CONDITIONS_MAX) == 0 && passing() == 8);
    CHECK(process(STRANGER)->chosen == UINT64_C(1) << 63);
}

int main(void)
{
    fill_table();
    test_family();
    test_cgroups();
    test_threads();
    test_containers();
    test_together();
    test_other_kinds();
    test_inherited();
    test_nobody();
    test_ring_of_parents();
    test_refused();
    trace_selection__fini(&selection);
    processes__fini(&table);
    return check__report();
}
