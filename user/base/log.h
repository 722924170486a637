/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One line an event: "level key=value ...", or a JSON object with --log json. Only agent/ and ctl/
 * log. A line has object, cause, consequence. Values with spaces or quotes are quoted.
 */
#ifndef MRD_BASE_LOG_H
#define MRD_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mrd_log_level { MRD_LOG_DEBUG, MRD_LOG_INFO, MRD_LOG_WARN, MRD_LOG_ERROR };

struct mrd_kv {
	const char *key;
	const char *text; /* NULL: number counts */
	int64_t number;
};

#define MRD_KV(name, value)	((struct mrd_kv){.key = (name), .text = (value)})
#define MRD_KV_NUM(name, value) ((struct mrd_kv){.key = (name), .number = (int64_t)(value)})

void mrd_log_set(enum mrd_log_level least, bool json);
/* Lines go to file descriptor fd (2 from the start; tests change it). */
void mrd_log_set_fd(int fd);

/* "info msg=\"...\" key=value ...". The write is one call; a failed one is dropped. */
void mrd_log_write(enum mrd_log_level level, const char *msg, const struct mrd_kv *kvs,
		   size_t count);

#define mrd_log(level, msg, ...)                                            \
	mrd_log_write((level), (msg), (const struct mrd_kv[]){__VA_ARGS__}, \
		      sizeof((const struct mrd_kv[]){__VA_ARGS__}) / sizeof(struct mrd_kv))
#define mrd_log_debug(...) mrd_log(MRD_LOG_DEBUG, __VA_ARGS__)
#define mrd_log_info(...)  mrd_log(MRD_LOG_INFO, __VA_ARGS__)
#define mrd_log_warn(...)  mrd_log(MRD_LOG_WARN, __VA_ARGS__)
#define mrd_log_error(...) mrd_log(MRD_LOG_ERROR, __VA_ARGS__)

#endif
