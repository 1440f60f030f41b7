/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Removes the row macros of Events.def, so that the next including file starts with none. No include guard. */
#undef RING
#undef REASON
#undef TAG
#undef ENUM
#undef VALUE
#undef END_ENUM
#undef GROUP
#undef END_GROUP
#undef REPEATS
#undef EVENT
#undef NOTE
#undef BUDGETED
#undef FIELD
#undef FIELD_IF
#undef FLAG
#undef VARLEN
#undef OPTIONAL
#undef END_EVENT
