// SPDX-License-Identifier: BSD-2-Clause
/* test-output.c - states that testing/tool cannot cause at will: a write that finds no room where there seemed to be */
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

/*
 * When the time for the last writes is over, a descriptor that has blocked is not tried again for each remaining line.
 */
static void test_blocks_once_at_the_end(void)
{
    struct output output;
    int ends[2];

    if (!CHECK(!pipe2(ends, O_CLOEXEC)) || !CHECK(!output__init(&output, ends[1], OUTPUT_BUFFER, true, -1)))
        return;
    CHECK(!output__make_timer(&output) && write(ends[1], "x", 1) == 1); /* an empty pipe never blocks */
    output__set_deadline(&output, 0);
    output.stuck = true;
    put(&output, "line");
    for (int i = 0; i < 4; i++)
        output__flush(&output);
    CHECK(output__used(&output) == 5);
    output__fini(&output);
    close(ends[0]);
    close(ends[1]);
}

/* The lines that are not in the pipe, or not completely. */
static void test_what_is_left(void)
{
    static char line[1000];
    const struct output_line *left;
    struct output output;
    int ends[2];

    if (!CHECK(!pipe2(ends, O_CLOEXEC)) || !CHECK(!output__init(&output, ends[1], OUTPUT_BUFFER, false, -1)))
        return;
    memset(line, 'x', sizeof(line) - 1);
    for (unsigned int i = 1; i <= 1500; i++) { /* a pipe takes 65 of them, and half of another one */
        char *room = output__reserve(&output, sizeof(line));

        if (!CHECK(room))
            return;
        memcpy(room, line, sizeof(line));
        output__commit_events(&output, sizeof(line) - 1, 7, i);
        if (i % 64 == 0)
            output__flush(&output);
    }
    size_t count = output__left(&output, &left);

    CHECK(count > 1400 && left[count - 1].events == 1500);
    for (size_t i = 0; i < count; i++)
        CHECK(left[i].type == 7 && left[i].len == sizeof(line) && left[i].events == 1500 - count + 1 + i);
    CHECK(output.partial < sizeof(line));
    CHECK((1500 - count) * sizeof(line) + output.partial + output__used(&output) == 1500 * sizeof(line));
    output__fini(&output);
    close(ends[0]);
    close(ends[1]);
}

/* A writer that answers has the time to write everything, although the time for the last writes is over. */
static void test_writer_has_grace(void)
{
    struct output output;
    char path[] = "/tmp/test-output-XXXXXX";
    int file = mkstemp(path);
    struct stat st;

    if (!CHECK(file >= 0) || !CHECK(!output__init(&output, file, OUTPUT_BUFFER, true, -1)))
        return;
    output__set_deadline(&output, 60000);
    output.deadline_ms = now__ms();
    for (int i = 0; i < 3; i++) {
        put(&output, "line");
        output__flush(&output);
    }
    CHECK(output__used(&output) == 0 && !output.full && !output.error);
    output__fini(&output);
    CHECK(!stat(path, &st) && st.st_size == 15);
    unlink(path);
    close(file);
}

int main(void)
{
    test_writer_has_grace();
    test_goes_on_after_no_room();
    test_blocks_once_at_the_end();
    test_what_is_left();
    return check__report();
}
