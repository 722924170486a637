/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

enum { ARGS_MAX = 12 };

struct outcome {
	int status;
	struct mrd_ctl_options options;
	char *err;
};

static void read_line(const char *line, struct outcome *outcome)
{
	MRD_AUTO_FREE char *copy = strdup(line);
	char *argv[ARGS_MAX + 1] = {(char *)"meridianctl"};
	char *rest = NULL;
	size_t size = 0;
	int argc = 1;
	FILE *err;

	*outcome = (struct outcome){0};
	for (char *word = strtok_r(copy, " ", &rest); word && argc < ARGS_MAX;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	err = open_memstream(&outcome->err, &size);
	outcome->status = mrd_ctl_options_read(argc, argv, err, &outcome->options);
	fclose(err);
}

static void outcome_free(struct outcome *outcome)
{
	mrd_ctl_options_free(&outcome->options);
	free(outcome->err);
}

#define DEFAULT_CONTROL "/run/meridian/control.sock"
#define DEFAULT_BPFFS	"/sys/fs/bpf/meridian"

static void reads_good_command_lines(void **state)
{
	static const struct {
		const char *line;
		struct mrd_ctl_options want;
	} cases[] = {
		{.line = "status", .want = {.verb = MRD_VERB_STATUS}},
		{.line = "services", .want = {.verb = MRD_VERB_SERVICES}},
		{.line = "endpoints", .want = {.verb = MRD_VERB_ENDPOINTS}},
		{.line = "services default/reviews",
		 .want = {.verb = MRD_VERB_SERVICES, .argument = (char *)"default/reviews"}},
		{.line = "services default/reviews -o yaml",
		 .want = {.verb = MRD_VERB_SERVICES,
			  .argument = (char *)"default/reviews",
			  .yaml = true}},
		{.line = "-o yaml -o json services",
		 .want = {.verb = MRD_VERB_SERVICES, .json = true}},
		{.line = "regions", .want = {.verb = MRD_VERB_REGIONS}},
		{.line = "detach", .want = {.verb = MRD_VERB_DETACH}},
		{.line = "detach --stay", .want = {.verb = MRD_VERB_DETACH, .stay = true}},
		{.line = "endpoints default/reviews",
		 .want = {.verb = MRD_VERB_ENDPOINTS, .argument = (char *)"default/reviews"}},
		{.line = "-o json status", .want = {.verb = MRD_VERB_STATUS, .json = true}},
		{.line = "status -o json", .want = {.verb = MRD_VERB_STATUS, .json = true}},
		{.line = "status --output=json -o text", .want = {.verb = MRD_VERB_STATUS}},
		{.line = "--control /c --bpffs /b regions",
		 .want = {.verb = MRD_VERB_REGIONS,
			  .control = (char *)"/c",
			  .bpffs = (char *)"/b"}},
		{.line = "--control /x --control /c regions",
		 .want = {.verb = MRD_VERB_REGIONS, .control = (char *)"/c"}},
		{.line = "help", .want = {.verb = MRD_VERB_HELP}},
		{.line = "help status", .want = {.verb = MRD_VERB_HELP}},
		{.line = "--help", .want = {.verb = MRD_VERB_HELP}},
		{.line = "nonsense -h", .want = {.verb = MRD_VERB_HELP}},
		{.line = "--version", .want = {.verb = MRD_VERB_VERSION}},
		{.line = "version", .want = {.verb = MRD_VERB_VERSION}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mrd_ctl_options *want = &cases[i].want;
		MRD_CLEANUP(outcome_free) struct outcome have;

		print_message("%s\n", cases[i].line);
		read_line(cases[i].line, &have);
		assert_string_equal(have.err, "");
		assert_int_equal(have.status, MRD_EXIT_GOOD);
		assert_int_equal(have.options.verb, want->verb);
		assert_int_equal(have.options.json, want->json);
		assert_int_equal(have.options.yaml, want->yaml);
		assert_int_equal(have.options.stay, want->stay);
		assert_string_equal(have.options.control,
				    want->control ? want->control : DEFAULT_CONTROL);
		assert_string_equal(have.options.bpffs, want->bpffs ? want->bpffs : DEFAULT_BPFFS);
		assert_int_equal(!have.options.argument, !want->argument);
		if (want->argument)
			assert_string_equal(have.options.argument, want->argument);
	}
}

static void wrong_usage_names_what_is_wrong(void **state)
{
	static const struct {
		const char *line;
		const char *want;
	} cases[] = {
		{.line = "", .want = "a verb is missing"},
		{.line = "-o json", .want = "a verb is missing"},
		{.line = "nonsense", .want = "unknown verb nonsense"},
		{.line = "stat", .want = "unknown verb stat"},
		{.line = "-o xml status", .want = "not xml"},
		{.line = "status -o", .want = "a value is missing after -o"},
		{.line = "status --bpffs", .want = "a value is missing after --bpffs"},
		{.line = "--nonsense status", .want = "unknown option --nonsense"},
		{.line = "-x status", .want = "unknown option -x"},
		{.line = "status more", .want = "unexpected argument more"},
		{.line = "services -o yaml", .want = "services NAMESPACE/NAME alone"},
		{.line = "endpoints a/b -o yaml", .want = "alone, not for endpoints"},
		{.line = "status --stay", .want = "detach alone, not for status"},
		{.line = "services reviews", .want = "NAMESPACE/NAME, not reviews"},
		{.line = "endpoints a/b c/d", .want = "unexpected argument c/d"},
		{.line = "endpoints reviews", .want = "NAMESPACE/NAME, not reviews"},
		{.line = "endpoints /reviews", .want = "NAMESPACE/NAME"},
		{.line = "endpoints default/", .want = "NAMESPACE/NAME"},
		{.line = "endpoints a/b/c", .want = "NAMESPACE/NAME"},
		{.line = "endpoints a/b\nstatus", .want = "NAMESPACE/NAME"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_CLEANUP(outcome_free) struct outcome have;

		print_message("'%s'\n", cases[i].line);
		read_line(cases[i].line, &have);
		assert_int_equal(have.status, MRD_EXIT_USAGE);
		assert_non_null(strstr(have.err, cases[i].want));
		assert_non_null(strstr(have.err, "meridianctl help"));
		assert_null(have.options.control);
	}
}

static void a_configuration_gives_the_paths(void **state)
{
	static const struct {
		const char *name;
		const char *config; /* NULL: no such file */
		const char *options;
		int want;
		const char *control;
		const char *bpffs;
	} cases[] = {
		{.name = "both",
		 .config = "node: { name: a }\ncontrol: /run/a.sock\nkernel:\n  bpffs: /bpf/a\n",
		 .options = "",
		 .control = "/run/a.sock",
		 .bpffs = "/bpf/a"},
		{.name = "an option goes before it",
		 .config = "control: /run/a.sock\nkernel: { bpffs: /bpf/a }\n",
		 .options = "--bpffs /bpf/b",
		 .control = "/run/a.sock",
		 .bpffs = "/bpf/b"},
		{.name = "neither: the defaults",
		 .config = "policy: []\n",
		 .options = "",
		 .control = DEFAULT_CONTROL,
		 .bpffs = DEFAULT_BPFFS},
		{.name = "empty",
		 .config = "\n",
		 .options = "",
		 .control = DEFAULT_CONTROL,
		 .bpffs = DEFAULT_BPFFS},
		{.name = "broken",
		 .config = "control: [\n",
		 .options = "",
		 .want = MRD_EXIT_BAD_NEWS},
		{.name = "missing", .options = "", .want = MRD_EXIT_BAD_NEWS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_CLEANUP(outcome_free) struct outcome have;
		char path[] = "/tmp/mrd-ctl-XXXXXX";
		MRD_AUTO_FD int fd = mkstemp(path);
		char line[256];

		print_message("%s\n", cases[i].name);
		assert_true(fd >= 0);
		if (cases[i].config)
			assert_true(write(fd, cases[i].config, strlen(cases[i].config)) > 0);
		else
			unlink(path);
		snprintf(line, sizeof(line), "--config %s %s status", path, cases[i].options);
		read_line(line, &have);
		unlink(path);
		assert_int_equal(have.status, cases[i].want);
		if (cases[i].want) {
			assert_non_null(strstr(have.err, path));
			continue;
		}
		assert_string_equal(have.options.control, cases[i].control);
		assert_string_equal(have.options.bpffs, cases[i].bpffs);
	}
}

static void help_names_every_verb(void **state)
{
	MRD_AUTO_FREE char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	mrd_ctl_print_help(out);
	fclose(out);
	for (int verb = MRD_VERB_STATUS; verb < MRD_VERB_HELP; verb++) {
		print_message("%s\n", mrd_verb_name((enum mrd_verb)verb));
		assert_non_null(strstr(text, mrd_verb_name((enum mrd_verb)verb)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_good_command_lines),
		cmocka_unit_test(wrong_usage_names_what_is_wrong),
		cmocka_unit_test(a_configuration_gives_the_paths),
		cmocka_unit_test(help_names_every_verb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
