// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The TC programs on packets, by BPF_PROG_TEST_RUN: nothing is attached.
 *
 *   tc_packets [-b BUDGET] OBJECT…
 *
 * With a budget, what packets cost is held to its lines `cost PACKET PERCENT`: of a look-up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "budget.h"
#include "tc_cases.h"
#include "tc_checks.h"
#include "tc_cost.h"

enum { EXIT_USAGE = 2, NAME_LEN = 128 };

static void print_bytes(const char *what, const uint8_t *bytes, size_t len)
{
	printf("  %-5s %4zu:", what, len);
	for (size_t i = 0; i < len && i < 128; i++)
		printf("%s%02x", i % 2 ? "" : " ", bytes[i]);
	printf("\n");
}

static bool run_step(const struct world *world, const struct step *step)
{
	const int want_verdict = step->verdict ? step->verdict : TC_NEXT;
	uint8_t in[WIRE_MAX], want[WIRE_MAX], got[WIRE_MAX];
	const size_t in_len = wire_build(&step->in, in);
	const size_t want_len = wire_build(step->out.from ? &step->out : &step->in, want);
	size_t got_len;
	const int verdict = world_run(world, step->way, in, in_len, got, &got_len);

	if (verdict == want_verdict && got_len == want_len && !memcmp(got, want, want_len))
		return true;
	printf("  verdict %d, not %d\n", verdict, want_verdict);
	print_bytes("in", in, in_len);
	print_bytes("want", want, want_len);
	print_bytes("got", got, got_len);
	return false;
}

static bool run_case(const struct world *world, const struct packet_case *one)
{
	uint64_t before = 0;

	world_reset(world, one->uplink);
	world_forward_fast(world, one->fast);
	if (one->moved)
		world_put_move(world, one->moved);
	for (size_t i = 0; i < STEPS_MAX && one->steps[i].in.from; i++) {
		if (one->late & STEP(i + 1))
			world_age(world);
		before = world_count(world, one->reason);
		if (!run_step(world, &one->steps[i])) {
			printf("  in step %zu\n", i + 1);
			return false;
		}
	}
	if (!one->counts || world_count(world, one->reason) == before + 1)
		return true;
	printf("  counter %d: %llu more\n", one->reason,
	       (unsigned long long)(world_count(world, one->reason) - before));
	return false;
}

static void tell(const char *path, const char *name, bool passed)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	printf("%s tc/%.*s/%s\n", passed ? "PASS" : "FAIL", (int)strcspn(base, "."), base, name);
}

static bool check_costs(const struct world *world, const char *path, const char *budget_path)
{
	struct tc_cost costs[TC_COSTS];
	bool good = true;

	tc_cost_measure(world, costs);
	for (size_t i = 0; i < TC_COSTS; i++) {
		const long budget = budget_of(budget_path, "cost", costs[i].name);
		const bool passed = budget >= 0 && costs[i].percent <= budget;
		char name[NAME_LEN];

		snprintf(name, sizeof(name), "cost of %s: %u of %ld percent of a look-up",
			 costs[i].name, costs[i].percent, budget);
		tell(path, name, passed);
		good &= passed;
	}
	return good;
}

static bool run_object(const char *path, const char *budget_path)
{
	struct world world;
	bool good = true;

	world_load(&world, path);
	for (size_t i = 0; i < tc_service_count; i++)
		world_add(&world, &tc_services[i]);
	for (size_t i = 0; i < tc_setting_count; i++)
		world_set(&world, &tc_settings[i]);
	for (size_t i = 0; i < tc_case_count; i++) {
		const bool passed = run_case(&world, &tc_cases[i]);

		tell(path, tc_cases[i].name, passed);
		good &= passed;
	}
	for (size_t i = 0; i < tc_check_count; i++) {
		const bool passed = tc_checks[i].run(&world);

		tell(path, tc_checks[i].name, passed);
		good &= passed;
	}
	if (budget_path)
		good &= check_costs(&world, path, budget_path);
	return good;
}

int main(int argc, char **argv)
{
	const char *budget_path = NULL;
	bool good = true;
	int option;

	while ((option = getopt(argc, argv, "b:")) == 'b')
		budget_path = optarg;
	if (option >= 0 || optind >= argc) {
		fprintf(stderr, "usage: tc_packets [-b BUDGET] OBJECT...\n");
		return EXIT_USAGE;
	}
	if (geteuid()) {
		printf("SKIP tc: needs root\n");
		return EXIT_SUCCESS;
	}
	world_enter();
	for (int i = optind; i < argc; i++)
		good &= run_object(argv[i], budget_path);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
