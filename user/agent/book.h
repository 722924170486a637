/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the agent keeps of every service: by name, for each of its ports the outlier detector that
 * watches it, and for each of a port's IP families (one service id each) the rows that the kernel
 * holds.
 */
#ifndef MRD_AGENT_BOOK_H
#define MRD_AGENT_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/warmth.h"
#include "base/table.h"
#include "maps/abi.h"
#include "outlier/outlier.h"
#include "plan/rows.h"

struct mrd_book_service;

/* What a port of a service has once for both IP families, as it is one cluster to Envoy. */
struct mrd_watch {
	struct mrd_entry *ipv4; /* NULL: no service id of that family */
	struct mrd_entry *ipv6;
	struct mrd_outlier *detector; /* NULL: no outlier detection */
	bool is_http;		      /* declared, or learned from a response */
};

/* One service id. */
struct mrd_entry {
	uint32_t id;
	struct mrd_name name;
	uint16_t number; /* the Service's port, for names in logs; 0 = not known */
	struct mrd_book_service *service;
	struct mrd_rows *rows;	 /* as the kernel holds them; NULL: none */
	struct mrd_watch *watch; /* its own and that of the other family's entry */
	/* Regions and endpoints that were up; NULL: no warm-up is asked for, or not planned yet. */
	struct mrd_warmth *regions;
	struct mrd_warmth *ready;
	uint64_t again_ns; /* one of them ramps up: to be planned once more; 0: not */
	bool planned;	   /* the plan being written names this entry */
};

struct mrd_book_service {
	char *key; /* "namespace/name" */
	struct mrd_entry **entries;
	size_t entry_count;
	bool held;     /* adopted, and left as it is until the clusters were read */
	bool replaced; /* adopted from maps that are to be replaced by those that are written */
	bool revisit;  /* to be planned although the model does not call it dirty */
	char *error;   /* why its plan is not in the kernel; NULL: it is */
	uint64_t failing_since_ns;
	char *warnings; /* those last logged; NULL: none */
};

struct mrd_book {
	struct mrd_table *services; /* key → mrd_book_service */
	struct mrd_table *entries;  /* id → mrd_entry */
};

int mrd_book_init(struct mrd_book *book);
void mrd_book_clear(struct mrd_book *book); /* frees what is in it, not book itself */

/* NULL without memory. */
struct mrd_book_service *mrd_book_service(struct mrd_book *book, const char *key);
struct mrd_book_service *mrd_book_find_service(const struct mrd_book *book, const char *key);
/* Is a plan of it in the maps, whichever? */
bool mrd_book_has_rows(const struct mrd_book_service *service);
/* Forgets a service that has no entry, no error and is not held; others stay. */
void mrd_book_drop_service(struct mrd_book *book, struct mrd_book_service *service);

/* NULL without memory. */
struct mrd_entry *mrd_book_entry(struct mrd_book *book, struct mrd_book_service *service,
				 uint32_t id, const struct mrd_name *name);
struct mrd_entry *mrd_book_find_entry(const struct mrd_book *book, uint32_t id);
void mrd_book_drop_entry(struct mrd_book *book, struct mrd_entry *entry);

#endif
