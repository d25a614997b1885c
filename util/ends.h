/* ends: the rules by which a pump's two directions end: each looks at the state
 * and says when it is due (clock, ns; CLOCK_INF: not for now). */
#ifndef SOCKCTL_ENDS_H
#define SOCKCTL_ENDS_H

#include "pump.h"

/* Everything that the near end (the peer) gave was passed on. */
bool ends_up_finished(const struct pump *p);
bool ends_down_finished(const struct pump *p);
/* The connection broke: remembers it with its counts; nothing more is read
 * from the near end, what had arrived is still delivered. */
void ends_lose(struct pump *p, const char *op, int number);
/* Remembers when the input and the peer ended. */
void ends_note(struct pump *p, int64_t now);
/* After the peer's FIN the input is read on while it gives data. */
int64_t ends_give_up_input(struct pump *p, int64_t now);
/* --exit-on-eof: after the peer's FIN what was read is sent at once, whatever
 * the pace; what the peer does not take within 1 s is lost. */
int64_t ends_leave(struct pump *p, int64_t now);
/* FIN after the input's end, held back for a short request. */
int64_t ends_send_fin(struct pump *p, int64_t now);
/* Sending is done when the system says that all of it was acknowledged. */
int64_t ends_acknowledged(struct pump *p, int64_t now);
/* -q: how long to go on hearing after all was sent. */
int64_t ends_quit_due(const struct pump *p);

#endif
