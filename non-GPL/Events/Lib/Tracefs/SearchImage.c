// SPDX-License-Identifier: BSD-2-Clause
/* SearchImage.c - what the kernel has of a program that is about to be executed; see TraceSearch.h. */
#include "TraceSearch.h"

#include <sys/mman.h>
#include <unistd.h>

#define IMAGE_NAME "ebpf-events-no-program"
#define IMAGE_TEXT "no program\n" /* of characters, or the kernel would look for a module that can execute it */

static bool file__is_named(struct search *s, uint64_t file, const char *name)
{
    const int *of = s->offsets->of;
    uint64_t words[PEEK_WORDS];

    return word__is_pointer(file) && trace_peek__read(&s->peek, file, words) &&
           trace_peek__read(&s->peek, words[of[TRACE_MEMBER_file_dentry] / 8], words) &&
           !strcmp(search__text(s, words[of[TRACE_MEMBER_dentry_name] / 8]), name);
}

void search__image(struct search *s)
{
    int *of = s->offsets->of, found = TRACE_OFFSET_UNKNOWN, hits = 0;
    int fd = memfd_create(IMAGE_NAME, MFD_CLOEXEC);
    uint64_t words[PEEK_IMAGE_WORDS];

    if (fd < 0)
        return;
    if (of[TRACE_MEMBER_file_dentry] >= 0 && of[TRACE_MEMBER_dentry_name] >= 0 &&
        write(fd, IMAGE_TEXT, strlen(IMAGE_TEXT)) > 0 && trace_peek__image(&s->peek, fd, words)) {
        for (int i = 0; i < PEEK_IMAGE_WORDS; i++) {
            if (!file__is_named(s, words[i], "memfd:" IMAGE_NAME))
                continue;
            found = i * 8;
            hits++;
        }
    }
    of[TRACE_MEMBER_binprm_file] = hits == 1 ? found : TRACE_OFFSET_UNKNOWN;
    close(fd);
}
