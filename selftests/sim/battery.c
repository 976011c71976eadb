// SPDX-License-Identifier: GPL-2.0
/*
 * A battery: a file with a few runs, one a line, which end at the first difference. It is
 * what each mutant of the engine is put through, see battery.txt.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

static int wrong_line(const char *name, int nr)
{
	fprintf(stderr, "sim: %s, line %d: write explore DEPTH POOL..., random EVENTS POOL..., stories FILE or batch FILE\n",
		name, nr);
	return 2;
}

/* @line without its comment; 0, 1 if there is a difference, 2 if the line is wrong */
static int run_line(const char *name, int nr, char *line)
{
	char *what = strtok(line, " \t"), *number = strtok(NULL, " \t"), *pool;

	if (!what)
		return 0;
	if (!strcmp(what, "stories") && number)
		return stories_main(number);
	if (!strcmp(what, "batch") && number)
		return batch_main(number);
	options.nr_specs = 0;
	while (number && (pool = strtok(NULL, " \t")))
		options_add_pool(pool);
	if (!options.nr_specs)
		return wrong_line(name, nr);
	if (!strcmp(what, "explore")) {
		options_set_depth(number);
		return explore_main();
	}
	if (!strcmp(what, "random")) {
		options_set_events(number);
		return random_main();
	}
	return wrong_line(name, nr);
}

int battery_main(const char *name)
{
	FILE *file = fopen(name, "r");
	char *text = NULL, *at, *line;
	size_t size = 0;
	int ret = 0, nr = 0;

	if (!file || getdelim(&text, &size, '\0', file) < 0) {
		fprintf(stderr, "sim: cannot read %s: %s\n", name, strerror(errno));
		return 2;
	}
	/* A worker that exits would move the position of an open file, which it shares. */
	fclose(file);
	at = text;
	while (!ret && (line = strsep(&at, "\n"))) {
		nr++;
		*strchrnul(line, '#') = '\0';
		ret = run_line(name, nr, line);
	}
	if (ret == 1)
		printf("battery: line %d differs\n", nr);
	if (!ret)
		printf("battery: no difference\n");
	free(text);
	return ret;
}
