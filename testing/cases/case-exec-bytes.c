/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every byte that can be there, in arguments, environment, name of the executable, working directory and thread name;
 * and what looks like UTF-8 but is not, or is the encoding that stands for a byte.
 */
#include "case.h"

#define COMM_CHARS 15

/* Sequences for which a careless decoder and a strict one differ. */
static char *const sequences[] = {
    "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf", /* fine: 2, 3 and 4 bytes, the last code point */
    "\xef\xbb\xbf \xef\xbf\xbe \xef\xbf\xbf \xc2\x80",         /* fine: BOM, noncharacters, a C1 control */
    "\xf4\x8f\x9e\x80 \xf4\x8f\x9f\xbf",                       /* the code points that stand for bytes, literally */
    "\xf4\x8f\x9c\x81 \xf4\x8f\x9d\xbf \xf4\x8f\x9d\x80",      /* those just below, which stand for nothing */
    "\xc0\x80 \xc1\xbf \xe0\x80\x80 \xe0\x9f\xbf",             /* longer than need be */
    "\xf0\x80\x80\x80 \xf0\x8f\xbf\xbf",                       /* the same, of 4 bytes */
    "\xed\xa0\x80 \xed\xbf\xbf \xed\x9f\xbf",                  /* surrogates, and the last before them */
    "\xf4\x90\x80\x80 \xf5\x80\x80\x80 \xf8\x88\x80\x80\x80",  /* beyond the last code point */
    "\xc3",
    "\xe2\x82",
    "\xf0\x9f\x98",
    "\xe2\x82 \xf0\x9f",                          /* cut */
    "\xc3\xc3\xa9 \xe2\xe2\x82\xac \x80\xbf\xa9", /* a lead where a continuation should be; none at all */
    "\xfe\xff \xff\xfe",
    "\"\\/\b\f\n\r\t\x1b[2J\x7f \\u0041 \\\\\" \xe2\x80\xa8\xe2\x80\xa9",
};

/* All bytes from first to 255 in a row, but for one. */
static char *bytes_but(char *buf, int first, int without)
{
    char *end = buf;

    for (int byte = first; byte < 256; byte++) {
        if (byte != without)
            *end++ = byte;
    }
    *end = '\0';
    return buf;
}

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

/* Directory and executable have the same name but for the first byte. */
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

/* A thread name holds 15 bytes: a child for each part of all bytes, and for some sequences. */
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
