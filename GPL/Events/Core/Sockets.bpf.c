// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sockets.bpf.c - the table of sockets; see Sockets.h.
 *
 * In this folder, because the static linker of libbpf places a map wrongly whose declaration it has seen before its
 * definition, and files are linked in the order of their names.
 */
#include "Sockets.h"

struct sockets_map sockets SEC(".maps");
