// SPDX-License-Identifier: BSD-2-Clause
/* test-backend-open.c - which backend is opened, and what is logged if one cannot be; both are made up here. */
#include <errno.h>
#include <stdlib.h>

#include "Bpf/BpfOpen.h"
#include "Log.h"
#include "Tracefs/TraceBackend.h"
#include "check.h"

#define BPF_CAUSE "cannot load BPF programs: there is no bpf(); use another kernel"
#define TRACEFS_CAUSE "cannot mount tracefs: no; allow it"

/* A backend that opens, or not, after an error. */
struct made_up {
    struct ebpf_backend backend;
    int err;             /* what opening it returns */
    const char *message; /* an error that it logs before that; NULL: none */
    int tried;           /* how often it was opened */
    struct ebpf_source_opts opts;
};

static struct made_up bpf, tracefs;

static int made_up__open(struct made_up *m, const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend)
{
    const struct ebpf_log log = ebpf_log__of(opts);

    m->tried++;
    m->opts = *opts;
    ebpf_log__write(&log, EBPF_LOG_INFO, "%d is tried", 1);
    if (m->message)
        ebpf_log__write(&log, EBPF_LOG_ERROR, "%s", m->message);
    if (!m->err)
        *ret_backend = &m->backend;
    return m->err;
}

int bpf_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend)
{
    return made_up__open(&bpf, opts, ret_backend);
}

int trace_backend__open(const struct ebpf_source_opts *opts, struct ebpf_backend **ret_backend)
{
    return made_up__open(&tracefs, opts, ret_backend);
}

static char errors[1024], warnings[1024]; /* the messages, a line each */
static int infos, formatted;
static bool cancel;

static void on_line(void *user, enum ebpf_log_level level, const char *line)
{
    char *lines = level == EBPF_LOG_ERROR ? errors : warnings;

    CHECK(user == &infos);
    infos += level == EBPF_LOG_INFO;
    if (level <= EBPF_LOG_WARNING)
        strcat(strcat(lines, line), "\n");
}

static void on_message(void *user, enum ebpf_log_level level, const char *format, va_list args)
{
    char line[512];

    CHECK(user == &infos && level <= EBPF_LOG_DEBUG);
    formatted += vsnprintf(line, sizeof(line), format, args) > 0;
}

static bool is_cancelled(void *user)
{
    CHECK(user == &infos);
    return cancel;
}

static struct ebpf_source_opts good_opts(enum ebpf_backend_kind kind)
{
    bpf = tracefs = (struct made_up){0};
    *errors = *warnings = '\0';
    infos = formatted = 0;
    return (struct ebpf_source_opts){.log = on_message,
                                     .log_line = on_line,
                                     .user = &infos,
                                     .is_cancelled = is_cancelled,
                                     .ring_bytes = 4096,
                                     .backend = kind};
}

/* Open a backend, and close it if it opens. Returns what opening it returned. */
static int open_and_close(const struct ebpf_source_opts *opts, const struct made_up *expected)
{
    struct ebpf_backend *backend = NULL;
    int err = ebpf_backend__open(opts, &backend);

    CHECK(backend == (err ? NULL : &expected->backend));
    CHECK(formatted == 0 || formatted >= infos);
    if (backend)
        free(backend->attempt);
    return err;
}

/* One that is asked for is the only one, and has the caller's functions. */
static void test_one(void)
{
    struct ebpf_source_opts opts = good_opts(EBPF_BACKEND_BPF);

    CHECK(!open_and_close(&opts, &bpf) && !tracefs.tried && bpf.opts.log == on_message && bpf.opts.user == &infos);
    opts = good_opts(EBPF_BACKEND_BPF);
    bpf = (struct made_up){.err = -EOPNOTSUPP, .message = BPF_CAUSE};
    CHECK(open_and_close(&opts, &bpf) == -EOPNOTSUPP && !tracefs.tried);
    CHECK_SAME(errors, BPF_CAUSE "\n");
    opts = good_opts(EBPF_BACKEND_TRACEFS);
    CHECK(!open_and_close(&opts, &tracefs) && !bpf.tried && !*errors && !*warnings);
}

/* Where BPF works, nothing is withheld, then or later. */
static void test_bpf_works(void)
{
    struct ebpf_source_opts opts = good_opts(EBPF_BACKEND_AUTO);
    struct ebpf_backend *backend = NULL;

    bpf.message = "an error that is none";
    if (!CHECK(!ebpf_backend__open(&opts, &backend) && backend == &bpf.backend && !tracefs.tried))
        return;
    CHECK(infos == 1 && formatted == 2 && !*warnings && bpf.opts.ring_bytes == 4096);
    CHECK_SAME(errors, "an error that is none\n");
    cancel = true;
    CHECK(bpf.opts.is_cancelled(bpf.opts.user));
    cancel = false;
    CHECK(!bpf.opts.is_cancelled(bpf.opts.user));

    const struct ebpf_log log = ebpf_log__of(&bpf.opts); /* which it keeps */

    *errors = '\0';
    ebpf_log__write(&log, EBPF_LOG_ERROR, "cannot %s", "select");
    CHECK_SAME(errors, "cannot select\n");
    CHECK(formatted == 3);
    free(backend->attempt);
}

/* If BPF fails for anything else than that it cannot be used at all, there is no other backend. */
static void test_bpf_fails(void)
{
    static const int errs[] = {-EPERM, -ENXIO, -ENOMEM, -ECANCELED};

    for (size_t i = 0; i < sizeof(errs) / sizeof(*errs); i++) {
        struct ebpf_source_opts opts = good_opts(EBPF_BACKEND_AUTO);

        bpf = (struct made_up){.err = errs[i], .message = "cannot do it"};
        CHECK(open_and_close(&opts, &bpf) == errs[i] && !tracefs.tried && !*warnings && infos == 1);
        CHECK_SAME(errors, "cannot do it\n");
    }
}

static void test_tracefs_instead(void)
{
    struct ebpf_source_opts opts = good_opts(EBPF_BACKEND_AUTO);

    bpf = (struct made_up){.err = -EOPNOTSUPP, .message = BPF_CAUSE};
    CHECK(!open_and_close(&opts, &tracefs) && bpf.tried == 1 && tracefs.tried == 1 && infos == 2 && !*errors);
    CHECK_SAME(warnings, "BPF cannot be used here (" BPF_CAUSE "): events come from tracefs, which sees less\n");
}

/* One line has both causes. */
static void test_neither(void)
{
    struct ebpf_source_opts opts = good_opts(EBPF_BACKEND_AUTO);

    bpf = (struct made_up){.err = -EOPNOTSUPP, .message = BPF_CAUSE};
    tracefs = (struct made_up){.err = -EPERM, .message = TRACEFS_CAUSE};
    CHECK(open_and_close(&opts, NULL) == -EOPNOTSUPP && !*warnings);
    CHECK_SAME(errors, BPF_CAUSE "; tracefs cannot be used either: " TRACEFS_CAUSE "\n");
    opts = good_opts(EBPF_BACKEND_AUTO);
    bpf = (struct made_up){.err = -EOPNOTSUPP, .message = BPF_CAUSE};
    tracefs.err = -ECANCELED;
    CHECK(open_and_close(&opts, NULL) == -ECANCELED && !*warnings && !*errors);
    opts = good_opts(EBPF_BACKEND_AUTO);
    opts.log = NULL;
    opts.log_line = NULL;
    bpf.err = -EOPNOTSUPP;
    tracefs.err = -EPERM;
    CHECK(open_and_close(&opts, NULL) == -EOPNOTSUPP && !infos && !formatted);
}

/* Options about BPF programs mean BPF. */
static void test_about_programs(void)
{
    for (int i = 0; i < 2; i++) {
        struct ebpf_source_opts opts = good_opts(EBPF_BACKEND_AUTO);

        bpf = (struct made_up){.err = -EOPNOTSUPP, .message = BPF_CAUSE};
        opts.attach = i ? EBPF_ATTACH_BEST : EBPF_ATTACH_KPROBE;
        opts.disable_hooks = i ? "fexit__ksys_setsid" : NULL;
        CHECK(open_and_close(&opts, NULL) == -EOPNOTSUPP && !tracefs.tried);
        CHECK_SAME(errors, BPF_CAUSE "\n");
        *errors = '\0';
        opts.backend = EBPF_BACKEND_TRACEFS;
        CHECK(open_and_close(&opts, NULL) == -EINVAL && !tracefs.tried && strstr(errors, "leave these options out"));
    }
}

int main(void)
{
    test_one();
    test_bpf_works();
    test_bpf_fails();
    test_tracefs_instead();
    test_neither();
    test_about_programs();
    return check__report();
}
