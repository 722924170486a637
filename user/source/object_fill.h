/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The parts of object_doc.c that each kind has of its own: they fill an object whose meta is read.
 */
#ifndef MRD_SOURCE_OBJECT_FILL_H
#define MRD_SOURCE_OBJECT_FILL_H

#include "model/object.h"
#include "source/field.h"

void mrd_service_fill(struct mrd_reading *reading, const struct mrd_field *object,
		      struct mrd_service_object *service);
void mrd_slice_fill(struct mrd_reading *reading, const struct mrd_field *object,
		    struct mrd_slice_object *slice);
/* "protocol" of a port: TCP if it is absent. */
enum mrd_transport mrd_transport_read(struct mrd_reading *reading, const struct mrd_field *port);

enum { MRD_PORT_MAX = 65535 };

#endif
