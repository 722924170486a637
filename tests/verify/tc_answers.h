/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the TC programs read of HTTP, and tell. */
#ifndef MRD_TESTS_TC_ANSWERS_H
#define MRD_TESTS_TC_ANSWERS_H

#include "tc_world.h"

/* Each says what is wrong. */
bool tc_check_answers(const struct world *world);
bool tc_check_pieces(const struct world *world);
bool tc_check_unread(const struct world *world);
bool tc_check_long(const struct world *world);
bool tc_check_deleted(const struct world *world);
bool tc_check_cut_off(const struct world *world);
bool tc_check_handshake(const struct world *world);

#endif
