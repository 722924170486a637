/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Why the kernel said no, as one sentence with the cause and the remedy. The sentences are made
 * from facts alone, so that every one of them can be tested without the kernel that provokes it.
 */
#ifndef MRD_DATAPLANE_FAILURE_H
#define MRD_DATAPLANE_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

/* Sets *ret_error (NULL without memory, and ret_error itself may be NULL) and returns error. */
int mrd_failure(char **ret_error, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct mrd_load_facts {
	int error;		/* negative errno of the load */
	const char *log;	/* what libbpf and the verifier said meanwhile */
	const char *kernel;	/* "6.1.0-18-amd64" */
	uint64_t capabilities;	/* effective, as the bits of /proc/self/status */
	bool has_btf;		/* /sys/kernel/btf/vmlinux is there */
	const char *lockdown;	/* "none", "integrity", "confidentiality" */
	uint64_t memlock_bytes; /* the limit in force; UINT64_MAX: none */
};

/* The sentence for a load that failed; to be freed. NULL without memory. */
char *mrd_load_sentence(const struct mrd_load_facts *facts);
/* Gathers the facts from this system and makes the sentence. Returns error. */
int mrd_load_failure(int error, const char *log, char **ret_error);
/* What an EPERM outside of loading means here: the sentence "<what>: <cause>; <remedy>". */
int mrd_permission_failure(int error, const char *what, char **ret_error);

/*
 * The verifier's reason in a log: its last line that is no statistics, without line feed; to be
 * freed. NULL: the log holds no verifier's output (or no memory).
 */
char *mrd_verifier_reason(const char *log);

/* -EOPNOTSUPP with a sentence if the release ("5.4.0-150-generic") is older than 5.10. */
int mrd_check_kernel(const char *release, char **ret_error);

/*
 * What libbpf prints is collected instead of going to stderr. libbpf's print hook has no argument
 * for its user, so the buffer is one per process; start empties it, and text lives until then.
 */
void mrd_libbpf_log_start(void);
const char *mrd_libbpf_log_text(void);
void mrd_libbpf_log_stop(void); /* frees the text; later messages are dropped */

#endif
