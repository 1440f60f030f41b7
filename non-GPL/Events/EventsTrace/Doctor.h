/* SPDX-License-Identifier: BSD-2-Clause */
/* Doctor.h - a report of what this machine offers, and what the selected events lack here. */
#ifndef EVENTS_TRACE_DOCTOR_H
#define EVENTS_TRACE_DOCTOR_H

#include "Options.h"

/* Exit codes of --doctor, besides EXIT_USAGE for a mistake in the command line and EXIT_OUTPUT. */
enum doctor_code {
    DOCTOR_WHOLE = 0,
    DOCTOR_LIMITED = 1,
    DOCTOR_SOME_MISSING = 2,
    DOCTOR_NONE = 3,
};

/* Print the report on standard output, for people or as JSON. Returns the exit code. */
int doctor__report(const struct options *options);

#endif
