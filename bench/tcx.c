// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Attaches a pinned program to a network interface by a tcx link (Linux 6.6), which is pinned in
 * its turn: bpftool of Debian 12 cannot.
 *
 * Usage: tcx INTERFACE ingress|egress PROGRAM LINK
 */
#include <bpf/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* linux/bpf.h of Debian 12 does not name them. */
enum { TCX_INGRESS = 46, TCX_EGRESS = 47 };

int main(int argc, char **argv)
{
	unsigned int ifindex;
	int program, link;

	if (argc != 5) {
		fprintf(stderr, "usage: tcx INTERFACE ingress|egress PROGRAM LINK\n");
		return 2;
	}
	ifindex = if_nametoindex(argv[1]);
	program = bpf_obj_get(argv[3]);
	link = !ifindex || program < 0
		       ? -1
		       : bpf_link_create(program, (int)ifindex,
					 (enum bpf_attach_type)(strcmp(argv[2], "ingress") != 0
									? TCX_EGRESS
									: TCX_INGRESS),
					 NULL);
	if (link < 0 || bpf_obj_pin(link, argv[4])) {
		perror("tcx");
		return 1;
	}
	return 0;
}
