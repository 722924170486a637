/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Policies from texts: each is written to a file of a folder that goes away again. */
#ifndef MRD_TESTS_POLICY_LOAD_TEXT_H
#define MRD_TESTS_POLICY_LOAD_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/strbuf.h"
#include "policy/policy_yaml.h"

static const struct mrd_policy_names test_names = {
	.cluster_domain = "cluster.local",
	.root_namespace = "istio-system",
};

static inline char *test_path(const char *folder, size_t index)
{
	char *path = NULL;

	/* A single letter, so that places in messages stay short. */
	assert_true(asprintf(&path, "%s/%c.yaml", folder, (char)('a' + index)) > 0);
	return path;
}

/* Loads a folder of these texts (up to a NULL). The files are a.yaml, b.yaml, … */
static inline int load_texts(const char *const *texts, struct mrd_diag *diag,
			     struct mrd_policy **ret_policy)
{
	char folder[] = "/tmp/mrd-policy-XXXXXX";
	const char *const paths[] = {folder};
	size_t count = 0;
	int r;

	assert_non_null(mkdtemp(folder));
	for (; texts[count]; count++) {
		char *path = test_path(folder, count);
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		assert_int_equal(fputs(texts[count], file) < 0, 0);
		assert_int_equal(fclose(file), 0);
		free(path);
	}
	r = mrd_policy_load(paths, 1, &test_names, diag, ret_policy);
	for (size_t i = 0; i < count; i++) {
		char *path = test_path(folder, i);

		assert_int_equal(unlink(path), 0);
		free(path);
	}
	assert_int_equal(rmdir(folder), 0);
	return r;
}

/* "error a:9:21 spec.host\n…": what and where, without the words. The caller frees it. */
static inline char *finding_places(const struct mrd_diag *diag)
{
	struct mrd_strbuf text = {0};

	mrd_strbuf_addf(&text, "%s", "");
	for (size_t i = 0; i < diag->count; i++) {
		const struct mrd_finding *finding = &diag->findings[i];
		const char *slash = strrchr(finding->file, '/');

		mrd_strbuf_addf(&text, "%s %c:%u:%u%s%s\n",
				finding->severity == MRD_ERROR ? "error" : "warning",
				slash ? slash[1] : '?', finding->line, finding->column,
				*finding->field ? " " : "", finding->field);
	}
	return mrd_strbuf_steal(&text);
}

/* A policy that must load; warnings are no matter. */
static inline struct mrd_policy *policy_of(const char *text)
{
	const char *const texts[] = {text, NULL};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_policy *policy = NULL;
	const int r = load_texts(texts, &diag, &policy);

	if (r < 0)
		mrd_diag_print(&diag, stderr);
	assert_int_equal(r, 0);
	assert_non_null(policy);
	return policy;
}

/* Line 1 to 6 of a DestinationRule; what follows is its trafficPolicy, indented by four. */
#define RULE_NAMED(name, host)                 \
	"apiVersion: networking.istio.io/v1\n" \
	"kind: DestinationRule\n"              \
	"metadata: {name: " name "}\n"         \
	"spec:\n"                              \
	"  host: " host "\n"                   \
	"  trafficPolicy:\n"
#define RULE RULE_NAMED("r", "reviews")

#endif
