// SPDX-License-Identifier: BSD-2-Clause
/* SearchNamespaces.c - namespaces of a task; see TraceSearch.h. */
#include "TraceSearch.h"

#include <sys/stat.h>

#define NAMESPACES 7
#define FAR_BYTES 4096 /* struct ipc_namespace is long, and has its number at its end */
#define NSPROXY_WORDS 10

static const struct {
    const char *path;
    enum trace_member pointer, inum;
} namespaces[NAMESPACES] = {
    {"/proc/self/ns/uts", TRACE_MEMBER_nsproxy_uts, TRACE_MEMBER_uts_inum},
    {"/proc/self/ns/ipc", TRACE_MEMBER_nsproxy_ipc, TRACE_MEMBER_ipc_inum},
    {"/proc/self/ns/mnt", TRACE_MEMBER_nsproxy_mnt, TRACE_MEMBER_mnt_inum},
    {"/proc/self/ns/pid_for_children", TRACE_MEMBER_nsproxy_pid, TRACE_MEMBER_pid_inum},
    {"/proc/self/ns/time", TRACE_MEMBER_nsproxy_time, TRACE_MEMBER_time_inum},
    {"/proc/self/ns/net", TRACE_MEMBER_nsproxy_net, TRACE_MEMBER_net_inum},
    {"/proc/self/ns/cgroup", TRACE_MEMBER_nsproxy_cgroup, TRACE_MEMBER_cgroup_inum},
};

/* Look for the namespaces of this process behind what may be its nsproxy. Returns how many there are. */
static int nsproxy__match(struct search *s, uint64_t nsproxy, int ret_pointers[NAMESPACES], int ret_inums[NAMESPACES])
{
    uint64_t target[PEEK_WORDS];
    int matches = 0;

    if (!trace_peek__read(&s->peek, nsproxy, target) || target[0] >> 32) /* it begins with a count of references */
        return 0;
    for (int n = 0; n < NAMESPACES; n++) {
        struct stat st;

        ret_inums[n] = TRACE_OFFSET_UNKNOWN;
        for (int i = 1; i < NSPROXY_WORDS && ret_inums[n] < 0 && !stat(namespaces[n].path, &st); i++) {
            ret_inums[n] = search__u32(s, target[i], (uint32_t)st.st_ino, PEEK_WORDS * 8);
            ret_pointers[n] = i * 8;
        }
        matches += ret_inums[n] >= 0;
    }
    return matches;
}

/* Look farther for those that were not found, behind the pointers that are no other namespace's. */
static void nsproxy__match_far(struct search *s, uint64_t nsproxy, int pointers[NAMESPACES], int inums[NAMESPACES])
{
    uint64_t target[PEEK_WORDS];
    struct stat st;

    if (!trace_peek__read(&s->peek, nsproxy, target))
        return;
    for (int n = 0; n < NAMESPACES; n++) {
        for (int i = 1; i < NSPROXY_WORDS && inums[n] < 0 && !stat(namespaces[n].path, &st); i++) {
            bool is_other = false;

            for (int m = 0; m < NAMESPACES; m++)
                is_other = is_other || (inums[m] >= 0 && target[pointers[m] / 8] == target[i]);
            if (is_other)
                continue;
            inums[n] = search__u32(s, target[i], (uint32_t)st.st_ino, FAR_BYTES);
            pointers[n] = i * 8;
        }
    }
}

void search__namespaces(struct search *s)
{
    int *of = s->offsets->of, pointers[NAMESPACES] = {0}, inums[NAMESPACES] = {0};

    for (size_t i = 0; i < TASK_WORDS; i++) {
        uint64_t word = s->children[0].words[i];

        if ((int64_t)word >= 0 || word != s->children[1].words[i] || nsproxy__match(s, word, pointers, inums) < 3)
            continue;
        of[TRACE_MEMBER_task_nsproxy] = (int)i * 8;
        nsproxy__match_far(s, word, pointers, inums);
        for (int n = 0; n < NAMESPACES; n++) {
            of[namespaces[n].pointer] = inums[n] < 0 ? TRACE_OFFSET_UNKNOWN : pointers[n];
            of[namespaces[n].inum] = inums[n];
        }
        return;
    }
}
