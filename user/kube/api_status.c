/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/api_status.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/doc_json.h"

enum {
	MESSAGE_MAX = 300, /* bytes: a line of a log, and no page of a proxy */
	HTTP_GONE = 410,
	CODE_MAX = 999,
};

static const uint64_t ms_per_s = 1000;
static const int64_t retry_max_s = 86400;

/* Control characters would break the line that the message becomes a part of. */
static void add_message(struct mrd_strbuf *message, const char *text, size_t len)
{
	while (len && (unsigned char)text[len - 1] <= ' ')
		len--;
	if (len > MESSAGE_MAX) {
		len = MESSAGE_MAX;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--; /* not within a character */
	}
	mrd_strbuf_add(message, text, len);
	for (size_t i = 0; !message->failed && i < message->len; i++)
		if ((unsigned char)message->text[i] < ' ' || message->text[i] == 0x7f)
			message->text[i] = ' ';
}

static const char *text_of(const struct mrd_doc_node *map, const char *key)
{
	const char *text = "";

	mrd_doc_string(mrd_doc_get(map, key), &text);
	return text;
}

static bool is_too_large(const struct mrd_doc_node *details)
{
	const struct mrd_doc_node *causes = mrd_doc_get(details, "causes");

	for (size_t i = 0; causes && causes->kind == MRD_DOC_LIST && i < causes->count; i++)
		if (!strcmp(text_of(causes->items[i], "reason"), "ResourceVersionTooLarge"))
			return true;
	return false;
}

static void read_status(const struct mrd_doc_node *root, struct mrd_api_status *status)
{
	const struct mrd_doc_node *details = mrd_doc_get(root, "details");
	const char *reason = text_of(root, "reason");
	const char *message = text_of(root, "message");
	const char *token = text_of(mrd_doc_get(root, "metadata"), "continue");
	int64_t number;

	if (mrd_doc_int(mrd_doc_get(root, "code"), &number) == 0 && number > 0 &&
	    number <= CODE_MAX)
		status->code = (unsigned int)number;
	if (mrd_doc_int(mrd_doc_get(details, "retryAfterSeconds"), &number) == 0 && number > 0)
		status->retry_after_ms =
			(uint64_t)(number < retry_max_s ? number : retry_max_s) * ms_per_s;
	status->expired =
		status->code == HTTP_GONE || !strcmp(reason, "Expired") || !strcmp(reason, "Gone");
	status->too_large = is_too_large(details);
	mrd_strbuf_add(&status->continue_token, token, strlen(token));
	add_message(&status->message, message, strlen(message));
}

int mrd_api_status_read(const char *text, size_t len, struct mrd_api_status *ret_status)
{
	struct mrd_api_status status = {0};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;
	const int ret = mrd_doc_parse_json("Status", text, len, &diag, &file);

	if (ret == -ENOMEM)
		return ret;
	mrd_strbuf_add(&status.continue_token, "", 0);
	if (ret == 0)
		read_status(mrd_doc_root(file, 0), &status);
	else
		add_message(&status.message, text, len);
	mrd_doc_free(file);
	if (status.continue_token.failed || status.message.failed) {
		mrd_api_status_clear(&status);
		return -ENOMEM;
	}
	*ret_status = status;
	return 0;
}

void mrd_api_status_clear(struct mrd_api_status *status)
{
	mrd_strbuf_free(&status->continue_token);
	mrd_strbuf_free(&status->message);
	*status = (struct mrd_api_status){0};
}
