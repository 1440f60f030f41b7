/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every possible byte in arguments, environment, name of the executable, working directory and thread name; and bytes
 * that look like UTF-8 but are not, or that are the encoding of a byte.
 */
#include "case.h"
#include "bytes.h"

#define COMM_CHARS 15

static void fact__strings(const char *key, char **strings)
{
    fact__array(key);
    for (; *strings; strings++)
        fact__bytes(NULL, *strings, strlen(*strings));
    fact__array_end();
}

struct image {
    char name[256];
    char *argv[300], *env[5];
};

static void exec_child(void *arg)
{
    struct image *image = arg;

    CHECK(!chdir(image->name));
    char path[512];

    snprintf(path, sizeof(path), "../x%s", image->name + 1);
    execve(path, image->argv, image->env);
    CHECK(!"execve");
}

static void image__init(struct image *image)
{
    static char all[256], single[256][2], env[300] = "BYTES=";
    size_t n = 0;

    bytes_but(image->name, 1, '/');
    image->argv[n++] = bytes_but(all, 1, -1);
    for (int byte = 1; byte < 256; byte++) {
        single[byte][0] = byte;
        image->argv[n++] = single[byte];
    }
    for (size_t i = 0; i < ARRAY_LEN(sequences); i++)
        image->argv[n++] = sequences[i];
    CHECK(n < ARRAY_LEN(image->argv));
    bytes_but(env + strlen(env), 1, -1);
    image->env[0] = child_env[0];
    image->env[1] = env;
    image->env[2] = sequences[2];
}

/* The names of directory and executable differ in the first byte only. */
static void exec_with_bytes(void)
{
    static struct image image;
    char file[256];

    image__init(&image);
    CHECK(!mkdir(image.name, 0755));
    strcpy(file, image.name);
    file[0] = 'x';
    self__copy(file);
    fact__int("child", child__run(exec_child, &image));
    fact__bytes("filename", file, strlen(file));
    fact__bytes("cwd", image.name, strlen(image.name));
    fact__strings("args", image.argv);
    fact__strings("env", image.env);
}

/* A thread name has 15 bytes: one child for each part of all bytes, and for some sequences. */
static void named_child(void *name)
{
    CHECK(!prctl(PR_SET_NAME, name));
}

static void name_child(const char *text)
{
    char name[COMM_CHARS + 1] = "";

    memcpy(name, text, strnlen(text, COMM_CHARS));
    fact__object(NULL);
    fact__int("pid", child__run(named_child, name));
    fact__bytes("comm", name, strlen(name));
    fact__object_end();
}

static void name_children(void)
{
    char all[256];

    fact__array("comms");
    for (int first = 1; first < 256; first += COMM_CHARS)
        name_child(bytes_but(all, first, -1));
    for (size_t i = 0; i < ARRAY_LEN(sequences); i++)
        name_child(sequences[i]);
    fact__array_end();
}

int main(void)
{
    case__dir();
    exec_with_bytes();
    name_children();
    return facts__print();
}
