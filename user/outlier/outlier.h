/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Outlier detection of one service (Envoy's cluster), pure: events and a time in, ejections out.
 * Envoy's rules: docs/root/intro/arch_overview/upstream/outlier.rst and
 * source/common/upstream/outlier_detection_impl.cc; semantics in policy.h's rule. Times are
 * milliseconds on any clock that does not run backwards.
 */
#ifndef MRD_OUTLIER_OUTLIER_H
#define MRD_OUTLIER_OUTLIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct mrd_outlier;

/* A host of the cluster, by the caller's number for it (the endpoint id; never 0). */
struct mrd_outlier_host {
	uint32_t id;
	uint32_t twin;	 /* its number by another address; either stands for it. 0: it has one */
	uint32_t region; /* equal numbers = one region */
	bool in_route;	 /* some hop of the route may hand it out */
	bool usable;	 /* ready */
	/* Its cluster has fallen silent. It is kept while it answers: one handshake that fails
	 * ejects it, whatever the rule, and the cap protects it only as one of the last. */
	bool unheard;
};

/* The rule of a service without outlier detection that has such hosts: nobody else is ejected. */
extern const struct mrd_outlier_rule mrd_outlier_unheard;

enum mrd_outlier_signal {
	MRD_SIGNAL_RESPONSE,  /* an HTTP status; code is set */
	MRD_SIGNAL_CONNECTED, /* handshake done: 200 for a port that is not HTTP, else nothing */
	/* The same, but nobody reads what follows: 200 for an HTTP port, too, though there it ends
	 * a run of failed handshakes only. */
	MRD_SIGNAL_ANSWERED,
	MRD_SIGNAL_CONNECT_FAILED, /* 503 */
	MRD_SIGNAL_RESET,	   /* 503 */
	MRD_SIGNAL_TIMEOUT,	   /* 504 */
};

enum mrd_outlier_type {
	MRD_CONSECUTIVE_5XX,
	MRD_CONSECUTIVE_GATEWAY_FAILURE,
	MRD_CONSECUTIVE_LOCAL_ORIGIN_FAILURE,
	MRD_SUCCESS_RATE,
	MRD_SUCCESS_RATE_LOCAL_ORIGIN,
	MRD_FAILURE_PERCENTAGE,
	MRD_FAILURE_PERCENTAGE_LOCAL_ORIGIN,
};
enum { MRD_OUTLIER_TYPES = MRD_FAILURE_PERCENTAGE_LOCAL_ORIGIN + 1 };

/* What a rate detector saw, in per cent without the fraction, as in Envoy's log. */
struct mrd_outlier_rates {
	uint32_t host;
	uint32_t average;   /* of the cluster; success rate only, as is the next */
	uint32_t threshold; /* below it a host is an outlier */
};

/* What happened to a host, for the log and for the health row. */
struct mrd_outlier_verdict {
	uint32_t host;
	uint32_t twin; /* as the host was given */
	enum mrd_outlier_type type;
	bool ejected;  /* true: EJECT (or a detection, if not enforced); false: UNEJECT */
	bool enforced; /* false: detected only; the host stays */
	bool capped;   /* would have been ejected but for the cap */
	bool last_action_known;
	uint64_t since_last_action_ms;
	uint32_t ejections; /* Envoy's num_ejections: counts for life */
	struct mrd_outlier_rates rates;
};

typedef void (*mrd_outlier_fn)(void *self, const struct mrd_outlier_verdict *verdict);

/* A host's ejection as it is now, to be kept across restarts and shown. */
struct mrd_outlier_state {
	bool ejected;
	uint64_t ejected_at_ms;
	uint64_t ejected_until_ms; /* earliest un-ejection; it happens at a sweep */
	uint32_t ejections;
	uint32_t multiplier;
};

/* is_http: the port is known to speak HTTP. The first sweep is due one interval after now_ms. */
int mrd_outlier_new(const struct mrd_outlier_rule *rule, bool is_http, uint64_t now_ms,
		    struct mrd_outlier **ret_outlier);
void mrd_outlier_free(struct mrd_outlier *outlier); /* NULL is fine */

/* A changed rule: counters and ejections stay. */
void mrd_outlier_set_rule(struct mrd_outlier *outlier, const struct mrd_outlier_rule *rule,
			  uint64_t now_ms);
void mrd_outlier_set_http(struct mrd_outlier *outlier, bool is_http);
/* Where jitter comes from; without it there is none. Asked once an ejection, if the rule has any.
 */
void mrd_outlier_set_random(struct mrd_outlier *outlier, uint64_t (*random)(void *self),
			    void *self);

/* The cluster's hosts from now on; known ones keep their state, missing ones are forgotten. A host
 * that is listed twice is usable if either says so; two that turn out to be one keep the longer
 * ejection. -ENOMEM leaves the old set. */
int mrd_outlier_set_hosts(struct mrd_outlier *outlier, const struct mrd_outlier_host *hosts,
			  size_t count);
/* More of them. */
int mrd_outlier_add_hosts(struct mrd_outlier *outlier, const struct mrd_outlier_host *hosts,
			  size_t count);

/* Takes over what an earlier agent knew (the host must have been set). 0, or -ENOENT. */
int mrd_outlier_restore(struct mrd_outlier *outlier, uint32_t host,
			const struct mrd_outlier_state *state);

/* One signal. code: 100 to 599, or 0 if the signal carries none. fn is called for each detection.
 * Unknown hosts are ignored. */
void mrd_outlier_signal(struct mrd_outlier *outlier, uint32_t host, enum mrd_outlier_signal signal,
			uint32_t code, uint64_t now_ms, mrd_outlier_fn fn, void *self);

/* When the next sweep is due; UINT64_MAX: no host is ejected or backing off and no rate is to be
 * judged, no sweep is needed. Sweeps lie on multiples of interval after creation, however many were
 * skipped. */
uint64_t mrd_outlier_next_sweep(const struct mrd_outlier *outlier);
/*
 * Un-ejects whose time is over, lowers multipliers, and judges the rates of what was seen since the
 * last sweep: fn may be called for both directions. Does nothing before next_sweep. What a late
 * sweep does bears the time of the sweep that was due.
 */
void mrd_outlier_sweep(struct mrd_outlier *outlier, uint64_t now_ms, mrd_outlier_fn fn, void *self);

/* Ends an ejection early, and forgets the host's runs of errors: an active health check has passed.
 * Does nothing to a host that is not ejected. */
void mrd_outlier_uneject(struct mrd_outlier *outlier, uint32_t host, uint64_t now_ms,
			 mrd_outlier_fn fn, void *self);

/* 0, or -ENOENT. */
int mrd_outlier_get(const struct mrd_outlier *outlier, uint32_t host,
		    struct mrd_outlier_state *ret_state);
/* Would the cap let this host be ejected now? Of one that is ejected or unknown: no. */
bool mrd_outlier_may_eject(const struct mrd_outlier *outlier, uint32_t host);
size_t mrd_outlier_ejected_count(const struct mrd_outlier *outlier);

#endif
