/* complete: completion scripts for shells, from the options' rows. */
#ifndef SOCKCTL_COMPLETE_H
#define SOCKCTL_COMPLETE_H

#include "buf.h"
#include "opt.h"

/* A first word of the command line. */
struct complete_word {
	const char *name, *summary;
	/* Of a mode; NULL for help and completion. */
	const struct opt_group *groups;
	/* What its arguments are: words as in --help (HOST and FILE are
	 * completed), or, where groups is NULL, the words that may follow. */
	const char *arguments;
};

/* Appends the script for "bash", "zsh" or "fish". words ends with a name
 * NULL. Returns -1 for another shell. */
int complete_script(
	struct buf *out, const char *shell, const struct complete_word *words);

#endif
