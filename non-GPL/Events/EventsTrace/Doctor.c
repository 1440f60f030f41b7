/* SPDX-License-Identifier: BSD-2-Clause */
/* Doctor.c - see Doctor.h. */
#include "Doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COST_OF_CALLS(each, most)                                                                                      \
    "each system call of this machine takes some " each " instructions longer, reads and writes up to " most           \
    " (on Linux 6.1; kernels differ)"
#define COST_OF_EVENTS "what an event and a start cost is in docs/COST.md; what nobody selects costs nothing"

#define BPF_SEES_MORE "BPF sees more; with --backend bpf, this reports what it lacks here"
#define KERNEL_REFUSES "the kernel refuses "
#define TRAMPOLINES_NEED "CONFIG_FUNCTION_TRACER and CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS, on arm64 from Linux 6.4"
#define TRAMPOLINES_MISSING "use a kernel with " TRAMPOLINES_NEED
#define TRAMPOLINES_FORBIDDEN                                                                                          \
    "let no policy, such as an LSM's, forbid fentry and fexit programs; the kernel needs " TRAMPOLINES_NEED

static const char *const use_names[] = {[EBPF_HOOK_ATTACHED] = "attached",
                                        [EBPF_HOOK_CALLED] = "called",
                                        [EBPF_HOOK_REPLACED] = "replaced",
                                        [EBPF_HOOK_UNUSED] = "unused",
                                        [EBPF_HOOK_REFUSED] = "refused"};

enum event_state {
    EVENT_WHOLE,
    EVENT_LIMITED,
    EVENT_UNAVAILABLE,
    EVENT_UNKNOWN, /* no program could be tried */
};

static const char *const state_names[] = {[EVENT_WHOLE] = "whole",
                                          [EVENT_LIMITED] = "limited",
                                          [EVENT_UNAVAILABLE] = "unavailable",
                                          [EVENT_UNKNOWN] = "unknown"};

/* What there is to report on. */
struct doctor {
    struct ebpf_event_set events; /* that were asked for */
    struct ebpf_source *source;   /* NULL: it could not be opened */
    enum ebpf_source_error why;   /* if it could not */
    char *error;                  /* the message; NULL: there is none */
    bool is_json;
};

/* Keep the last error. What events lack is asked of the source. */
static void on_log_line(void *user, enum ebpf_log_level level, const char *line)
{
    struct doctor *d = user;

    if (level != EBPF_LOG_ERROR)
        return;
    free(d->error);
    d->error = strdup(line);
}

/* --------------------------------------------------------------------- JSON */

static void json__string(const char *text)
{
    putchar('"');
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            printf("\\%c", *c);
        else if ((unsigned char)*c < ' ')
            printf("\\u%04x", (unsigned char)*c);
        else
            putchar(*c);
    }
    putchar('"');
}

/* Write a member of an object; nothing if it has no value. */
static void json__member(const char *separator, const char *key, const char *value)
{
    if (!value)
        return;
    printf("%s\"%s\":", separator, key);
    json__string(value);
}

/* ------------------------------------------------------------------ sections */

static enum event_state event__state(const struct doctor *d, enum ebpf_event_type type)
{
    if (!d->source)
        return d->why == EBPF_SOURCE_UNSUPPORTED ? EVENT_UNAVAILABLE : EVENT_UNKNOWN;
    if (!ebpf_event_set__has(ebpf_source__events(d->source), type))
        return EVENT_UNAVAILABLE;
    return ebpf_source__lacks(d->source, type, 0, NULL) ? EVENT_LIMITED : EVENT_WHOLE;
}

/* Return why an event is unavailable, or unknown. */
static const char *event__reason(const struct doctor *d, enum ebpf_event_type type)
{
    const char *reason = d->source ? ebpf_source__unavailable(d->source, type) : d->error;

    return reason ? reason : "nothing can be traced here";
}

static void fact__report(const struct doctor *d, const struct ebpf_host_fact *fact, bool is_first)
{
    if (d->is_json) {
        json__member(is_first ? "{" : ",{", "name", fact->name);
        json__member(",", "value", fact->value);
        json__member(",", "remedy", fact->remedy);
        putchar('}');
        return;
    }
    printf("  %-18s %s\n", fact->name, fact->value);
    if (fact->remedy)
        printf("  %-18s   %s\n", "", fact->remedy);
}

/* Return why the kernel refuses trampolines; NULL if none was tried. */
static const char *trampolines__refusal(const struct doctor *d)
{
    struct ebpf_hook hook = {.sz = sizeof(hook)};

    for (size_t n = 0; !ebpf_source__hook(d->source, n, &hook); n++) {
        bool is_one = !strncmp(hook.program, "fentry__", 8) || !strncmp(hook.program, "fexit__", 7);

        if (is_one && hook.use == EBPF_HOOK_REFUSED && !strncmp(hook.why, KERNEL_REFUSES, strlen(KERNEL_REFUSES)))
            return strrchr(hook.why, ':') ? strrchr(hook.why, ':') + 2 : hook.why;
    }
    return NULL;
}

/* Only a trial shows whether there are trampolines, so this is what became of the programs of the source. */
static void trampolines__report(const struct doctor *d)
{
    struct ebpf_features features = {.sz = sizeof(features)};
    struct ebpf_host_fact fact = {.sz = sizeof(fact), .name = "trampolines", .value = "unknown"};
    char value[128];

    if (d->source && !ebpf_source__features(d->source, &features)) {
        const char *why = features.bpf_tramp ? NULL : trampolines__refusal(d);

        snprintf(value, sizeof(value), "refused: %s", why ? why : "");
        fact.value = features.bpf_tramp ? "offered" : why ? value : "not tried";
        fact.remedy = !why ? NULL : !strcmp(why, strerror(EPERM)) ? TRAMPOLINES_FORBIDDEN : TRAMPOLINES_MISSING;
    }
    fact__report(d, &fact, false);
}

/* Report where events come from. Only BPF has trampolines. */
static void backend__report(const struct doctor *d)
{
    struct ebpf_features features = {.sz = sizeof(features)};
    struct ebpf_host_fact fact = {.sz = sizeof(fact), .name = "backend", .value = "none"};

    if (d->source && !ebpf_source__features(d->source, &features))
        fact.value = "bpf";
    if (features.backend == EBPF_BACKEND_TRACEFS) {
        fact.value = "tracefs";
        fact.remedy = BPF_SEES_MORE;
    }
    fact__report(d, &fact, false);
    if (features.backend != EBPF_BACKEND_TRACEFS)
        trampolines__report(d);
}

static void host__report(const struct doctor *d)
{
    struct ebpf_host_fact fact = {.sz = sizeof(fact)};

    printf(d->is_json ? "{\"host\":[" : "host\n");
    for (size_t n = 0; !ebpf_host__fact(n, &fact); n++)
        fact__report(d, &fact, !n);
    backend__report(d);
}

static void event__report_json(const struct doctor *d, enum ebpf_event_type type, const char *separator)
{
    enum event_state state = event__state(d, type);
    const char *lacks, *program;

    json__member(separator, "event", ebpf_event_type__option(type));
    json__member(",", "state", state_names[state]);
    if (state >= EVENT_UNAVAILABLE)
        json__member(",", "reason", event__reason(d, type));
    printf(",\"lacks\":[");
    for (size_t n = 0; d->source && (lacks = ebpf_source__lacks(d->source, type, n, &program)); n++) {
        json__member(n ? ",{" : "{", "lacks", lacks);
        json__member(",", "program", program);
        putchar('}');
    }
    printf("]}");
}

static void event__report_text(const struct doctor *d, enum ebpf_event_type type)
{
    enum event_state state = event__state(d, type);
    const char *lacks, *program;

    printf("  %-18s %s\n", ebpf_event_type__option(type), state_names[state]);
    if (state == EVENT_UNAVAILABLE)
        printf("  %-18s   %s\n", "", event__reason(d, type));
    for (size_t n = 0; d->source && (lacks = ebpf_source__lacks(d->source, type, n, &program)); n++) {
        printf("  %-18s   %s", "", lacks);
        if (program)
            printf(" (for want of %s)", program);
        printf("\n");
    }
}

static void events__report(const struct doctor *d)
{
    const char *separator = "{";
    enum ebpf_event_type type = 0;

    printf(d->is_json ? "],\"events\":[" : "\nevents\n");
    while ((type = ebpf_event_type__next(type))) {
        if (!ebpf_event_set__has(d->events, type))
            continue;
        if (d->is_json)
            event__report_json(d, type, separator);
        else
            event__report_text(d, type);
        separator = ",{";
    }
}

static void hook__report_json(const struct ebpf_hook *hook, const char *separator)
{
    json__member(separator, "program", hook->program);
    json__member(",", "use", use_names[hook->use]);
    json__member(",", "by", hook->by);
    json__member(",", "why", hook->why);
    putchar('}');
}

/* Report a program for people, unless it is unused; those that are refused for one reason come together. */
static void hook__report_text(const struct doctor *d, const struct ebpf_hook *hook, size_t n)
{
    struct ebpf_hook other = {.sz = sizeof(other)};

    if (hook->use == EBPF_HOOK_UNUSED)
        return;
    if (hook->use != EBPF_HOOK_REFUSED) {
        printf("  %-42s %s%s%s\n", hook->program, use_names[hook->use], hook->by ? " by " : "",
               hook->by ? hook->by : "");
        return;
    }
    for (size_t before = 0; before < n && !ebpf_source__hook(d->source, before, &other); before++) {
        if (other.use == EBPF_HOOK_REFUSED && !strcmp(other.why, hook->why))
            return;
    }
    printf("  %s:\n", hook->why);
    for (; !ebpf_source__hook(d->source, n, &other); n++) {
        if (other.use == EBPF_HOOK_REFUSED && !strcmp(other.why, hook->why))
            printf("    %s\n", other.program);
    }
}

static void hooks__report(const struct doctor *d)
{
    struct ebpf_hook hook = {.sz = sizeof(hook)};

    printf(d->is_json ? "],\"hooks\":[" : "\nhooks\n");
    for (size_t n = 0; d->source && !ebpf_source__hook(d->source, n, &hook); n++) {
        if (d->is_json)
            hook__report_json(&hook, n ? ",{" : "{");
        else
            hook__report_text(d, &hook, n);
    }
    if (!d->source && !d->is_json)
        printf("  none was tried: %s\n", d->error ? d->error : "a source cannot be opened");
}

static bool program__is_attached(const struct doctor *d, const char *program)
{
    struct ebpf_hook hook = {.sz = sizeof(hook)};

    for (size_t n = 0; d->source && !ebpf_source__hook(d->source, n, &hook); n++) {
        if (!strcmp(hook.program, program))
            return hook.use == EBPF_HOOK_ATTACHED;
    }
    return false;
}

/* Return what the programs take that every system call of the machine passes; NULL if there are none. */
static const char *calls__cost(const struct doctor *d)
{
    if (!program__is_attached(d, "tp_btf__sys_exit"))
        return NULL;
    return program__is_attached(d, "tp_btf__sys_enter") ? COST_OF_CALLS("300", "2,300") : COST_OF_CALLS("180", "1,200");
}

static void costs__report(const struct doctor *d)
{
    const char *const costs[] = {calls__cost(d), COST_OF_EVENTS};
    bool is_first = true;

    printf(d->is_json ? "],\"costs\":[" : "\ncosts\n");
    for (size_t i = 0; i < sizeof(costs) / sizeof(*costs); i++) {
        if (!costs[i])
            continue;
        if (d->is_json) {
            printf(is_first ? "" : ",");
            json__string(costs[i]);
        } else {
            printf("  %s\n", costs[i]);
        }
        is_first = false;
    }
}

static enum doctor_code doctor__judge(const struct doctor *d)
{
    enum event_state best = EVENT_UNKNOWN, worst = EVENT_WHOLE;
    enum ebpf_event_type type = 0;

    while ((type = ebpf_event_type__next(type))) {
        if (!ebpf_event_set__has(d->events, type))
            continue;
        enum event_state state = event__state(d, type);

        best = state < best ? state : best;
        worst = state > worst ? state : worst;
    }
    if (best >= EVENT_UNAVAILABLE)
        return DOCTOR_NONE;
    return worst == EVENT_WHOLE ? DOCTOR_WHOLE : worst == EVENT_LIMITED ? DOCTOR_LIMITED : DOCTOR_SOME_MISSING;
}

static void end__report(const struct doctor *d, enum doctor_code code)
{
    static const char *const words[] = {[DOCTOR_WHOLE] = "whole: every event is reported as documented",
                                        [DOCTOR_LIMITED] = "limited: every event is reported, some with less",
                                        [DOCTOR_SOME_MISSING] = "some events are missing",
                                        [DOCTOR_NONE] = "nothing can be traced"};

    if (!d->is_json) {
        printf("\n%s\n", words[code]);
        return;
    }
    putchar(']');
    if (!d->source)
        json__member(",", "error", d->error);
    printf(",\"status\":%d}\n", code);
}

int doctor__report(const struct options *options)
{
    struct doctor d = {.is_json = options->json,
                       .events = options->events.bits ? options->events : ebpf_event_set__all()};
    const struct ebpf_source_opts opts = {.sz = sizeof(opts),
                                          .events = d.events,
                                          .log_line = on_log_line,
                                          .user = &d,
                                          .disable_hooks = options->disable_hooks,
                                          .attach = (enum ebpf_attach)options->attach,
                                          .allow_no_hook = true,
                                          .backend = (enum ebpf_backend_kind)options->backend};

    d.why = ebpf_source__classify(ebpf_source__open(&opts, &d.source));
    if (d.why)
        d.source = NULL;
    enum doctor_code code = doctor__judge(&d);

    host__report(&d);
    events__report(&d);
    hooks__report(&d);
    costs__report(&d);
    end__report(&d, code);
    ebpf_source__close(d.source);
    free(d.error);
    return code;
}
