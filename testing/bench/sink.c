/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink - reads standard input and discards it; creates the file READY when the first byte has arrived.
 *
 *   sink READY
 */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char buffer[65536];
    ssize_t got;
    int ready = 0;

    if (argc != 2)
        return 2;
    while ((got = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
        if (!ready) {
            close(open(argv[1], O_WRONLY | O_CREAT, 0600));
            ready = 1;
        }
    return got < 0;
}
