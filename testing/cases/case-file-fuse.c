/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-file-fuse: write to files of a file system whose names the kernel forgets although they have not been deleted.
 * Its server gives the file "there" another number at each lookup, so the kernel removes the open one from its table of
 * names. And create directories that the server refuses, although its second lookup finds their names: nobody has
 * created them.
 */
#include "file-ops.h"

#include <linux/fuse.h>
#include <poll.h>
#include <sys/uio.h>

#define BUFFER_SIZE (FUSE_MIN_READ_BUFFER * 32)
#define NODE_GONE 2
#define REFUSALS 10
#define LOOKS 100

static uint64_t last_node = NODE_GONE;

static void reply(int fd, const struct fuse_in_header *in, int error, const void *data, size_t len)
{
    struct fuse_out_header out = {.len = (uint32_t)(sizeof(out) + len), .error = error, .unique = in->unique};
    struct iovec parts[] = {{&out, sizeof(out)}, {(void *)data, len}};

    CHECK(writev(fd, parts, 2) > 0 || errno == ENOENT); /* the process that asked is gone */
}

static void attr__fill(struct fuse_attr *attr, uint64_t node)
{
    *attr = (struct fuse_attr){.ino = node, .mode = S_IFREG | 0644, .nlink = 2, .blksize = 4096};
    if (node == FUSE_ROOT_ID)
        attr->mode = S_IFDIR | 0755;
}

/* Each name is looked up several times in a row. */
static bool is_further_look(const char *name)
{
    static char last[16];
    bool is_further = !strcmp(name, last);

    snprintf(last, sizeof(last), "%.*s", (int)sizeof(last) - 1, name);
    return is_further;
}

static void answer(int fd, const struct fuse_in_header *in, const void *body)
{
    struct fuse_entry_out entry = {0};
    struct fuse_attr_out attr = {0};
    struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 65536};
    struct fuse_open_out opened = {0};
    struct fuse_write_out written = {0};

    if (in->opcode == FUSE_LOOKUP && !strncmp(body, "refused", 7) && !is_further_look(body)) {
        reply(fd, in, -ENOENT, NULL, 0);
        return;
    }
    switch (in->opcode) {
    case FUSE_INIT:
        reply(fd, in, 0, &init, sizeof(init));
        break;
    case FUSE_LOOKUP:
        entry.nodeid = strcmp(body, "gone") ? ++last_node : NODE_GONE;
        attr__fill(&entry.attr, entry.nodeid);
        reply(fd, in, 0, &entry, sizeof(entry));
        break;
    case FUSE_GETATTR:
        attr__fill(&attr.attr, in->nodeid);
        reply(fd, in, 0, &attr, sizeof(attr));
        break;
    case FUSE_OPEN:
        opened.open_flags = FOPEN_DIRECT_IO;
        reply(fd, in, 0, &opened, sizeof(opened));
        break;
    case FUSE_WRITE:
        written.size = ((const struct fuse_write_in *)body)->size;
        reply(fd, in, 0, &written, sizeof(written));
        break;
    case FUSE_MKDIR:
        reply(fd, in, -EIO, NULL, 0);
        break;
    case FUSE_UNLINK:
    case FUSE_FLUSH:
    case FUSE_RELEASE:
        reply(fd, in, 0, NULL, 0);
        break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
        break;
    default:
        reply(fd, in, -ENOSYS, NULL, 0);
    }
}

static void serve(void *arg)
{
    static char buffer[BUFFER_SIZE];
    int fd = *(int *)arg;

    for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) > 0 || errno == EINTR;) {
        if (n > 0)
            answer(fd, (void *)buffer, buffer + sizeof(struct fuse_in_header));
    }
}

static void load_module(void *unused)
{
    (void)unused;
    CHECK(!setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1));
    _exit(system("modprobe fuse 2>/dev/null") != 0);
}

static void mount_fuse(void *arg)
{
    char options[100];

    snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", *(int *)arg);
    CHECK(!mount("case", case_dir, "fuse", 0, options));
}

static void write_to(int fd)
{
    CHECK(fd >= 0 && write(fd, "abc", 3) == 3);
}

int main(void)
{
    struct stat st;

    fact__int("pid", getpid());
    case__dir();
    child__wait(child__start(load_module, NULL));
    int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (device < 0)
        case__skip("the kernel has no FUSE");
    child__run(mount_fuse, &device);
    pid_t server = child__start(serve, &device);

    CHECK(!chdir(case_dir));
    int there = open("there", O_WRONLY | O_CLOEXEC), gone = open("gone", O_WRONLY | O_CLOEXEC);
    int numbered = open("#1x", O_WRONLY | O_CLOEXEC); /* a name that O_TMPFILE might give */

    write_to(there);
    CHECK(!stat("there", &st));
    write_to(there); /* it still exists, under another number */
    write_to(numbered);
    CHECK(!stat("#1x", &st));
    write_to(numbered);
    CHECK(!unlink("gone"));
    write_to(gone); /* it is not, although it has another name */
    for (int i = 0; i < REFUSALS; i++) {
        char name[16];

        snprintf(name, sizeof(name), "refused%d", i);
        CHECK(mkdir(name, 0755) < 0 && errno == EIO);
        /* each lookup allocates a dentry for the name; one of them gets the memory of the refused one */
        for (int look = 0; look < LOOKS; look++) {
            poll(NULL, 0, 1);
            CHECK(mkdir(name, 0755) < 0 && errno == EEXIST);
        }
    }
    CHECK(!close(there) && !close(numbered) && !close(gone));
    CHECK(!chdir("/") && !umount2(case_dir, MNT_DETACH) && !close(device));
    kill(server, SIGKILL);
    child__wait(server);
    return facts__print();
}
