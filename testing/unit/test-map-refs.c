// SPDX-License-Identifier: BSD-2-Clause
/* test-map-refs.c - the maps that the probes refer to, according to their object. */
#include <errno.h>
#include <stdlib.h>

#include "Bpf/Object/MapRefs.h"
#include "check.h"

#define OBJECT "build/bpf/EbpfProbes.o"
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void *object;
static size_t object_size;

static bool read_object(void)
{
    FILE *file = fopen(OBJECT, "r");
    long size = file && !fseek(file, 0, SEEK_END) ? ftell(file) : -1;

    object = size > 0 ? malloc((size_t)size) : NULL;
    object_size = object && !fseek(file, 0, SEEK_SET) ? fread(object, 1, (size_t)size, file) : 0;
    if (file)
        fclose(file);
    return CHECK(object_size);
}

static struct map_refs refs_of(const char *program)
{
    struct map_refs refs;

    CHECK(!map_refs__find(&refs, object, object_size, &program, 1));
    return refs;
}

/* Maps that a program itself refers to, and maps that only a function does that it calls. */
static void test_reached(void)
{
    const struct map_refs exec = refs_of("tp_btf__sched_process_exec"), setsid = refs_of("fexit__ksys_setsid");

    CHECK(map_refs__has(&exec, "ring_main") && map_refs__has(&exec, "scratch") && map_refs__has(&exec, "exec_body"));
    CHECK(map_refs__has(&exec, "cgroup_paths") && map_refs__has(&exec, "mount_paths"));
    CHECK(!map_refs__has(&exec, "exiting") && !map_refs__has(&exec, "sockets") && !map_refs__has(&exec, "write_body"));
    CHECK(map_refs__has(&setsid, "setsid_body") && !map_refs__has(&setsid, "cgroup_paths"));
}

/* Several programs need the maps of each of them; no program needs no map. */
static void test_several(void)
{
    const char *const programs[] = {"fentry__tcp_close", "tp_btf__sched_process_exit", "no_such_program"};
    struct map_refs refs;

    CHECK(!map_refs__find(&refs, object, object_size, programs, COUNT(programs)));
    CHECK(map_refs__has(&refs, "sockets") && map_refs__has(&refs, "exiting") && !map_refs__has(&refs, "flow_lists"));
    CHECK(!map_refs__find(&refs, object, object_size, programs, 0) && !refs.count);
}

/* An object that ends too early is refused, wherever it ends. */
static void test_cut(void)
{
    const char *const programs[] = {"tp_btf__sched_process_exec"};
    struct map_refs refs;

    for (size_t size = 0; size < object_size; size += object_size / 100) {
        void *cut = malloc(size + 1);

        memcpy(cut, object, size);
        CHECK(map_refs__find(&refs, cut, size, programs, COUNT(programs)) == -EINVAL);
        free(cut);
    }
}

int main(void)
{
    if (read_object()) {
        test_reached();
        test_several();
        test_cut();
    }
    free(object);
    return check__report();
}
