/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* meridiand: options, and the choice between checking and running. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/findings.h"
#include "agent/inputs.h"
#include "base/log.h"
#include "config/config.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"meridiand --config FILE [--check] [--log text|json] [--log-level LEVEL]\n"
	"\n"
	"Moves Kubernetes service traffic between regions in the Linux kernel. Runs in the\n"
	"foreground and logs to stderr.\n"
	"\n"
	"  -c, --config FILE      the configuration (meridian.yaml)\n"
	"      --check            validate the configuration and the policy it names, then end:\n"
	"                         findings on stdout, 1 if one is an error\n"
	"      --log text|json    form of a log line (default text)\n"
	"      --log-level LEVEL  debug, info, warn or error (default info)\n"
	"  -V, --version\n"
	"  -h, --help\n"
	"\n"
	"SIGHUP reads configuration and policy again. SIGTERM ends the agent; the kernel goes on\n"
	"by the last plan (\"meridianctl detach\" takes it out).\n";

struct options {
	const char *config;
	bool check;
	bool json;
	enum mrd_log_level level;
};

static bool parse_level(const char *text, enum mrd_log_level *ret_level)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	for (int i = 0; i < (int)(sizeof(names) / sizeof(*names)); i++)
		if (!strcmp(text, names[i])) {
			*ret_level = (enum mrd_log_level)i;
			return true;
		}
	return false;
}

/* Returns -1 to go on, or the exit status. */
static int parse_options(int argc, char **argv, struct options *options)
{
	enum { CHECK = 256, LOG, LOG_LEVEL };
	static const struct option table[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, CHECK},
		{"log", required_argument, NULL, LOG},
		{"log-level", required_argument, NULL, LOG_LEVEL},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *bad = NULL;
	int option;

	while (!bad && (option = getopt_long(argc, argv, "c:Vh", table, NULL)) != -1) {
		if (option == 'c')
			options->config = optarg;
		else if (option == CHECK)
			options->check = true;
		else if (option == LOG && (!strcmp(optarg, "json") || !strcmp(optarg, "text")))
			options->json = *optarg == 'j';
		else if (option == LOG)
			bad = "--log takes text or json";
		else if (option == LOG_LEVEL && !parse_level(optarg, &options->level))
			bad = "--log-level takes debug, info, warn or error";
		else if (option == 'V')
			return puts("meridiand " MRD_VERSION) < 0;
		else if (option == 'h')
			return fputs(usage, stdout) < 0;
		else if (option == '?')
			return EXIT_USAGE; /* getopt has said why */
	}
	if (!bad && optind < argc)
		bad = "takes no arguments beside options";
	if (!bad && !options->config)
		bad = "needs --config FILE";
	if (bad)
		fprintf(stderr, "meridiand: %s; see --help\n", bad);
	return bad ? EXIT_USAGE : -1;
}

/* result: of reading the configuration */
static int check(const struct mrd_agent_config *config, int result, struct mrd_diag *diag)
{
	struct mrd_policy *policy = NULL;
	int r = result ? result : mrd_inputs_load_policy(config, NULL, NULL, diag, &policy);

	mrd_policy_free(policy);
	mrd_diag_print(diag, stdout);
	if (r && !diag->errors)
		printf("error: %s\n", strerror(-r));
	return r || diag->errors ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options = {.level = MRD_LOG_INFO};
	struct mrd_agent_config *config = NULL;
	struct mrd_diag diag = {0};
	int status = parse_options(argc, argv, &options);
	int r;

	if (status >= 0)
		return status;
	mrd_log_set(options.level, options.json);
	r = mrd_agent_config_load(options.config, &diag, &config);
	if (options.check) {
		status = check(config, r, &diag);
	} else if (r) {
		mrd_diag_print(&diag, stderr);
		mrd_log_error("configuration not read", MRD_KV("file", options.config),
			      MRD_KV("reason", mrd_diag_reason(&diag, r)),
			      MRD_KV("consequence", "the agent does not start"));
		status = EXIT_FAILURE;
	} else {
		mrd_findings_log(&diag, "configuration", "");
	}
	mrd_diag_free(&diag);
	if (status >= 0) {
		mrd_agent_config_free(config);
		return status;
	}
	return mrd_agent_run(options.config, config);
}
