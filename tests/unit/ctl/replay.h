/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * meridianctl replay by its command line. Events are said in short: "0 a 503*5, 10 b CF" is five
 * answers 503 of the first endpoint at 0 ms, and a failed connect of the second at 10 ms; TO, RST
 * and OK are the other events, A and B the IPv6 addresses of the first and the second, "CF=200"
 * carries a code, "200#14" a grpc-status. What comes out is shortened likewise: "0 a EJECT 5XX"
 * ("?" behind it: not enforced).
 */
#ifndef MRD_TEST_CTL_REPLAY_H
#define MRD_TEST_CTL_REPLAY_H

#include "run.h"

#include <jansson.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

#define DETECTION                                                                      \
	"outlierDetection: {consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: " \
	"2s, maxEjectionPercent: 100}"
#define POLICY(annotations, traffic)                                                  \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"                 \
	"metadata: {name: web, namespace: default, annotations: {" annotations "}}\n" \
	"spec: {host: web, trafficPolicy: {" traffic "}}\n"
static inline void add_event(struct mrd_strbuf *out, const char *time, char host, char *what)
{
	static const struct {
		const char *word;
		const char *event;
	} words[] = {
		{"CF", "connect-failed"},
		{"TO", "timeout"},
		{"RST", "reset"},
		{"OK", "connected"},
	};
	char *code = strchr(what, '=');
	char *grpc = strchr(what, '#');
	const char *event = NULL;

	if (code)
		*code++ = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].word, what))
			event = words[i].event;
	if (grpc)
		*grpc++ = '\0';
	if (!event && *what)
		code = what;
	if (host >= 'a')
		mrd_strbuf_addf(out, "{\"t_ms\": %s, \"endpoint\": \"10.0.0.%d:80\"", time,
				host - 'a' + 1);
	else
		mrd_strbuf_addf(out, "{\"t_ms\": %s, \"endpoint\": \"[fd00::%d]:80\"", time,
				host - 'A' + 1);
	if (event)
		mrd_strbuf_addf(out, ", \"event\": \"%s\"", event);
	if (code)
		mrd_strbuf_addf(out, ", \"code\": %s", code);
	if (grpc)
		mrd_strbuf_addf(out, ", \"grpc_status\": %s", grpc);
	mrd_strbuf_addf(out, "}\n");
}

static inline void write_events(const char *events)
{
	char *copy = strdup(events);
	struct mrd_strbuf out MRD_AUTO_STRBUF = {0};
	char *rest = NULL;

	mrd_strbuf_addf(&out, "\n");
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		char time[RUN_ROOM], host, what[RUN_ROOM];
		int times = 1;

		assert_true(sscanf(word, " %s %c %[^*]*%d", time, &host, what, &times) >= 3);
		while (times-- > 0) {
			char once[RUN_ROOM];

			strcpy(once, what);
			add_event(&out, time, host, once);
		}
	}
	run_write("events.jsonl", out.text);
	free(copy);
}

/* The log in short. */
static inline char *shorten(const char *log)
{
	struct mrd_strbuf out MRD_AUTO_STRBUF = {0};
	json_error_t error;
	json_t *lines = json_loads(log, 0, &error);
	const json_t *line;
	size_t i;

	assert_non_null(lines);
	mrd_strbuf_add(&out, "", 0);
	json_array_foreach(lines, i, line)
	{
		const char *url = json_string_value(json_object_get(line, "upstream_url"));
		const char *type = json_string_value(json_object_get(line, "type"));
		const char *action = json_string_value(json_object_get(line, "action"));
		const bool enforced = json_boolean_value(json_object_get(line, "enforced"));

		if (!strncmp(type, "CONSECUTIVE_", 12))
			type += 12;
		mrd_strbuf_addf(&out, "%s%lld %c %s", i ? ", " : "",
				(long long)json_integer_value(json_object_get(line, "t_ms")),
				url[strlen("10.0.0.")] - '1' + 'a', action);
		if (!strcmp(action, "EJECT"))
			mrd_strbuf_addf(&out, " %s%s", type, enforced ? "" : "?");
	}
	json_decref(lines);
	return mrd_strbuf_steal(&out);
}

#endif
