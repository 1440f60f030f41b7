// SPDX-License-Identifier: BSD-2-Clause
/*
 * btf-without FILE NAME... - writes the kernel's types to a file, without these names.
 *
 * A name of a type, member or function gets another first letter, wherever it is used, so offsets, ids and all else
 * stay. A program that reads the file sees a kernel that was built without what has the name, or whose compiler has
 * inlined or renamed a function; the kernel itself still has it. Status 2 if the kernel has one of the names not.
 */
#include <err.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BTF_PATH "/sys/kernel/btf/vmlinux"
#define OTHER_LETTER '9' /* begins no name in C */

static char *read_all(size_t *ret_size)
{
    FILE *file = fopen(BTF_PATH, "r");
    size_t room = 16 << 20;
    char *bytes = malloc(room);

    if (!file || !bytes)
        err(1, "%s", BTF_PATH);
    *ret_size = fread(bytes, 1, room, file);
    if (*ret_size < sizeof(struct btf_header) || *ret_size == room)
        errx(1, "%s: %zu bytes", BTF_PATH, *ret_size);
    fclose(file);
    return bytes;
}

/* Return whether the name was there; each string is stored once. */
static bool rename_string(char *strings, const char *end, const char *name)
{
    while (strings < end && strcmp(strings, name) != 0)
        strings += strlen(strings) + 1;
    if (strings < end)
        *strings = OTHER_LETTER;
    else
        warnx("the kernel has no %s", name);
    return strings < end;
}

int main(int argc, char **argv)
{
    size_t size;
    char *bytes = read_all(&size);
    const struct btf_header *header = (const void *)bytes;
    char *strings = bytes + header->hdr_len + header->str_off;
    FILE *file = argc > 2 ? fopen(argv[1], "w") : NULL;
    bool all = true;

    if (!file)
        err(1, "btf-without FILE NAME...");
    for (int i = 2; i < argc; i++)
        all &= rename_string(strings, strings + header->str_len, argv[i]);
    if (fwrite(bytes, 1, size, file) != size || fclose(file))
        err(1, "%s", argv[1]);
    return all ? 0 : 2;
}
