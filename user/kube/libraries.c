/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/libraries.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>

#define DEFINE_SYMBOL(name) typeof(name) *sym_##name;
MRD_LIBCURL(DEFINE_SYMBOL)
MRD_LIBSSL(DEFINE_SYMBOL)
MRD_LIBCRYPTO(DEFINE_SYMBOL)

struct symbol {
	const char *name;
	void *at; /* the pointer that is filled in */
};

#define ROW(name) {#name, &sym_##name},
static const struct symbol curl_symbols[] = {MRD_LIBCURL(ROW){0}};
static const struct symbol ssl_symbols[] = {MRD_LIBSSL(ROW){0}};
static const struct symbol crypto_symbols[] = {MRD_LIBCRYPTO(ROW){0}};

/* By the names of their interfaces; scripts/rootfs.sh reads them here. */
static const struct {
	const char *file;
	const struct symbol *symbols;
} libraries[] = {
	{"libcrypto.so.3", crypto_symbols},
	{"libssl.so.3", ssl_symbols},
	{"libcurl.so.4", curl_symbols},
};

static char why[256];

static bool load(const char *file, const struct symbol *symbols)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		snprintf(why, sizeof(why),
			 "API servers need libcurl (Debian's libcurl4), which cannot be loaded: %s",
			 dlerror());
		return false;
	}
	for (; symbols->name; symbols++) {
		void *found = dlsym(library, symbols->name);

		if (!found) {
			snprintf(why, sizeof(why), "API servers need %s, which %s does not have",
				 symbols->name, file);
			return false;
		}
		*(void **)symbols->at = found;
	}
	return true;
}

const char *mrd_libraries_load(void)
{
	static bool is_loaded;

	for (size_t i = 0; !is_loaded && i < sizeof(libraries) / sizeof(libraries[0]); i++)
		if (!load(libraries[i].file, libraries[i].symbols))
			return why;
	if (!is_loaded && sym_curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return "libcurl cannot start: no memory";
	is_loaded = true;
	return NULL;
}
