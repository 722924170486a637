/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Reasons are fixed words: what the plugin printed is not repeated. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/doc.h"
#include "kube/plugin.h"

enum { S_PER_MINUTE = 60, MINUTES_PER_H = 60 };

static void free_doc(struct mrd_doc_file **doc)
{
	mrd_doc_free(*doc);
}

void mrd_plugin_answer_free(struct mrd_plugin_answer *answer)
{
	mrd_secret_free(&answer->token);
	mrd_secret_free(&answer->certificate);
	mrd_secret_free(&answer->key);
	answer->expires_wall_ms = 0;
}

static bool two_digits(const char *text, int *ret_number)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*ret_number = (text[0] - '0') * 10 + (text[1] - '0');
	return true;
}

/* RFC 3339; parts of a second are dropped. -EINVAL. */
static int read_time(const char *text, uint64_t *ret_wall_ms)
{
	struct tm parts = {0};
	int sign = 0;
	int hours = 0;
	int minutes = 0;
	time_t seconds;

	text = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
	if (!text)
		return -EINVAL;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	if (*text == '+' || *text == '-') {
		sign = *text == '+' ? 1 : -1;
		if (!two_digits(text + 1, &hours) || text[3] != ':' ||
		    !two_digits(text + 4, &minutes) || text[6])
			return -EINVAL;
	} else if (strcmp(text, "Z") != 0) {
		return -EINVAL;
	}
	seconds = timegm(&parts) - (time_t)sign * (hours * MINUTES_PER_H + minutes) * S_PER_MINUTE;
	if (seconds <= 0)
		return -EINVAL;
	*ret_wall_ms = (uint64_t)seconds * MRD_MS_PER_S;
	return 0;
}

static int copy_text(const struct mrd_doc_node *status, const char *key, struct mrd_secret *secret)
{
	const struct mrd_doc_node *node = mrd_doc_get(status, key);
	const char *text = "";

	if (node && node->kind != MRD_DOC_NULL && mrd_doc_string(node, &text) < 0)
		return -EINVAL;
	return text[0] ? mrd_secret_copy(text, strlen(text), secret) : 0;
}

/* NULL: it is good. */
static const char *fill(const struct mrd_doc_node *root, const char *api_version,
			struct mrd_plugin_answer *answer)
{
	const struct mrd_doc_node *status = mrd_doc_get(root, "status");
	struct mrd_secret expiry = {0};
	const char *kind = "";
	const char *version = "";
	int ret;

	mrd_doc_string(mrd_doc_get(root, "kind"), &kind);
	mrd_doc_string(mrd_doc_get(root, "apiVersion"), &version);
	if (strcmp(kind, "ExecCredential") != 0)
		return "its answer is no ExecCredential";
	if (strcmp(version, api_version) != 0)
		return "its answer has another apiVersion than it was asked for";
	if (!status || status->kind != MRD_DOC_MAP)
		return "its answer has no status";
	ret = copy_text(status, "token", &answer->token);
	ret = ret ?: copy_text(status, "clientCertificateData", &answer->certificate);
	ret = ret ?: copy_text(status, "clientKeyData", &answer->key);
	ret = ret ?: copy_text(status, "expirationTimestamp", &expiry);
	if (!ret && expiry.len && read_time(expiry.data, &answer->expires_wall_ms) < 0)
		ret = -EDOM;
	mrd_secret_free(&expiry);
	if (ret == -EDOM)
		return "its answer's expirationTimestamp is no time";
	if (ret < 0)
		return ret == -ENOMEM ? "out of memory"
				      : "a part of its answer's status is no text";
	if (!answer->certificate.len != !answer->key.len)
		return "its answer has one of certificate and key without the other";
	if (answer->token.len && strcspn(answer->token.data, "\r\n") != answer->token.len)
		return "its answer's token must be one line";
	if (!answer->token.len && !answer->certificate.len)
		return "its answer has neither token nor certificate";
	return NULL;
}

int mrd_plugin_answer_read(const char *text, size_t len, const char *api_version,
			   const char **ret_reason, struct mrd_plugin_answer *ret_answer)
{
	struct mrd_doc_file *doc MRD_CLEANUP(free_doc) = NULL;
	struct mrd_plugin_answer answer = {0};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	const char *reason;

	/* JSON is YAML; client-go takes both. */
	if (mrd_doc_parse("", text, len, &diag, &doc) < 0 || mrd_doc_count(doc) != 1)
		reason = "its answer is no JSON";
	else
		reason = fill(mrd_doc_root(doc, 0), api_version, &answer);
	if (reason) {
		mrd_plugin_answer_free(&answer);
		*ret_reason = reason;
		return -EBADMSG;
	}
	*ret_answer = answer;
	return 0;
}
