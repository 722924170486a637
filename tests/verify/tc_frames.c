// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "tc_frames.h"

#include <arpa/inet.h>
#include <string.h>

int run(const struct world *world, enum way way, const struct wire *wire, uint8_t *out,
	size_t *ret_len)
{
	uint8_t frame[WIRE_MAX];
	const size_t len = wire_build(wire, frame);

	return world_run(world, way, frame, len, out, ret_len);
}

bool comes_out(const struct world *world, enum way way, const struct wire *in,
	       const struct wire *want, int want_verdict)
{
	uint8_t got[WIRE_MAX], frame[WIRE_MAX];
	size_t len;
	const int verdict = run(world, way, in, got, &len);

	return verdict == want_verdict && len == wire_build(want, frame) &&
	       !memcmp(got, frame, len);
}

struct wire syn_of(uint16_t port, const char *to, uint16_t to_port)
{
	return (struct wire){
		.from = CLIENT,
		.to = to,
		.from_port = port,
		.to_port = to_port,
		.protocol = TCP,
		.flags = SYN,
	};
}

void key_of(const struct wire *wire, struct mrd_flow_key *ret_key)
{
	memset(ret_key, 0, sizeof(*ret_key));
	inet_pton(AF_INET, wire->from, ret_key->tuple.source);
	inet_pton(AF_INET, wire->to, ret_key->tuple.destination);
	ret_key->tuple.source_port = wire->from_port;
	ret_key->tuple.destination_port = wire->to_port;
	ret_key->family = MRD_FAMILY_IPV4;
	ret_key->protocol = (enum mrd_protocol)wire->protocol;
}
