/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trees.c - fills the table of descendants at the start; see Trees.h.
 *
 * Processes start while /proc is read, so it is read again until no process is found that the table does not have.
 */
#include "Trees.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PID_MAX_PATH "/proc/sys/kernel/pid_max"
#define PID_MAX_DEFAULT 4194304u
#define ROUNDS_MAX 64

uint32_t trees__chunk_count(void)
{
    FILE *file = fopen(PID_MAX_PATH, "r");
    unsigned int max = 0;

    if (file && fscanf(file, "%u", &max) != 1)
        max = 0;
    if (file)
        fclose(file);
    if (!max || max > PID_MAX_DEFAULT)
        max = PID_MAX_DEFAULT;
    return max / TREE_CHUNK + 1;
}

/* Return the parent of a process, 0 if it has none or has gone. Its name may contain any bytes, even parentheses. */
static uint32_t process__parent(uint32_t pid)
{
    char path[64], stat[512];
    uint32_t parent = 0;

    snprintf(path, sizeof(path), "/proc/%u/stat", pid);
    FILE *file = fopen(path, "r");

    if (!file)
        return 0;
    size_t len = fread(stat, 1, sizeof(stat) - 1, file);

    fclose(file);
    stat[len] = '\0';
    const char *end = strrchr(stat, ')');

    return end && sscanf(end + 1, " %*c %u", &parent) == 1 ? parent : 0;
}

/* Return the entry of a process; NULL for an id that no process had when the table was made. */
static uint16_t *entry__of(struct tree_chunk *table, uint32_t chunks, uint32_t pid)
{
    return pid / TREE_CHUNK < chunks ? &table[pid / TREE_CHUNK].entries[pid % TREE_CHUNK] : NULL;
}

/* Copy the flags of a process from its parent, if known; without a parent it has none. Returns whether they are new. */
static bool process__mark(struct tree_chunk *table, uint32_t chunks, uint32_t pid)
{
    volatile uint16_t *entry = entry__of(table, chunks, pid);
    uint32_t parent = process__parent(pid);
    uint16_t of_parent = TREE_KNOWN;

    if (parent) {
        const uint16_t *parent_entry = entry__of(table, chunks, parent);

        of_parent = parent_entry ? *parent_entry : 0;
    }
    if (!entry || *entry & TREE_KNOWN || !(of_parent & TREE_KNOWN))
        return false;
    *entry = of_parent & ((1u << TREE_BITS) - 1);
    return true;
}

static bool trees__round(struct tree_chunk *table, uint32_t chunks)
{
    DIR *proc = opendir("/proc");
    bool news = false;

    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, 10);

        if (pid)
            news |= process__mark(table, chunks, pid);
    }
    if (proc)
        closedir(proc);
    return news;
}

int trees__mark(struct tree_chunk *table, uint32_t chunks, const struct ebpf_condition *conditions, size_t count)
{
    memset(table, 0, sizeof(*table) * chunks);
    for (size_t i = 0; i < count; i++) {
        uint16_t *entry = conditions[i].kind == EBPF_SELECT_TREE ? entry__of(table, chunks, conditions[i].id) : NULL;

        if (entry)
            *entry |= TREE_KNOWN | (conditions[i].exclude ? TREE_EXCLUDED : TREE_INCLUDED);
    }
    if (access("/proc/self/stat", R_OK))
        return -errno;
    for (int i = 0; i < ROUNDS_MAX && trees__round(table, chunks); i++)
        ;
    return 0;
}
