// SPDX-License-Identifier: BSD-2-Clause
/*
 * gen-hooks-doc.c - print what the manuals say of the rows of Hooks.def.
 *
 *   gen-hooks-doc                   docs/HOOKS.md: which programs make which event, and what can replace them
 *   gen-hooks-doc tracepoints-man   what events lack with tracepoints only, as a list in mdoc(7)
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "Bpf/Object/Hooks.h"

static const char head[] =
    "<!-- SPDX-License-Identifier: BSD-2-Clause -->\n"
    "<!-- Generated from GPL/Events/Hooks.def by scripts/gen-hooks-doc.c: change that, not this. -->\n"
    "# Hooks\n"
    "\n"
    "A program is named `<attach>__<function>`. `tp_btf` programs are attached to tracepoints, `fentry` and\n"
    "`fexit` programs to the beginning and the end of a kernel function, `lsm` programs to a hook of the\n"
    "security modules, `kprobe` programs to the beginning of a function, `session` programs to both ends of\n"
    "one, and `cgroup` programs to the root of the cgroups of version 2, which has them run for all sockets.\n"
    "`--disable-hook` takes these names. [COMPATIBILITY.md](COMPATIBILITY.md) describes when a stand-in is\n"
    "used, and how kernels differ.\n";

static const char stand_ins[] =
    "\n## Stand-ins\n\n"
    "`lsm` programs replace others if the kernel never skips them: since 6.2, if `bpf` is an active security module.\n"
    "`kprobe` and `session` programs replace others on kernels that preempt BPF programs; `kprobe` programs also on\n"
    "those that refuse trampolines. Of those that can be used, the first is attached instead of the program. An `lsm`\n"
    "program that makes a record comes last, because the kernel may preempt any number of its runs. \"Itself as a\n"
    "kprobe\": where trampolines are refused, the program is loaded for a kprobe. `fentry__mnt_want_write` replaces\n"
    "the path hooks of the LSM on kernels that have none (CONFIG_SECURITY_PATH=n).\n\n"
    "| program | stand-ins |\n|---|---|\n";

static const char preemption[] =
    "\n## Preemption\n\n"
    "A kernel that preempts BPF programs (preempt=full, lazy, PREEMPT_RT) skips a program if a preempted run of it\n"
    "waits on that CPU. The event is then lost, unless the program has spares of which one is not skipped. Kprobes\n"
    "(since 6.2, with CONFIG_FPROBE) and sessions (since 6.14) cannot be preempted, and LSM programs are not skipped.\n"
    "This table leaves out programs whose skipped runs lose nothing, and those that kernels since 6.2 do not need.\n"
    "`fentry__do_notify_parent` runs under a lock, which leaves no other run on that CPU to be skipped.\n\n"
    "| event | replaced by kprobes | replaced by sessions | can be skipped |\n|---|---|---|---|\n";

/* Classes of events, in the order in which they are printed: what their options begin with. */
static const char *const classes[] = {"process-", "file-", "net-"};

#define CLASS_COUNT (sizeof(classes) / sizeof(*classes))

/* Call a function for each event, by class. */
static void for_each_event(void (*print)(int event))
{
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        for (enum ebpf_event_type event = 0; (event = ebpf_event_type__next(event));) {
            if (!strncmp(ebpf_event_type__option(event), classes[i], strlen(classes[i])))
                print((int)event);
        }
    }
}

static const char *event__name(int event)
{
    return ebpf_event_type__name((enum ebpf_event_type)event);
}

/* Return what a program does for an event, by one way to source it (0: required, or optional); NULL for nothing. */
static const struct hook_role *role_for(const struct hook_row *row, int event, bool is_required, int way)
{
    for (const struct hook_role *role = row->roles; role->event; role++)
        if (role->event == event && role->is_required == is_required && role->way == way)
            return role;
    return NULL;
}

/* Print the programs that one way to source an event requires. */
static void print_required(int event, int way)
{
    const struct hook_row *row;
    const char *bracket = " (";
    int count = 0;

    for (size_t i = 0; (row = hooks__row(i)); i++) {
        if (!role_for(row, event, true, way))
            continue;
        printf("%s`%s`", count++ ? ", " : way ? "; or " : "", row->program);
    }
    for (size_t i = 0; (row = hooks__row(i)); i++) {
        const struct hook_role *role = role_for(row, event, true, way);

        if (!role || !*role->lacks)
            continue;
        printf("%s%s", bracket, role->lacks);
        bracket = "; ";
    }
    if (strcmp(bracket, " (") != 0)
        printf(")");
}

static void print_condition(const struct hook_row *row)
{
    if (row->unless)
        printf(", unless the kernel has `%s`", row->unless);
    if (row->file_system)
        printf(", if the kernel has %s", row->file_system);
    if (row->if_present)
        printf(", if the kernel has that function");
    if (row->module)
        printf(", which may be in the module %s", row->module);
}

static void print_event(int event)
{
    const struct hook_row *row;
    const char *separator = "";

    printf("| `%s` | ", event__name(event));
    for (int way = 0; way <= WAY_SYSCALLS; way++)
        print_required(event, way);
    printf(" | ");
    for (size_t i = 0; (row = hooks__row(i)); i++) {
        const struct hook_role *role = role_for(row, event, false, 0);

        if (!role)
            continue;
        printf("%s`%s`", separator, row->program);
        print_condition(row);
        if (role->lacks && *role->lacks)
            printf(": %s", role->lacks);
        separator = "<br>";
    }
    printf(" |\n");
}

/* Return the stand-in of that kind for a row's program; NULL if it has none. */
static const char *stand_in(const struct hook_row *row, enum hook_stand_in kind)
{
    return row->stand_ins[kind].shared ? row->stand_ins[kind].shared->program : row->stand_ins[kind].program;
}

static void print_stand_ins(const struct hook_row *row)
{
    const char *separator = "";

    for (int kind = 0; kind < STAND_IN_COUNT; kind++) {
        const char *program = stand_in(row, kind);

        if (!program)
            continue;
        if (!*separator)
            printf("| `%s` | ", row->program);
        printf("%s`%s`", separator, program);
        separator = ", ";
    }
    if (row->as_kprobe)
        printf(*separator ? ", itself as a kprobe" : "| `%s` | itself as a kprobe", row->program);
    if (*separator || row->as_kprobe)
        printf(" |\n");
}

/* Return what replaces a program where the kernel preempts BPF programs. */
static enum hook_stand_in preempted_stand_in(const struct hook_row *row)
{
    return stand_in(row, STAND_IN_KPROBE)    ? STAND_IN_KPROBE
           : stand_in(row, STAND_IN_SESSION) ? STAND_IN_SESSION
                                             : STAND_IN_COUNT;
}

/*
 * Print the programs whose skipped runs are lost events, if that is their stand-in. Kernels that have stand-ins need
 * none of those that are only for older kernels.
 */
static void print_charged(int event, enum hook_stand_in kind)
{
    const struct hook_row *row;
    const char *separator = "";

    for (size_t i = 0; (row = hooks__row(i)); i++) {
        const struct hook_role *role = role_for(row, event, true, 0);

        if (!role)
            role = role_for(row, event, false, 0);
        if (!role || !role->is_charged || row->unless || preempted_stand_in(row) != kind)
            continue;
        printf("%s`%s`%s", separator, row->program,
               stand_in(row, STAND_IN_LSM) || stand_in(row, STAND_IN_RECORDING_LSM) ? " or LSM" : "");
        separator = ", ";
    }
}

static void print_preempted(int event)
{
    printf("| `%s` | ", event__name(event));
    print_charged(event, STAND_IN_KPROBE);
    printf(" | ");
    print_charged(event, STAND_IN_SESSION);
    printf(" | ");
    print_charged(event, STAND_IN_COUNT);
    printf(" |\n");
}

static void print_document(void)
{
    const struct hook_row *row;

    fputs(head, stdout);
    printf(
        "\n## Events\n\n"
        "An event is made in another way, or unavailable, if the kernel lacks a program that it requires. Without an\n"
        "optional program, the event lacks what stands behind it; where nothing does, users miss nothing.\n\n"
        "| event | required | optional |\n|---|---|---|\n");
    for_each_event(print_event);
    fputs(stand_ins, stdout);
    for (size_t i = 0; (row = hooks__row(i)); i++)
        print_stand_ins(row);
    fputs(preemption, stdout);
    for_each_event(print_preempted);
}

/* ------------------------------------------------ kernels with tracepoints only */

static struct hooks hooks;
static int current;
static const char *separator;

static void print_lacks(void *user, const char *event, const char *lacks, const char *program, const char *reason)
{
    (void)user, (void)program, (void)reason;
    if (strcmp(event, ebpf_event_type__option((enum ebpf_event_type)current)))
        return;
    printf("%s%s", separator, lacks);
    separator = "; ";
}

/* Print what an event lacks. */
static void print_lacking(int event)
{
    current = event;
    separator = "";
    if (ebpf_event_set__has(hooks.available, (enum ebpf_event_type)event))
        hooks__report_lacking(&hooks, print_lacks, NULL);
    else
        printf("%s", separator = "unavailable");
    if (!*separator)
        printf("complete");
}

static void print_item(int event)
{
    printf(".It Dv %s\n", event__name(event));
    print_lacking(event);
    printf(".\n");
}

/* Choose among the programs that a kernel takes which has neither trampolines nor kprobes. */
static void choose_tracepoints(void)
{
    hooks__init(&hooks);
    for (size_t i = 0; i < hooks.count; i++) {
        if (strncmp(hooks.programs[i].name, "tp_btf__", strlen("tp_btf__")) != 0)
            hooks__refuse(&hooks.programs[i], "refused");
    }
    hooks__choose(&hooks, ebpf_event_set__all());
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        print_document();
        return 0;
    }
    if (argc != 2 || strcmp(argv[1], "tracepoints-man") != 0)
        return fprintf(stderr, "usage: gen-hooks-doc [tracepoints-man]\n"), 2;
    choose_tracepoints();
    printf(".Bl -tag -width Ds\n");
    for_each_event(print_item);
    printf(".El\n");
    return 0;
}
