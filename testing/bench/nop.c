/* SPDX-License-Identifier: BSD-2-Clause */
/* nop - does nothing; the program that the load generator executes. */
int main(void)
{
    return 0;
}
