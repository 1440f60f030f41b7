// SPDX-License-Identifier: BSD-2-Clause
/* test-options.c - the rows of options, each by itself, and the results of command lines. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>

#include "../../non-GPL/Events/EventsTrace/Message.h"
#include "../../non-GPL/Events/EventsTrace/OptionTake.h"
#include "check.h"

/* Options are for the rest of the process: nothing frees their strings. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static char message[512];

void message__write(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
}

#define PARSE(options, ...) parse((options), (char *[]){"EventsTrace", __VA_ARGS__, NULL})

static int parse(struct options *ret_options, char **argv)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    optind = 0; /* getopt starts over */
    message[0] = '\0';
    return options__parse(ret_options, argc, argv);
}

static void test_rows(void)
{
    const struct option_row *rows;
    size_t count = option_rows(&rows);

    CHECK(count > 50);
    for (size_t i = 0; i < count; i++) {
        const struct option_row *row = &rows[i];

        CHECK(row->name && row->take && row->section < SECTION_COUNT);
        CHECK(row->doc && *row->doc && !isupper((unsigned char)*row->doc) && row->doc[strlen(row->doc) - 1] != '.');
        CHECK(!row->letter || (isalpha((unsigned char)row->letter) && row->letter != 'W')); /* getopt's -W */
        CHECK(row->repeats == (row->section == SECTION_SELECTION || row->take == option_take__list ||
                               row->take == option_take__required));
        CHECK(row->min <= row->max && (row->take != option_take__number || row->max > 0));
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(row->name, rows[j].name) && (!row->letter || row->letter != rows[j].letter));
    }
}

/* The option of an event selects that event, and no other one. */
static void test_events(void)
{
    struct options o;
    enum ebpf_event_type type = 0;
    uint64_t all = 0;

    while ((type = ebpf_event_type__next(type))) {
        char option[64];

        snprintf(option, sizeof(option), "--%s", ebpf_event_type__option(type));
        CHECK(!PARSE(&o, option) && o.events.bits == UINT64_C(1) << type);
        all |= o.events.bits;
    }
    CHECK(!PARSE(&o, "-a") && o.events.bits == all);
    CHECK(!PARSE(&o, "--process", "--file", "--net") && o.events.bits == all);
    CHECK(!PARSE(&o, "--net") && !ebpf_event_set__has(o.events, EBPF_EVENT_FILE_LINK));
}

static void check_condition(const struct options *o, size_t i, enum ebpf_select_kind kind, bool exclude, uint32_t id)
{
    CHECK(i < o->condition_count && o->conditions[i].kind == kind && o->conditions[i].exclude == exclude);
    CHECK(o->conditions[i].id == id);
}

static void test_conditions(void)
{
    struct options o;

    CHECK(!PARSE(&o, "--pid", "7", "--exclude-pid=8", "--tree", "9", "--exclude-tree", "10", "--uid", "0",
                 "--exclude-uid", "0", "--port", "443", "--exclude-port", "80"));
    check_condition(&o, 0, EBPF_SELECT_PID, false, 7);
    check_condition(&o, 1, EBPF_SELECT_PID, true, 8);
    check_condition(&o, 2, EBPF_SELECT_TREE, false, 9);
    check_condition(&o, 3, EBPF_SELECT_TREE, true, 10);
    check_condition(&o, 4, EBPF_SELECT_UID, false, 0);
    check_condition(&o, 5, EBPF_SELECT_UID, true, 0);
    check_condition(&o, 6, EBPF_SELECT_PORT, false, 443);
    check_condition(&o, 7, EBPF_SELECT_PORT, true, 80);
    CHECK(!PARSE(&o, "--comm", "a", "--exclude-comm", "b", "--cgroup", "/c", "--exclude-cgroup", "/d", "--path", "/e",
                 "--exclude-path", "/f", "--address", "::1", "--exclude-address", "::2", "--container-only",
                 "--host-only"));
    static const enum ebpf_select_kind kinds[] = {EBPF_SELECT_COMM, EBPF_SELECT_CGROUP, EBPF_SELECT_PATH,
                                                  EBPF_SELECT_ADDRESS, EBPF_SELECT_CONTAINER};
    static const char *const texts[] = {"a", "b", "/c", "/d", "/e", "/f", "::1", "::2"};

    CHECK(o.condition_count == 10);
    for (size_t i = 0; i < o.condition_count; i++) {
        check_condition(&o, i, kinds[i / 2], i % 2, 0);
        if (i < sizeof(texts) / sizeof(*texts))
            CHECK_SAME(o.conditions[i].text, texts[i]);
    }
}

static void test_too_many_conditions(void)
{
    char *argv[CONDITIONS_MAX + 3] = {"EventsTrace"};
    struct options o;

    for (int i = 1; i <= CONDITIONS_MAX; i++)
        argv[i] = "--port=1";
    CHECK(!parse(&o, argv) && o.condition_count == CONDITIONS_MAX);
    argv[CONDITIONS_MAX + 1] = "--port=1";
    CHECK(parse(&o, argv) == -EINVAL && strstr(message, "more than 128 conditions"));
}

static void test_others(void)
{
    struct options o;

    CHECK(!PARSE(&o, "-i") && o.features_line && !o.unbuffered && !o.stats && !o.libbpf_verbose && !o.env);
    CHECK(!PARSE(&o, "-usv", "--env") && !o.features_line && o.unbuffered && o.stats && o.libbpf_verbose && o.env);
    CHECK(!PARSE(&o, "--coalesce", "5", "--coalesce", "60000") && o.coalesce_ms == 60000); /* the last one counts */
    CHECK(!PARSE(&o, "--budget=1000000") && o.budget == 1000000);
    CHECK(!PARSE(&o, "--ring-size", "1M") && o.ring_bytes == 1u << 20);
    CHECK(!PARSE(&o, "--disable-hook", "a,b", "--disable-hook", "c"));
    CHECK_SAME(o.disable_hooks, "a,b,c");
    CHECK(!PARSE(&o, "--backend", "tracefs") && o.backend == EBPF_BACKEND_TRACEFS);
    CHECK(!PARSE(&o, "--backend=bpf") && o.backend == EBPF_BACKEND_BPF);
    CHECK(!PARSE(&o, "--backend=auto") && o.backend == EBPF_BACKEND_AUTO);
    CHECK(!PARSE(&o, "--user", "root", "--", "ls", "-l") && o.user.uid == 0 && !strcmp(o.user.name, "root"));
    CHECK(o.command && !strcmp(o.command[0], "ls") && !strcmp(o.command[1], "-l") && !o.command[2]);
    CHECK(!PARSE(&o, "--version") && o.action == ACTION_VERSION);
    CHECK(!PARSE(&o, "--schema") && o.action == ACTION_SCHEMA);
    CHECK(!PARSE(&o, "--usage") && o.action == ACTION_USAGE);
    CHECK(!PARSE(&o, "-?") && o.action == ACTION_HELP);
    CHECK(!PARSE(&o, "-h") && o.action == ACTION_HELP);
    CHECK(!PARSE(&o, "--process-exec") && o.action == ACTION_TRACE && o.format == FORMAT_JSON);
}

/* The options from which lines for consumers of Elastic's program are made. */
static void test_elastic(void)
{
    struct options o;

    CHECK(!PARSE(&o, "--format", "elastic", "--net-conn-closed", "--net-listen", "--file-link") && o.env);
    CHECK(o.format == FORMAT_ELASTIC && ebpf_event_set__has(o.events, EBPF_EVENT_NETWORK_CONNECTION_FAILED));
    CHECK(!ebpf_event_set__has(o.events, EBPF_EVENT_NETWORK_LISTEN));
    CHECK(!ebpf_event_set__has(o.events, EBPF_EVENT_FILE_LINK));
}

/* An invalid value is refused with a message, and changes nothing. */
static void test_refusals(void)
{
    struct options untouched = {.budget = 7}, o = untouched;

    CHECK(PARSE(&o, "--budget", "0") == -EINVAL);
    CHECK_SAME(message, "option '--budget' requires a whole number from 1 to 1000000, not '0'; see EventsTrace --help");
    CHECK(PARSE(&o, "--format", "xml") == -EINVAL);
    CHECK_SAME(message, "option '--format' requires json or elastic, not 'xml'");
    CHECK(PARSE(&o, "--pid", "0") == -EINVAL && PARSE(&o, "--port", "65536") == -EINVAL);
    CHECK(PARSE(&o, "--uid", "4294967295") == -EINVAL && PARSE(&o, "--coalesce", "60001") == -EINVAL);
    CHECK(PARSE(&o, "--user", "root") == -EINVAL && PARSE(&o, "--process-exec", "--") == -EINVAL);
    CHECK(PARSE(&o, "--json") == -EINVAL);
    CHECK(PARSE(&o, "--proc") == -EINVAL && strstr(message, "is ambiguous"));
    CHECK(!memcmp(&o, &untouched, sizeof(o)));
    CHECK(!PARSE(&o, "--json", "--doctor") && o.json && !PARSE(&o, "--doctor", "--json") && o.json);
}

int main(void)
{
    test_rows();
    test_events();
    test_conditions();
    test_too_many_conditions();
    test_others();
    test_elastic();
    test_refusals();
    return check__report();
}
