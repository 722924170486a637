/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Names as people write them in configurations and on command lines. Each asks what is wrong with
 * one that is not empty: NULL, or what it must be, as the end of a sentence that starts with the
 * name's field.
 */
#ifndef MRD_BASE_NAME_H
#define MRD_BASE_NAME_H

/* A region, zone or subzone, which nodes have as a label's value. */
const char *mrd_name_fault_place(const char *text);
/* A cluster's, or its network's: Istio has both as labels' values, too. */
const char *mrd_name_fault_label(const char *text);
/* RFC 1123: a namespace; a cluster's domain; a node. */
const char *mrd_name_fault_namespace(const char *text);
const char *mrd_name_fault_domain(const char *text);
const char *mrd_name_fault_node(const char *text);
/* Whatever can be shown on one line. */
const char *mrd_name_fault_line(const char *text);

#endif
