/* near: the near end of a pump: standard input and output, a command's pipes or
 * another connection; how it is opened, how it breaks, and how it ends. */
#ifndef SOCKCTL_NEAR_H
#define SOCKCTL_NEAR_H

#include "pump.h"

/* Opens it: --recv-only goes without input, --send-only without output. */
void near_open(struct pump *p);
/* The end that is written to; where the near end is one descriptor, it is the
 * one that is read from. */
struct pump_end *near_out(struct pump *p);
/* Standard input is a terminal, and another job has it. */
bool near_in_background(const struct pump *p);
/* f broke at the near end. p->local says how, unless it was a command that has
 * closed its input: what comes for it is discarded from now on. */
void near_failed(struct pump *p, const struct flow *f);
/* The peer is lost. What had come from it still goes to the near end, which may
 * be waiting for somebody to hear it first: a command meets a closed pipe, what
 * a connection says is dropped. */
void near_unheard(struct pump *p);
/* What the peer has ended, and what was passed on, is ended here as well. */
void near_pass_fin(struct pump *p);
/* Closes what is the pump's own of it. */
void near_close(struct pump *p);

#endif
