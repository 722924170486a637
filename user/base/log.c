/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A line is built whole and written with one call, so that lines of several programs on one
 * descriptor do not mix. The time stands last: what a reader looks for stands first.
 */
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/strbuf.h"

enum { TIME_TEXT_MAX = 40 };

static const char *const level_names[] = {
	[MRD_LOG_DEBUG] = "debug",
	[MRD_LOG_INFO] = "info",
	[MRD_LOG_WARN] = "warn",
	[MRD_LOG_ERROR] = "error",
};

/* One process, one log: the only state of base/ that is not handed in. */
static struct {
	enum mrd_log_level least;
	bool json;
	int fd;
} config = {.least = MRD_LOG_INFO, .fd = STDERR_FILENO};

void mrd_log_set(enum mrd_log_level least, bool json)
{
	config.least = least;
	config.json = json;
}

void mrd_log_set_fd(int fd)
{
	config.fd = fd;
}

/* RFC 3339 in UTC with milliseconds. */
static const char *time_text(char buf[TIME_TEXT_MAX])
{
	const uint64_t now_ms = mrd_clock_wall_ms();
	const time_t now = (time_t)(now_ms / MRD_MS_PER_S);
	char second[TIME_TEXT_MAX / 2];
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(buf, TIME_TEXT_MAX, "%s.%03uZ", second, (unsigned int)(now_ms % MRD_MS_PER_S));
	return buf;
}

static bool is_plain(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at == '"' || *at == '=' || *at == '\\' || *at == 0x7f)
			return false; /* with a signed char also all that is not ASCII */
	return *text != '\0';
}

static void add_text_value(struct mrd_strbuf *line, const struct mrd_kv *kv)
{
	mrd_strbuf_addf(line, " %s=", kv->key);
	if (!kv->text)
		mrd_strbuf_addf(line, "%lld", (long long)kv->number);
	else if (is_plain(kv->text))
		mrd_strbuf_addf(line, "%s", kv->text);
	else
		mrd_strbuf_add_json(line, kv->text);
}

static void add_json_value(struct mrd_strbuf *line, const struct mrd_kv *kv)
{
	mrd_strbuf_addf(line, ",");
	mrd_strbuf_add_json(line, kv->key);
	mrd_strbuf_addf(line, ":");
	if (kv->text)
		mrd_strbuf_add_json(line, kv->text);
	else
		mrd_strbuf_addf(line, "%lld", (long long)kv->number);
}

void mrd_log_write(enum mrd_log_level level, const char *msg, const struct mrd_kv *kvs,
		   size_t count)
{
	MRD_AUTO_STRBUF struct mrd_strbuf line = {0};
	char now[TIME_TEXT_MAX];
	struct mrd_kv ts;

	if (level < config.least)
		return;
	ts = MRD_KV("ts", time_text(now));
	mrd_strbuf_addf(&line,
			config.json ? "{\"level\":\"%s\",\"msg\":" : "%s msg=", level_names[level]);
	mrd_strbuf_add_json(&line, msg);
	for (size_t i = 0; i <= count; i++)
		(config.json ? add_json_value : add_text_value)(&line, i < count ? &kvs[i] : &ts);
	mrd_strbuf_addf(&line, config.json ? "}\n" : "\n");
	if (!line.failed && write(config.fd, line.text, line.len) < 0)
		return; /* nowhere to tell it */
}
