// SPDX-License-Identifier: BSD-2-Clause
/* JsonReport.c - losses, counts, and processes that exceed a budget, as lines of JSON. */
#include "JsonText.h"
#include "Stats.h"

static void json__key(struct json_out *out, const char *key)
{
    JSON_LITERAL(out, "\"");
    ebpf_json__text(out, key);
    JSON_LITERAL(out, "\":");
}

/* Write the reasons for which events were lost. Returns how many events those are. */
static uint64_t json__reasons(struct json_out *out, const uint64_t counts[EBPF_REASON_COUNT])
{
    uint64_t total = 0;

    JSON_LITERAL(out, "{");
    for (unsigned int i = 0; i < EBPF_REASON_COUNT; i++) {
        if (!counts[i] || !ebpf_reason__key(i))
            continue;
        json__key(out, ebpf_reason__key(i));
        ebpf_json__number(out, counts[i]);
        total += counts[i];
    }
    json__close(out, '}');
    return total;
}

static void json__times(struct json_out *out, uint64_t time_ns, uint64_t ts_boot_ns)
{
    char overflow[JSON_TIMES_MAX + JSON_SLACK], *from = json__begin(out, JSON_TIMES_MAX, overflow);

    json__commit(out, from, ebpf_json__write_times(from, time_ns, ts_boot_ns));
}

int ebpf_loss__json(const struct ebpf_loss *loss, char *buf, size_t size)
{
    struct json_out out;
    uint64_t total = 0;

    if (json__begin_line(&out, buf, size))
        return -ENOSPC;
    JSON_LITERAL(&out, "{\"event_type\":\"EVENTS_LOST\",\"first_seq\":");
    ebpf_json__number(&out, loss->first_seq);
    JSON_LITERAL(&out, "\"last_seq\":");
    ebpf_json__number(&out, loss->last_seq);
    JSON_LITERAL(&out, "\"lost\":{");
    for (unsigned int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        const uint64_t *counts = loss__of(loss)->counts[type];

        if (!ebpf_event_type__name(type) || !lost__sum(counts))
            continue;
        json__key(&out, ebpf_event_type__name(type));
        total += json__reasons(&out, counts);
    }
    json__close(&out, '}');
    JSON_LITERAL(&out, "\"total\":");
    ebpf_json__number(&out, total);
    json__times(&out, loss->time_ns, loss->ts_boot_ns);
    json__close(&out, '}');
    return json__end_line(&out, buf);
}

static void json__pair(struct json_out *out, const char *key, uint64_t number)
{
    json__key(out, key);
    ebpf_json__number(out, number);
}

static void json__pids(struct json_out *out, const struct ebpf_pid_info *pids)
{
    json__pair(out, "tid", pids->tid);
    json__pair(out, "tgid", pids->tgid);
    json__pair(out, "ppid", pids->ppid);
    json__pair(out, "pgid", pids->pgid);
    json__pair(out, "sid", pids->sid);
    json__pair(out, "start_time_ns", pids->start_time_ns);
}

int ebpf_over_budget__json(const struct ebpf_over_budget *over, char *buf, size_t size)
{
    struct json_out out;

    if (json__begin_line(&out, buf, size))
        return -ENOSPC;
    JSON_LITERAL(&out, "{\"event_type\":\"EVENTS_OVER_BUDGET\",\"pids\":{");
    json__pids(&out, &over->pids);
    json__close(&out, '}');
    json__pair(&out, "uid", over->uid);
    json__pair(&out, "lost", over->lost);
    JSON_LITERAL(&out, "\"comm\":\"");
    out.readable = over->comm + sizeof(over->comm);
    ebpf_json__escaped(&out, (struct slice){over->comm, strnlen(over->comm, sizeof(over->comm))});
    JSON_LITERAL(&out, "\",");
    json__times(&out, over->time_ns, over->ts_boot_ns);
    json__close(&out, '}');
    return json__end_line(&out, buf);
}

static void json__type_counts(struct json_out *out, const struct type_counts *counts)
{
    JSON_LITERAL(out, "{\"seen\":");
    ebpf_json__number(out, counts->seen);
    JSON_LITERAL(out, "\"delivered\":");
    ebpf_json__number(out, counts->delivered);
    JSON_LITERAL(out, "\"filtered\":");
    ebpf_json__number(out, counts->filtered);
    JSON_LITERAL(out, "\"lost\":");
    json__reasons(out, counts->lost);
    json__close(out, '}');
}

static bool type_counts__are_zero(const struct type_counts *counts)
{
    return !counts->seen && !counts->delivered && !counts->filtered && !lost__sum(counts->lost);
}

int ebpf_stats__json(const struct ebpf_stats *user_stats, char *buf, size_t size)
{
    static const struct stats none;
    const struct stats *stats = user_stats ? stats__of(user_stats) : &none;
    struct json_out out;

    if (json__begin_line(&out, buf, size))
        return -ENOSPC;
    JSON_LITERAL(&out, "{\"event_type\":\"STATS\",\"records\":");
    ebpf_json__number(&out, stats->head.records);
    if (stats->head.corrupt) {
        json__key(&out, "corrupt");
        ebpf_json__number(&out, stats->head.corrupt);
    }
    JSON_LITERAL(&out, "\"events\":{");
    for (unsigned int type = 0; type < EBPF_EVENT_TYPE_COUNT; type++) {
        if (!ebpf_event_type__name(type) || type_counts__are_zero(&stats->types[type]))
            continue;
        json__key(&out, ebpf_event_type__name(type));
        json__type_counts(&out, &stats->types[type]);
    }
    json__close(&out, '}');
    json__close(&out, '}');
    return json__end_line(&out, buf);
}
