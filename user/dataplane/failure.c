/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A user who starts the agent on a machine that cannot run it sees exactly one sentence. The
 * kernel's answer is an errno that stands for many causes (EPERM alone: a capability, lockdown, the
 * limit of locked memory), so the facts that tell them apart are gathered at the time of failure.
 */
#include "dataplane/failure.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

enum {
	KERNEL_MAJOR_MIN = 5,
	KERNEL_MINOR_MIN = 10, /* sock_release, bpf_link for cgroups, ring buffer, sk storage */
	LOG_KEPT_BYTES =
		65536, /* of the end: a verifier log may have megabytes before its reason */
};

static const char *const btf_path = "/sys/kernel/btf/vmlinux";

int mrd_failure(char **ret_error, int error, const char *format, ...)
{
	va_list args;

	if (!ret_error)
		return error;
	va_start(args, format);
	if (vasprintf(ret_error, format, args) < 0)
		*ret_error = NULL;
	va_end(args);
	return error;
}

/* ------------------------------------------------------------------------- what libbpf says */

static struct mrd_strbuf libbpf_log;
static bool libbpf_log_open;

static int collect(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!libbpf_log_open || level == LIBBPF_DEBUG)
		return 0;
	mrd_strbuf_vaddf(&libbpf_log, format, args);
	if (libbpf_log.len > LOG_KEPT_BYTES) {
		const size_t surplus = libbpf_log.len - LOG_KEPT_BYTES;

		memmove(libbpf_log.text, libbpf_log.text + surplus, LOG_KEPT_BYTES + 1);
		libbpf_log.len = LOG_KEPT_BYTES;
	}
	return 0;
}

void mrd_libbpf_log_start(void)
{
	mrd_strbuf_free(&libbpf_log);
	libbpf_log = (struct mrd_strbuf){0};
	libbpf_log_open = true;
	libbpf_set_print(collect);
}

const char *mrd_libbpf_log_text(void)
{
	return libbpf_log.text ? libbpf_log.text : "";
}

void mrd_libbpf_log_stop(void)
{
	mrd_strbuf_free(&libbpf_log);
	libbpf_log = (struct mrd_strbuf){0};
	libbpf_log_open = false;
}

/* --------------------------------------------------------------------------- reading its log */

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Lines that the verifier adds behind its reason. */
static bool is_statistics(const char *line)
{
	return starts_with(line, "processed ") || starts_with(line, "verification time ") ||
	       starts_with(line, "stack depth ") || starts_with(line, "max_states") ||
	       starts_with(line, "peak_states") || starts_with(line, "-- ") || *line == '\n' ||
	       *line == '\0';
}

char *mrd_verifier_reason(const char *log)
{
	static const char begin_mark[] = "-- BEGIN PROG LOAD LOG --\n";
	static const char end_mark[] = "-- END PROG LOAD LOG --";
	const char *line = strstr(log, begin_mark);
	const char *end = strstr(log, end_mark);
	const char *reason = NULL;

	/* The beginning may have been cut off; then the log starts inside of the output. */
	if (!end)
		return NULL;
	line = line && line < end ? line + strlen(begin_mark) : log;
	while (line < end) {
		const char *feed = memchr(line, '\n', (size_t)(end - line));

		if (!feed)
			break; /* the tail before the end mark: "libbpf: prog '...': " */
		if (!is_statistics(line))
			reason = line;
		line = feed + 1;
	}
	return reason ? strndup(reason, strcspn(reason, "\n")) : NULL;
}

/* The name in "<kind> 'name': <rest>" of the last line that has both, or NULL; to be freed. */
static char *failed_object(const char *log, const char *kind, const char *rest)
{
	const char *found = NULL;

	for (const char *at = strstr(log, kind); at; at = strstr(at + 1, kind)) {
		const char *name = at + strlen(kind);
		const size_t len = strcspn(name, "'\n");

		if (name[len] == '\'' && starts_with(name + len + 1, rest))
			found = name;
	}
	return found ? strndup(found, strcspn(found, "'")) : NULL;
}

/* The last line that libbpf printed, without its prefix; to be freed. */
static char *last_line(const char *log)
{
	size_t len = strlen(log);
	const char *line;

	while (len && log[len - 1] == '\n')
		len--;
	line = log + len;
	while (line > log && line[-1] != '\n')
		line--;
	if (starts_with(line, "libbpf: "))
		line += strlen("libbpf: ");
	return len ? strndup(line, (size_t)(log + len - line)) : NULL;
}

/* -------------------------------------------------------------------------------- sentences */

static bool has_capability(uint64_t capabilities, unsigned int bit)
{
	return capabilities & (UINT64_C(1) << bit);
}

/*
 * Loading needs CAP_BPF; CAP_PERFMON lets the verifier take pointer arithmetic that it refuses
 * "for !root"; attaching to a cgroup needs CAP_NET_ADMIN. CAP_SYS_ADMIN stands for the first two.
 */
static const struct {
	const char *name;
	unsigned int bit;
	bool in_sys_admin;
} needed[] = {
	{"CAP_BPF", CAP_BPF, true},
	{"CAP_PERFMON", CAP_PERFMON, true},
	{"CAP_NET_ADMIN", CAP_NET_ADMIN, false},
};

enum { NEEDED_COUNT = sizeof(needed) / sizeof(needed[0]) };

static bool is_missing(uint64_t capabilities, size_t i)
{
	return !has_capability(capabilities, needed[i].bit) &&
	       !(needed[i].in_sys_admin && has_capability(capabilities, CAP_SYS_ADMIN));
}

static size_t count_missing(uint64_t capabilities)
{
	size_t count = 0;

	for (size_t i = 0; i < NEEDED_COUNT; i++)
		count += is_missing(capabilities, i);
	return count;
}

/* "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN are missing: ..." */
static void say_missing(struct mrd_strbuf *out, uint64_t capabilities)
{
	const size_t count = count_missing(capabilities);
	size_t said = 0;

	for (size_t i = 0; i < NEEDED_COUNT; i++) {
		if (!is_missing(capabilities, i))
			continue;
		if (said)
			mrd_strbuf_addf(out, "%s", said + 1 == count ? " and " : ", ");
		mrd_strbuf_addf(out, "%s", needed[i].name);
		said++;
	}
	mrd_strbuf_addf(out, " %s missing: run as root or grant %s", count == 1 ? "is" : "are",
			count == 1 ? "it" : "them");
}

static void say_permission(struct mrd_strbuf *out, const struct mrd_load_facts *facts)
{
	if (count_missing(facts->capabilities))
		say_missing(out, facts->capabilities);
	else if (strcmp(facts->lockdown, "none") != 0)
		mrd_strbuf_addf(out, "kernel lockdown is in mode %s: boot with %s", facts->lockdown,
				strcmp(facts->lockdown, "integrity") == 0 ? "lockdown=none"
									  : "lockdown=integrity");
	else if (facts->memlock_bytes != UINT64_MAX)
		mrd_strbuf_addf(out,
				"locked memory is limited to %" PRIu64
				" bytes, which kernels before 5.11 count BPF maps "
				"against: raise it (ulimit -l unlimited, LimitMEMLOCK=infinity)",
				facts->memlock_bytes);
	else
		mrd_strbuf_addf(out, "something forbids bpf(2), such as a seccomp filter or a "
				     "security module: allow it for this process");
}

static void say_no_memory(struct mrd_strbuf *out, const struct mrd_load_facts *facts)
{
	MRD_AUTO_FREE char *map = failed_object(facts->log, "map '", ": failed to create");

	mrd_strbuf_addf(out, "the kernel has no room for %s%s (%s): lower kernel.limits",
			map ? "map " : "the maps", map ? map : "", strerror(-facts->error));
}

static void say_other(struct mrd_strbuf *out, const struct mrd_load_facts *facts)
{
	MRD_AUTO_FREE char *program = failed_object(facts->log, "prog '", ": BPF program load");
	MRD_AUTO_FREE char *reason = mrd_verifier_reason(facts->log);
	MRD_AUTO_FREE char *line = last_line(facts->log);

	if (reason)
		mrd_strbuf_addf(out,
				"kernel %s rejects program %s: %s; report this line, or run a "
				"kernel that the README lists",
				facts->kernel, program ? program : "(unknown)", reason);
	else
		mrd_strbuf_addf(out, "kernel %s did not load the programs: %s%s%s", facts->kernel,
				strerror(-facts->error), line ? ": " : "", line ? line : "");
}

char *mrd_load_sentence(const struct mrd_load_facts *facts)
{
	MRD_AUTO_STRBUF struct mrd_strbuf out = {0};
	MRD_AUTO_FREE char *reason = mrd_verifier_reason(facts->log);
	const bool denied = facts->error == -EPERM || facts->error == -EACCES;

	if (denied && (count_missing(facts->capabilities) || !reason)) {
		mrd_strbuf_addf(&out, "the kernel refuses to load programs (%s): ",
				strerror(-facts->error));
		say_permission(&out, facts);
	} else if (!facts->has_btf && !reason) {
		mrd_strbuf_addf(&out,
				"kernel %s has no type information (%s is missing): run a kernel "
				"built with CONFIG_DEBUG_INFO_BTF=y",
				facts->kernel, btf_path);
	} else if (facts->error == -ENOMEM || (facts->error == -E2BIG && !reason)) {
		say_no_memory(&out, facts);
	} else {
		say_other(&out, facts);
	}
	return mrd_strbuf_steal(&out);
}

/* -------------------------------------------------------------------------- facts of this system
 */

static uint64_t effective_capabilities(void)
{
	MRD_AUTO_FILE FILE *status = fopen("/proc/self/status", "re");
	uint64_t capabilities = 0;
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (starts_with(line, "CapEff:"))
			capabilities = strtoull(line + strlen("CapEff:"), NULL, 16);
	return capabilities;
}

/* The file reads "none [integrity] confidentiality": the mode in force stands in brackets. */
static void read_lockdown(char *mode, size_t size)
{
	MRD_AUTO_FILE FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char line[128];
	char *open, *close;

	snprintf(mode, size, "none");
	if (!file || !fgets(line, sizeof(line), file))
		return;
	open = strchr(line, '[');
	close = open ? strchr(open, ']') : NULL;
	if (close)
		snprintf(mode, size, "%.*s", (int)(close - open - 1), open + 1);
}

struct system_facts {
	struct utsname name;
	char lockdown[32];
};

static void gather(struct system_facts *system, struct mrd_load_facts *facts)
{
	struct rlimit memlock = {.rlim_cur = RLIM_INFINITY};

	if (uname(&system->name) < 0)
		snprintf(system->name.release, sizeof(system->name.release), "(unknown)");
	read_lockdown(system->lockdown, sizeof(system->lockdown));
	getrlimit(RLIMIT_MEMLOCK, &memlock);
	facts->kernel = system->name.release;
	facts->lockdown = system->lockdown;
	facts->capabilities = effective_capabilities();
	facts->has_btf = access(btf_path, R_OK) == 0;
	facts->memlock_bytes = memlock.rlim_cur == RLIM_INFINITY ? UINT64_MAX : memlock.rlim_cur;
}

int mrd_load_failure(int error, const char *log, char **ret_error)
{
	struct mrd_load_facts facts = {.error = error, .log = log};
	struct system_facts system;

	gather(&system, &facts);
	if (ret_error)
		*ret_error = mrd_load_sentence(&facts);
	return error;
}

int mrd_permission_failure(int error, const char *what, char **ret_error)
{
	MRD_AUTO_STRBUF struct mrd_strbuf cause = {0};
	struct mrd_load_facts facts = {.error = error, .log = ""};
	struct system_facts system;

	if (error != -EPERM && error != -EACCES)
		return mrd_failure(ret_error, error, "%s: %s", what, strerror(-error));
	gather(&system, &facts);
	say_permission(&cause, &facts);
	return mrd_failure(ret_error, error, "%s: %s: %s", what, strerror(-error),
			   cause.text ? cause.text : "run as root");
}

int mrd_check_kernel(const char *release, char **ret_error)
{
	char *end;
	const unsigned long major = strtoul(release, &end, 10);
	const unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

	/* A release that does not read as a number is left to the load to judge. */
	if (end == release)
		return 0;
	if (major > KERNEL_MAJOR_MIN || (major == KERNEL_MAJOR_MIN && minor >= KERNEL_MINOR_MIN))
		return 0;
	return mrd_failure(ret_error, -EOPNOTSUPP,
			   "kernel %s is too old: Meridian needs Linux %d.%d or newer", release,
			   KERNEL_MAJOR_MIN, KERNEL_MINOR_MIN);
}
