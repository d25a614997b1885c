/* template: a line of text made from typed fields.
 *
 *	{name}       the field's value, escaped; {rtt_ms.min} a member of it
 *	{name:hint}  in a form for people, see the table in template.c
 *	{name:<9}    a column of at least 9, padded on the right ({name:>9} on
 *	             the left); "-" where the field is absent
 *	[ ... ]      left out when a field in it is null, missing, false or
 *	             empty; groups nest, each answers for its own fields
 *
 * A field outside of groups that is not there is shown as "?". ", " is left
 * out at the start and behind ": ", so that a list of groups needs no first
 * one. An array shows its elements, an object in it its members. */
#ifndef SOCKCTL_TEMPLATE_H
#define SOCKCTL_TEMPLATE_H

#include "buf.h"
#include "field.h"

/* Appends the line to out. */
void template_render(struct buf *out, const char *text,
	const struct field *fields, size_t n);

#endif
