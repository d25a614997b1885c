/* activation: listening sockets that a service manager opened and passed on,
 * sd_listen_fds(3): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES. */
#ifndef SOCKCTL_ACTIVATION_H
#define SOCKCTL_ACTIVATION_H

#include "err.h"
#include <stdbool.h>

/* How many sockets were passed to this very process, from descriptor
 * ACTIVATION_FIRST on; 0: none. */
enum { ACTIVATION_FIRST = 3 };
int activation_count(void);

/* Makes the i-th (from 0) non-blocking and close-on-exec, and returns it. -1
 * with err (op listen) where it is not a listening stream socket, or with
 * datagram not a datagram socket. */
int activation_take(int i, bool datagram, struct err *err);

/* Removes the variables, so that no child takes them for its own. */
void activation_forget(void);

#endif
