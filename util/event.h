/* event: the one table of events: name, who sees it, and its line of text. */
#ifndef SOCKCTL_EVENT_H
#define SOCKCTL_EVENT_H

#include "report.h"

/* When an event is shown as text. With --json all are, with --quiet as well
 * only errors, own and result ones, progress and the summary. */
enum event_level {
	LEVEL_ALWAYS,
	LEVEL_LISTENER, /* by default where there is a listener, else -v */
	LEVEL_VERBOSE, /* with -v */
	LEVEL_OWN, /* an option of its own makes the mode tell it */
	LEVEL_RESULT, /* part of the report; --quiet hides it */
	LEVEL_SUMMARY, /* the same; where standard output is data, with -v */
	LEVEL_NOTE, /* never in JSON */
};

struct event_row {
	const char *name;
	enum event_level level;
	const char *text; /* template.h; also mode, conn, local, peer */
};

const struct event_row *event_row(enum event ev);
/* The text in columns, for a terminal; NULL: as everywhere. */
const char *event_columns(enum event ev);

#endif
