/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What reflector.c and reflector_outcome.c share: the inside of a reflector. Nobody else includes
 * this. */
#ifndef MRD_KUBE_REFLECTOR_STATE_H
#define MRD_KUBE_REFLECTOR_STATE_H

#include "base/strbuf.h"
#include "kube/api_status.h"
#include "kube/backoff.h"
#include "kube/json_split.h"
#include "kube/query.h"
#include "kube/reflector.h"

enum {
	MRD_WATCH_SHORT_MS = 1000, /* client-go: a watch that ends sooner was none */
	MRD_LIST_SILENCE_MS = 30000,
};

enum http_status {
	HTTP_OK = 200,
	HTTP_BAD_REQUEST = 400,
	HTTP_UNAUTHORIZED = 401,
	HTTP_FORBIDDEN = 403,
	HTTP_NOT_FOUND = 404,
	HTTP_NOT_ACCEPTABLE = 406,
	HTTP_GONE = 410,
	HTTP_UNPROCESSABLE = 422,
	HTTP_TOO_MANY = 429,
	HTTP_INTERNAL = 500,
	HTTP_UNAVAILABLE = 503,
	HTTP_TIMEOUT = 504,
};

/* What is asked for: by the request under way, or else by the next one. */
enum mrd_reflector_phase {
	MRD_PHASE_STREAM, /* a list, as the events of a watch */
	MRD_PHASE_PAGES,  /* a list, page by page */
	MRD_PHASE_WATCH,  /* from the version that is known */
	MRD_PHASE_CHECK,  /* whether the server has what a watch before has told */
};

/* What has come of the answer so far. */
enum mrd_answer_state {
	MRD_ANSWER_NONE,	/* not even a head */
	MRD_ANSWER_OBJECTS,	/* objects, and more may come */
	MRD_ANSWER_LISTED,	/* a streamed list is complete, the rest of the stream not wanted */
	MRD_ANSWER_UNSUPPORTED, /* the server does not know streamed lists */
	MRD_ANSWER_REFUSAL,	/* a Status, in body */
	MRD_ANSWER_UNFIT,	/* not what was asked for; problem says why */
};

struct mrd_answer {
	enum mrd_answer_state state;
	unsigned int status; /* HTTP's */
	bool is_event;	     /* the Status came as an ERROR event */
	uint64_t begun_ns;
	uint64_t events; /* that were no errors */
	uint64_t retry_after_ms;
	uint64_t failing_before_ns; /* failing_since_ns, should the watch turn out to be none */
	struct mrd_json_split split;
	struct mrd_strbuf body; /* of a refusal, its beginning */
	size_t body_len;	/* of a refusal, whole */
	struct mrd_strbuf problem;
};

struct mrd_reflector {
	struct mrd_reflector_config config; /* its strings are owned */
	struct mrd_backoff backoff;
	enum mrd_reflector_phase phase;
	bool under_way;
	uint64_t now_ns; /* of the call */
	uint64_t due_ns;
	struct mrd_answer answer;

	bool no_streaming;	     /* the server has shown that it does not stream lists */
	unsigned int streams_cut;    /* in a row */
	unsigned int watches_failed; /* in a row, by an answer */
	bool denied;		     /* 401 was told, and the attempt after it is to come */
	bool absent;		     /* 404 where there had been a list */
	const char *asked;	     /* in config.versions: the one that is asked for */
	unsigned int not_served;     /* so many versions before it, in a row */
	bool no_metadata;	     /* the server does not give metadata alone */
	bool away;		     /* the last request had no answer at all */
	uint64_t forbidden_ns;	     /* since when it is, 0 = it is not */
	uint64_t renewed_ns;	     /* when the backoff began anew before its time */
	uint64_t hurried_ns;
	uint64_t not_before_ns;		/* as the server wants it */
	uint64_t expired_ns;		/* when 410 was answered last; 0 = never */
	uint64_t list_bytes;		/* of the list that has begun */
	size_t list_objects;		/* likewise */
	unsigned int list_pages;	/* answered */
	struct mrd_strbuf list_version; /* of its first page: a watch from there misses nothing */
	struct mrd_strbuf token;	/* to continue with; "" = from the beginning */
	struct mrd_reflector_newest {
		struct mrd_strbuf json;	   /* the object that changed last; "" = not known */
		struct mrd_strbuf version; /* of that change */
		bool is_gone;		   /* by it */
	} newest;
	bool check_names; /* the check is for the newest object */
	bool is_set_back; /* so far, by the check's answer */

	struct mrd_strbuf request;
	struct mrd_strbuf version;
	struct mrd_strbuf error;
	struct mrd_reflector_status counts; /* its strings are unused */
};

/* The kind, in the version that is asked for. */
struct mrd_query_kind mrd_reflector_kind(const struct mrd_reflector *reflector);
/* Forgets the list that has begun, or the watch; a new list is next. */
void mrd_reflector_restart(struct mrd_reflector *reflector);
/* The list is complete as of version. */
void mrd_reflector_listed(struct mrd_reflector *reflector, const char *version);
/* Nothing is wrong any more. */
void mrd_reflector_recovered(struct mrd_reflector *reflector);
/* Replaces what is in buf. -ENOMEM. */
int mrd_reflector_set(struct mrd_strbuf *buf, const char *text);
/* The request failed: the next one comes after a while, at least least_ms. */
void mrd_reflector_fail(struct mrd_reflector *reflector, uint64_t least_ms, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* After an event, or an item of a list: was that the newest change? */
void mrd_reflector_note_event(struct mrd_reflector *reflector, const struct mrd_watch_event *event);
void mrd_reflector_note_item(struct mrd_reflector *reflector, const char *json, size_t len);
void mrd_reflector_forget_newest(struct mrd_reflector *reflector);
/* Writes the request of MRD_PHASE_CHECK. Its answer's item, and its end: is_set_back holds then. */
void mrd_reflector_ask_check(struct mrd_reflector *reflector);
void mrd_reflector_check_item(struct mrd_reflector *reflector, const char *json, size_t len);
void mrd_reflector_check_end(struct mrd_reflector *reflector, const char *version);
/* The answer has ended. Decides what is next, and when. error as for mrd_reflector_on_end. */
void mrd_reflector_decide(struct mrd_reflector *reflector, const char *error);

#endif
