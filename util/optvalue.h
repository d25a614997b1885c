/* optvalue: the value of one option, by the type of its row. Part of opt. */
#ifndef SOCKCTL_OPTVALUE_H
#define SOCKCTL_OPTVALUE_H

#include "opt.h"

/* Writes value into the row's field. -1 with err: op NULL and the sentence that
 * says what would be right, or op open or read of an @FILE. err is empty
 * before. */
int opt_value(
	const struct opt *row, void *field, const char *value, struct err *err);

#endif
