// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Loads the BPF objects into the running kernel, attaches nothing, and holds the verifier's effort
 * for each program to a committed number: what grows past it is noticed in review, not when a
 * customer's older kernel refuses to load.
 *
 *   verify BUDGET OBJECT…
 *
 * The budget file has lines `object program instructions`, and `map name bytes` for what a full map
 * holds at its default size. A program or a map without a line fails. bpf_obj_get_info_by_fd()
 * tells the number since kernel 5.16; before, loading is all that is tested.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "budget.h"

enum { MAP_ROWS = 16, NAME_MAX_LEN = 64, EXIT_USAGE = 2 };

static int quiet_unless_warning(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

/* "…/meridian_legacy.bpf.o" → "meridian_legacy" */
static void object_name(const char *path, char ret_name[static NAME_MAX_LEN])
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	snprintf(ret_name, NAME_MAX_LEN, "%.*s", (int)strcspn(base, "."), base);
}

/*
 * Keys and values as the kernel lays them out, without what it puts around them, which is another
 * thing in each version. Of a map per CPU: one CPU's.
 */
static unsigned long map_bytes(const struct bpf_map *map)
{
	const unsigned long key = (bpf_map__key_size(map) + 7UL) / 8 * 8;
	const unsigned long value = (bpf_map__value_size(map) + 7UL) / 8 * 8;

	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_RINGBUF:
		return bpf_map__max_entries(map);
	case BPF_MAP_TYPE_SK_STORAGE:
		return value; /* of a socket */
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		return value * bpf_map__max_entries(map);
	default:
		return (key + value) * bpf_map__max_entries(map);
	}
}

/* Before they are shrunk. */
static bool check_maps(struct bpf_object *object, const char *budget_path, const char *name)
{
	const struct bpf_map *map;
	unsigned int count = 0;
	bool good = true;

	bpf_object__for_each_map(map, object)
	{
		const long budget = budget_of(budget_path, "map", bpf_map__name(map));

		if (bpf_map__is_internal(map))
			continue;
		count++;
		if (budget >= 0 && map_bytes(map) <= (unsigned long)budget)
			continue;
		printf("FAIL verify/%s/%s: %lu of %ld bytes when it is full\n", name,
		       bpf_map__name(map), map_bytes(map), budget);
		good = false;
	}
	if (good)
		printf("PASS verify/%s/maps: %u within their memory\n", name, count);
	return good;
}

/* Sizes say nothing about programs; small ones load at once. */
static void shrink_maps(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		switch (bpf_map__type(map)) {
		case BPF_MAP_TYPE_RINGBUF:
			bpf_map__set_max_entries(map, (unsigned)sysconf(_SC_PAGESIZE));
			break;
		case BPF_MAP_TYPE_HASH:
		case BPF_MAP_TYPE_PERCPU_HASH:
		case BPF_MAP_TYPE_LRU_HASH:
		case BPF_MAP_TYPE_LPM_TRIE:
		case BPF_MAP_TYPE_SOCKHASH:
			bpf_map__set_max_entries(map, MAP_ROWS);
			break;
		default:
			break;
		}
	}
}

static bool check_program(const struct bpf_program *program, const char *budget_path,
			  const char *object)
{
	const char *name = bpf_program__name(program);
	const long budget = budget_of(budget_path, object, name);
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	bool good;

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len)) {
		printf("FAIL verify/%s/%s: no information: %s\n", object, name, strerror(errno));
		return false;
	}
	good = budget >= 0 && info.verified_insns <= (unsigned long)budget;
	printf("%s verify/%s/%s: verified %u of %ld, %u instructions, %u bytes of code\n",
	       good ? "PASS" : "FAIL", object, name, info.verified_insns, budget,
	       info.xlated_prog_len / (unsigned)sizeof(struct bpf_insn), info.jited_prog_len);
	return good;
}

static bool check_object(const char *path, const char *budget_path)
{
	struct bpf_object *object;
	struct bpf_program *program;
	char name[NAME_MAX_LEN];
	bool good = true;

	object_name(path, name);
	object = bpf_object__open_file(path, NULL);
	if (!object) {
		printf("FAIL verify/%s: open: %s\n", name, strerror(errno));
		return false;
	}
	good = check_maps(object, budget_path, name);
	shrink_maps(object);
	if (bpf_object__load(object)) {
		printf("FAIL verify/%s: load: %s\n", name, strerror(errno));
		bpf_object__close(object);
		return false;
	}
	bpf_object__for_each_program(program, object) good &=
		check_program(program, budget_path, name);
	bpf_object__close(object);
	return good;
}

int main(int argc, char **argv)
{
	bool good = true;

	if (argc < 3) {
		fprintf(stderr, "usage: verify BUDGET OBJECT...\n");
		return EXIT_USAGE;
	}
	if (geteuid()) {
		printf("SKIP verify: needs root\n");
		return EXIT_SUCCESS;
	}
	libbpf_set_print(quiet_unless_warning);
	for (int i = 2; i < argc; i++)
		good &= check_object(argv[i], argv[1]);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
