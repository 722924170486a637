// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The least that can be done where Meridian's programs stand, for bench/scenarios/floor.sh: what
 * these cost, nobody can spare who rewrites addresses at sockets.
 *
 * Whatever is connected to becomes the address of the scenario's server: nothing is looked up,
 * chosen or counted. Something is kept for the socket until it closes, for getpeername() to tell
 * what was asked for. Programs at packets and at TCP's callbacks do nothing at all.
 */
#include "bpf/lib/kern.h"

struct least {
	__u64 word;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mrd_socket);
} storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct least);
} storage_least SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MRD_CONNECTIONS_MAX);
	__type(key, __u64);
	__type(value, struct mrd_socket);
} hash SEC(".maps");

/* The same, whose rows are there from the start: nothing is allocated for one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MRD_CONNECTIONS_MAX);
	__type(key, __u64);
	__type(value, struct mrd_socket);
} ready SEC(".maps");

/* The same without buckets or locks: whoever comes second to a place would have none. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MRD_CONNECTIONS_MAX);
	__type(key, __u32);
	__type(value, struct mrd_socket);
} array SEC(".maps");

/* To 10.0.0.11:9080. */
static __always_inline int rewrite(struct bpf_sock_addr *ctx)
{
	ctx->user_ip4 = bpf_htonl(0x0a00000b);
	ctx->user_port = bpf_htons(9080);
	return MRD_ALLOW_CALL;
}

SEC("cgroup/connect4")
int floor_rewrite(struct bpf_sock_addr *ctx)
{
	return rewrite(ctx);
}

SEC("cgroup/connect4")
int floor_storage(struct bpf_sock_addr *ctx)
{
	bpf_sk_storage_get(&storage, ctx->sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	return rewrite(ctx);
}

SEC("cgroup/connect4")
int floor_least(struct bpf_sock_addr *ctx)
{
	bpf_sk_storage_get(&storage_least, ctx->sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	return rewrite(ctx);
}

SEC("cgroup/connect4")
int floor_hash(struct bpf_sock_addr *ctx)
{
	const __u64 cookie = bpf_get_socket_cookie(ctx);
	const struct mrd_socket row = {0};

	bpf_map_update_elem(&hash, &cookie, &row, BPF_ANY);
	return rewrite(ctx);
}

SEC("cgroup/sock_release")
int floor_hash_end(struct bpf_sock *ctx)
{
	const __u64 cookie = bpf_get_socket_cookie(ctx);

	bpf_map_delete_elem(&hash, &cookie);
	return MRD_ALLOW_CALL;
}

SEC("cgroup/connect4")
int floor_ready(struct bpf_sock_addr *ctx)
{
	const __u64 cookie = bpf_get_socket_cookie(ctx);
	const struct mrd_socket row = {0};

	bpf_map_update_elem(&ready, &cookie, &row, BPF_ANY);
	return rewrite(ctx);
}

SEC("cgroup/sock_release")
int floor_ready_end(struct bpf_sock *ctx)
{
	const __u64 cookie = bpf_get_socket_cookie(ctx);

	bpf_map_delete_elem(&ready, &cookie);
	return MRD_ALLOW_CALL;
}

SEC("cgroup/connect4")
int floor_array(struct bpf_sock_addr *ctx)
{
	const __u64 cookie = bpf_get_socket_cookie(ctx);
	const __u32 place = cookie & (MRD_CONNECTIONS_MAX - 1);
	struct mrd_socket *row = bpf_map_lookup_elem(&array, &place);

	if (row && !row->cookie) {
		__builtin_memset(row, 0, sizeof(*row));
		row->cookie = cookie;
	}
	return rewrite(ctx);
}

SEC("cgroup/sock_release")
int floor_array_end(struct bpf_sock *ctx)
{
	const __u64 cookie = bpf_get_socket_cookie(ctx);
	const __u32 place = cookie & (MRD_CONNECTIONS_MAX - 1);
	struct mrd_socket *row = bpf_map_lookup_elem(&array, &place);

	if (row && row->cookie == cookie)
		row->cookie = 0;
	return MRD_ALLOW_CALL;
}

/* The section's name is the hook, and the context is not asked for anything. */
#define NOTHING(section, name, context_type)                \
	SEC(section)                                        \
	int name(__attribute__((unused)) context_type *ctx) \
	{                                                   \
		return MRD_ALLOW_CALL;                      \
	}
NOTHING("cgroup_skb/ingress", floor_ingress, struct __sk_buff)
NOTHING("cgroup_skb/egress", floor_egress, struct __sk_buff)
NOTHING("sockops", floor_sockops, struct bpf_sock_ops)
NOTHING("cgroup/sock_release", floor_release, struct bpf_sock)

char floor_license[] SEC("license") = "Dual BSD/GPL";
