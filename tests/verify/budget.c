// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "budget.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_LEN = 256, EXIT_UNREADABLE = 2 };

long budget_of(const char *path, const char *first, const char *second)
{
	FILE *file = fopen(path, "re");
	char line[LINE_LEN];
	long budget = -1;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(EXIT_UNREADABLE);
	}
	while (budget < 0 && fgets(line, sizeof(line), file)) {
		char *rest = NULL;
		const char *one = strtok_r(line, " \t\n", &rest);
		const char *two = strtok_r(NULL, " \t\n", &rest);
		const char *number = strtok_r(NULL, " \t\n", &rest);

		if (number && !strcmp(one, first) && !strcmp(two, second))
			budget = strtol(number, NULL, 10);
	}
	fclose(file);
	return budget;
}
