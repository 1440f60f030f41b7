/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Origins.h - where the values in the registers of a program come from, and which of them are still needed; see
 * Untype.h.
 */
#ifndef EBPF_BPF_ORIGINS_H
#define EBPF_BPF_ORIGINS_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORIGIN_REGISTERS 11
#define FRAME_BYTES 512
#define FRAME_WORDS (FRAME_BYTES / 8)

/* In the order in which they win where two ways through a program meet. */
enum origin_kind {
    ORIGIN_OTHER,
    ORIGIN_FRAME,   /* an address in the function's stack frame */
    ORIGIN_FRAMES,  /* several of these */
    ORIGIN_CONTEXT, /* the context of the program */
    ORIGIN_TYPED,   /* a pointer whose type the verifier knows, or what was loaded through one */
    ORIGIN_KERNEL,  /* a number that is used as an address of the kernel, or what was loaded through one */
};

struct origin {
    uint16_t kind;
    int16_t offset; /* in the frame */
};

/* What is known before an instruction. */
struct origins {
    struct origin registers[ORIGIN_REGISTERS];
    struct origin frame[FRAME_WORDS];
    uint16_t set; /* bit n: register n has a value, whichever way led here */
    uint16_t is_reached;
};

/* What is known of a program. */
struct flow {
    const struct bpf_insn *insns;
    size_t count;
    bool has_current_btf, is_converted;
    bool computes_context;  /* another address than that of the context itself */
    struct origins *before; /* each instruction */
    uint16_t *needed;       /* bit n: register n is read after the instruction before it is written */
    int16_t *lowest;        /* of the first instruction of a function: the lowest offset in its frame that it uses */
    uint32_t *functions;    /* of each instruction: the first one of its function */
};

/*
 * Analyse a program; `ret_flow` is cleared but for the two conditions of untype. 0, -ENOMEM, or -EOPNOTSUPP for one
 * with callbacks. Free with flow__free, also after an error.
 */
int flow__find(struct flow *ret_flow, const struct bpf_insn *insns, size_t count);

void flow__free(struct flow *flow);

/* Return whether an instruction loads an argument of the function that a converted program is for. */
bool flow__is_argument(const struct flow *flow, size_t i);

/* Return whether an instruction loads from an address that the verifier does not let it use. */
bool flow__is_kernel_load(const struct flow *flow, size_t i);

#endif
