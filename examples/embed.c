/* SPDX-License-Identifier: BSD-2-Clause */
/* embed - prints process id and path of each exec. Needs root. See ebpf-events(3). */
#include <EbpfEvents.h>
#include <errno.h>
#include <stdio.h>

static int on_event(void *user, const struct ebpf_event *event)
{
    const struct ebpf_process_exec_event *exec = (const void *)event->hdr;
    struct ebpf_field filename;
    char path[EBPF_PATH_MAX + 2];

    (void)user;
    if (ebpf_event__field(event, EBPF_TAG_FILENAME, &filename))
        return -1; /* counted as lost */
    if (ebpf_field__path(&filename, path, sizeof(path)) < 0)
        return -1;
    printf("%u %s\n", exec->pids.tgid, path);
    return 0;
}

int main(void)
{
    struct ebpf_source_opts opts = {.sz = sizeof(opts), .handler = on_event};
    struct ebpf_source *source;

    setlinebuf(stdout);
    ebpf_event_set__add(&opts.events, EBPF_EVENT_PROCESS_EXEC);
    int err = ebpf_source__open(&opts, &source);

    if (err) {
        perror("embed: cannot open a source");
        return 1;
    }
    do {
        err = ebpf_source__poll(source, -1); // calls on_event for each event
    } while (err >= 0 || err == -EINTR);
    ebpf_source__close(source);
    return 1; /* it ends only if something failed */
}
