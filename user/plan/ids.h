/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which number stands for which service, endpoint and locality. Numbers are stable while a thing
 * exists and survive a restart: they are adopted from the kernel's rows. A freed number is not
 * given out again before all others were (32 bits), so a late reader never meets a namesake.
 */
#ifndef MRD_PLAN_IDS_H
#define MRD_PLAN_IDS_H

#include <stdint.h>

#include "base/ip.h"
#include "maps/abi.h"

struct mrd_ids;

int mrd_ids_new(struct mrd_ids **ret_ids);
void mrd_ids_free(struct mrd_ids *ids); /* NULL is fine */

/* The id of a thing, made if it has none. -ENOMEM. Names longer than their field: -ENAMETOOLONG. */
int mrd_ids_service(struct mrd_ids *ids, const struct mrd_name *name, uint32_t *ret_id);
int mrd_ids_endpoint(struct mrd_ids *ids, uint32_t service_id, const struct mrd_ip *ip,
		     uint16_t port, uint32_t *ret_id);
/* -ENOSPC beyond MRD_LOCALITIES_MAX. */
int mrd_ids_locality(struct mrd_ids *ids, const struct mrd_locality *locality, uint32_t *ret_id);

/* Looks up without making; 0 = has none. */
uint32_t mrd_ids_find_service(const struct mrd_ids *ids, const struct mrd_name *name);
uint32_t mrd_ids_find_endpoint(const struct mrd_ids *ids, uint32_t service_id,
			       const struct mrd_ip *ip, uint16_t port);

/* Takes a number over from the kernel's rows. -EEXIST: it stands for something else. */
int mrd_ids_adopt_service(struct mrd_ids *ids, uint32_t id, const struct mrd_name *name);
int mrd_ids_adopt_endpoint(struct mrd_ids *ids, uint32_t id, uint32_t service_id,
			   const struct mrd_ip *ip, uint16_t port);
int mrd_ids_adopt_locality(struct mrd_ids *ids, uint32_t id, const struct mrd_locality *locality);

/* The thing is gone. */
void mrd_ids_release_service(struct mrd_ids *ids, uint32_t id);
void mrd_ids_release_endpoint(struct mrd_ids *ids, uint32_t id);

#endif
