/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Defines the rows of Events.def that the including file has not defined as empty. No include guard: the schema is
 * included many times.
 */
#ifndef RING
#define RING(id, NAME, doc)
#endif
#ifndef REASON
#define REASON(id, NAME, key, doc)
#endif
#ifndef TAG
#define TAG(id, NAME, kind, key)
#endif
#ifndef ENUM
#define ENUM(name, doc)
#endif
#ifndef VALUE
#define VALUE(id, NAME, text, doc)
#endif
#ifndef END_ENUM
#define END_ENUM(name)
#endif
#ifndef GROUP
#define GROUP(name, doc)
#endif
#ifndef END_GROUP
#define END_GROUP(name)
#endif
#ifndef EVENT
#define EVENT(id, NAME, name, option, ring, doc)
#endif
#ifndef NOTE
#define NOTE(name, text)
#endif
#ifndef BUDGETED
#define BUDGETED(name, which)
#endif
#ifndef REPEATS
#define REPEATS(group, member)
#endif
#ifndef FIELD
#define FIELD(kind, name, key, doc)
#endif
#ifndef FIELD_IF
#define FIELD_IF(kind, name, key, FLAG_NAME, doc) FIELD(kind, name, key, doc)
#endif
#ifndef FLAG
#define FLAG(NAME, bit, key, doc)
#endif
#ifndef VARLEN
#define VARLEN(TAG_NAME, doc)
#endif
#ifndef OPTIONAL
#define OPTIONAL(TAG_NAME, doc)
#endif
#ifndef END_EVENT
#define END_EVENT(name)
#endif
