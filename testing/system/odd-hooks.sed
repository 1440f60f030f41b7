# SPDX-License-Identifier: BSD-2-Clause
#
# Turns Hooks.def into the table of EventsTrace-odd-hooks: a row whose program and spare do not exist; a trial that does
# not call the function that its program is attached to, which nothing replaces; and a missing program, as if the kernel
# skipped all its runs.
s/^PROGRAM(fexit__ksys_setsid,/& TRIAL(MKDIR),/
s/ ELSE(fentry__proc_sid_connector),//
s/^PROGRAM(tp_btf__tcp_destroy_sock,/& UNLESS(tcp_connect),/
s/^PROGRAM(fentry__probe_trampoline)/&\
PROGRAM(fentry__no_such_program, EVENTS(ADDS(PROCESS_SETSID, "for a test")), SPARES(1, SETSID, no_such_map))/
