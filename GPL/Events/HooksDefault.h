/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rows of Hooks.def that its reader has no use for. No include guard: the table is read many times. */
#ifndef HOOK
#define HOOK(EVENT, way, program, doc)
#endif
#ifndef HOOK_OPTIONAL
#define HOOK_OPTIONAL(EVENT, program, doc)
#endif
#ifndef HOOK_FILE_SYSTEM
#define HOOK_FILE_SYSTEM(program, name)
#endif
#ifndef HOOK_LSM
#define HOOK_LSM(program, lsm)
#endif
#ifndef HOOK_KPROBE
#define HOOK_KPROBE(program, kprobe)
#endif
#ifndef HOOK_SESSION
#define HOOK_SESSION(program, session)
#endif
#ifndef HOOK_BODY
#define HOOK_BODY(program, hook, map)
#endif
#ifndef HOOK_SPARE
#define HOOK_SPARE(program, spare)
#endif
#define HOOK_SPARES(program)                                                                                           \
    HOOK_SPARE(program, program##_spare1)                                                                              \
    HOOK_SPARE(program, program##_spare2)
#ifndef HOOK_SECOND
#define HOOK_SECOND(program, second)
#endif
#ifndef HOOK_EMITS
#define HOOK_EMITS(program, EVENT)
#endif
#ifndef HOOK_IF_THERE
#define HOOK_IF_THERE(EVENT, program)
#endif
#ifndef HOOK_UNLESS
#define HOOK_UNLESS(program, function)
#endif
#ifndef HOOK_TRIAL
#define HOOK_TRIAL(program, trial)
#endif
#ifndef HOOK_SELECTS
#define HOOK_SELECTS(program, KIND, doc)
#endif
#ifndef HOOK_FEATURE
#define HOOK_FEATURE(program)
#endif
