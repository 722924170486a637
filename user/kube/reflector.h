/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One kind of object of one API server, followed: list, then watch, then list again where the
 * server has forgotten our version (client-go's Reflector; KEP-3157 for streaming lists). A pure
 * state machine: bytes and times come in, requests and objects go out.
 *
 * A list is never held whole: objects are handed on as they come, each as its own JSON text. What
 * was known before and is not in the list goes when the list is complete, and not before.
 */
#ifndef MRD_KUBE_REFLECTOR_H
#define MRD_KUBE_REFLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mrd_reflector;

struct mrd_reflector_config {
	const char *group; /* "discovery.k8s.io"; "" = the core */
	/* "v1", or several, the best one first, with a space between: which of them the server has
	 * is found out, also when that changes. They say the same. */
	const char *versions;
	const char *resource;	    /* "endpointslices" */
	const char *kind;	    /* "EndpointSlice"; of a list's items that do not say */
	const char *label_selector; /* not escaped; "" = all */
	bool may_be_missing;	    /* a custom resource: 404 is an empty list, looked for again */
	/* No more of an object than its metadata: it may come as a PartialObjectMetadata, or whole
	 * from a server that does not do that. */
	bool metadata_only;
	uint32_t seed;		  /* of the jitter */
	size_t objects_max;	  /* of a list; 0 = any number */
	const char *objects_says; /* the key of the configuration that says so; a literal */

	/* An object, new or changed. -E2BIG: there are too many. json is one JSON document, and
	 * borrowed. -EBADMSG: it does not decode (who is called has said so): counted, and passed
	 * over. Another error ends the request, and it is tried again. */
	int (*put)(void *self, const char *json, size_t len);
	/* It is gone. */
	int (*remove)(void *self, const char *json, size_t len);
	/* A list begins anew: objects that are not put until list_end are gone. A second list_begin
	 * before list_end: the list before was cut, nothing goes. */
	void (*list_begin)(void *self);
	void (*list_end)(void *self);
	/* The list is longer than any: what it alone has brought is not to be kept. */
	void (*list_drop)(void *self);
	void *self;
};

int mrd_reflector_new(const struct mrd_reflector_config *config, uint64_t now_ns,
		      struct mrd_reflector **ret_reflector); /* strings are copied */
void mrd_reflector_free(struct mrd_reflector *reflector);    /* NULL is fine */

/* As mrd_http_get takes it. */
struct mrd_reflector_request {
	const char *path;   /* with its query, escaped; lives until the next call */
	const char *accept; /* "Accept: …", a literal */
	uint64_t silence_ms;
};

/* What to send now. false: nothing before mrd_reflector_due_ns (UINT64_MAX while a request is under
 * way). */
bool mrd_reflector_request(struct mrd_reflector *reflector, uint64_t now_ns,
			   struct mrd_reflector_request *ret_request);
uint64_t mrd_reflector_due_ns(const struct mrd_reflector *reflector);
/* The server has answered another kind's request: who waits because it was away need not go on
 * waiting. Longer all the same waits who was told to by Retry-After, or was hurried just before. */
void mrd_reflector_hurry(struct mrd_reflector *reflector, uint64_t now_ns);

/* The answer. 401 is told by the return value of on_head: -EACCES, once; the caller reads its
 * credentials again. Not told is the 401 of the attempt that follows: that one waits. */
int mrd_reflector_on_head(struct mrd_reflector *reflector, unsigned int status,
			  const char *content_type, uint64_t retry_after_ms, uint64_t now_ns);
int mrd_reflector_on_body(struct mrd_reflector *reflector, const void *data, size_t len,
			  uint64_t now_ns);
/* on_body was not 0: give the transfer up, nothing more of it is wanted (it is broken, or a
 * streamed list is complete, behind which the watch is a request of its own); on_end all the same.
 * error: "" = the server ended the answer; else why the transport did. */
void mrd_reflector_on_end(struct mrd_reflector *reflector, const char *error, uint64_t now_ns);
/* The request could not be sent at all, or was cancelled: as if its transport had failed, but at
 * once again when no_backoff (credentials were read anew). */
void mrd_reflector_retry(struct mrd_reflector *reflector, const char *error, bool no_backoff,
			 uint64_t now_ns);

struct mrd_reflector_status {
	bool synced;   /* a list has been complete */
	bool watching; /* a watch is open */
	bool missing;  /* 404, and that is fine */
	/* It fails for a right that it may have in a moment: a server answers before it has read
	 * its roles. */
	bool settling;
	uint64_t last_heard_ns;	   /* of the last byte that was understood; 0 = never */
	uint64_t failing_since_ns; /* 0 = it does not fail */
	const char *error;   /* one sentence with the remedy: 403 names verb, resource and group */
	const char *version; /* resourceVersion; "" = none yet */
	uint64_t objects;    /* put or removed */
	uint64_t undecoded;
	uint64_t lists;	   /* complete ones */
	uint64_t watches;  /* opened */
	uint64_t failures; /* requests that ended in an error */
};

void mrd_reflector_get_status(const struct mrd_reflector *reflector,
			      struct mrd_reflector_status *ret_status);

#endif
