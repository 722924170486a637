/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How to reach one API server and who to be there, as a kubeconfig or a pod's mounted service
 * account says (client-go's rules; files are named relative to the kubeconfig). Only what is
 * written: contents of files that change, and what a plugin answers, are credential.h's.
 */
#ifndef MRD_KUBE_ACCESS_H
#define MRD_KUBE_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* Where the configuration says to look. */
struct mrd_kube_where {
	const char *kubeconfig; /* a path; "" with in_cluster. "" with a context: $KUBECONFIG, else
				   ~/.kube/config */
	const char *context;	/* "": the kubeconfig's current-context */
	bool in_cluster; /* KUBERNETES_SERVICE_HOST and _PORT, and the mounted token and CA */
};

/* Given as bytes (decoded) or as a file. Neither: absent. */
struct mrd_kube_pem {
	char *data; /* NULL: none */
	size_t len;
	char *path; /* NULL: none */
};

struct mrd_kube_env {
	char *name;
	char *value;
};

/* client.authentication.k8s.io ExecCredential, v1 or v1beta1. */
struct mrd_kube_exec {
	char *api_version;
	char *command; /* a path, or a name to be found in PATH */
	char **args;   /* ends with NULL */
	struct mrd_kube_env *env;
	size_t env_count;
	bool provide_cluster_info;
	char *install_hint; /* "" = none */
};

struct mrd_kube_access {
	char *file;	       /* that said so, for messages */
	char *context;	       /* "" in a cluster */
	char *server;	       /* "https://host:port" or with a path, without a slash at its end */
	char *tls_server_name; /* "" = the server's host */
	char *proxy_url;       /* "" = none */
	bool insecure;	       /* insecure-skip-tls-verify */
	struct mrd_kube_pem ca;
	struct mrd_kube_pem certificate;
	struct mrd_kube_pem key;
	char *token;	  /* "" = none */
	char *token_file; /* "" = none; wins over token */
	char *username;	  /* basic authentication; "" = none */
	char *password;
	struct mrd_kube_exec *exec; /* NULL: none */
};

/*
 * Reads and validates. -EBADMSG: diag has errors, each with its place; -errno: a file cannot be
 * read, or -ENOSYS: the libraries for it are missing (diag says so too); -ENOMEM.
 * insecure-skip-tls-verify is a warning in diag. No finding quotes a secret.
 */
int mrd_kube_access_read(const struct mrd_kube_where *where, struct mrd_diag *diag,
			 struct mrd_kube_access **ret_access);
/* The file that would be read: a copy, or -ENOENT: none is named anywhere, or in_cluster; -ENOMEM.
 */
int mrd_kube_where_file(const struct mrd_kube_where *where, char **ret_path);
/* NULL is fine. Secrets are overwritten before their memory is given back. */
void mrd_kube_access_free(struct mrd_kube_access *access);

#endif
