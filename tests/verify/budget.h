/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The lines of tests/verify/budget.txt: two words and a number. */
#ifndef MRD_TESTS_BUDGET_H
#define MRD_TESTS_BUDGET_H

/* -1: the file has no line of these words. Exits if it cannot be read. */
long budget_of(const char *path, const char *first, const char *second);

#endif
