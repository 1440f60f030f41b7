// SPDX-License-Identifier: BSD-2-Clause
/* test-output.c - what testing/tool cannot bring about at will: a write that finds no room where there seemed to be */
#include "../../non-GPL/Events/EventsTrace/Output.c"

#include "check.h"

static void put(struct output *output, const char *line)
{
    char *room = output__reserve_notice(output, strlen(line));

    if (!CHECK(room))
        return;
    memcpy(room, line, strlen(line));
    output__commit(output, strlen(line));
}

/* Another writer was quicker, once. */
static void test_goes_on_after_no_room(void)
{
    for (int patient = 0; patient < 2; patient++) {
        struct output output;
        char text[16];
        int ends[2];

        if (!CHECK(!pipe2(ends, O_CLOEXEC)) || !CHECK(!output__init(&output, ends[1], OUTPUT_BUFFER, patient, -1)))
            continue;
        output.stuck = true;
        put(&output, "line");
        output__flush(&output);
        output__flush(&output);
        CHECK(output__used(&output) == 0);
        CHECK(read(ends[0], text, sizeof(text)) == 5);
        output__fini(&output);
        close(ends[0]);
        close(ends[1]);
    }
}

int main(void)
{
    test_goes_on_after_no_room();
    return check__report();
}
