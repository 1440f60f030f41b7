/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case-elastic: operations that --format elastic reports differently: a program by a relative name, created files, a
 * connect.
 */
#include "case.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* In its own directory, with arguments that contain blanks, and an almost empty environment. */
static void exec_relative(void *unused)
{
    char *argv[] = {"./case-elastic", "a b", "", NULL}, *env[] = {"CASE_CHILD=0", "E=x y", NULL};

    (void)unused;
    CHECK(!chdir("/opt/bin"));
    execve("./case-elastic", argv, env);
    CHECK(!"execve");
}

static void make_files(void)
{
    char dir[] = "/tmp/case-elastic-XXXXXX";

    CHECK(mkdtemp(dir) && !chdir(dir));
    CHECK(!mkdir("dir", 0700) && !symlink("dir", "symlink") && !mkfifo("fifo", 0600));
    int fd = open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    CHECK(fd >= 0 && !close(fd));
    CHECK(!mknod("node", S_IFREG | 0600, 0));
    fd = open(".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && !linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH) && !close(fd));
    CHECK(!chmod("file", 0640) && !utimensat(AT_FDCWD, "file", NULL, 0));
    fact__str("dir", dir);
}

/* No process listens there: the port belongs to this socket. */
static void connect_refused(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(bound >= 0 && !bind(bound, (struct sockaddr *)&address, sizeof(address)));
    CHECK(!getsockname(bound, (struct sockaddr *)&address, &len));
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno == ECONNREFUSED);
    CHECK(!close(fd) && !close(bound));
    fact__int("port", ntohs(address.sin_port));
}

int main(void)
{
    fact__int("pid", getpid());
    fact__int("child", child__run(exec_relative, NULL));
    make_files();
    connect_refused();
    return facts__print();
}
