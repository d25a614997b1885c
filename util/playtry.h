/* playtry: what the files of a script's steps share: how a try ends, and the
 * steps that send (playsend.c), which playstep.c's table names. */
#ifndef SOCKCTL_PLAYTRY_H
#define SOCKCTL_PLAYTRY_H

#include "playstep.h"

/* The step is over: well, with as many bytes as it moved; with errno. */
enum play_wait play_done(struct play *p);
enum play_wait play_failed(struct play *p);
/* It is tried again after delay ns. */
enum play_wait play_later(struct play *p, int64_t delay);
/* errno says that the socket has no room, or nothing, now. */
bool play_blocked(void);
size_t play_at_most(uint64_t n, size_t most);
/* One send(2), counted. -1 with errno. */
ssize_t play_write(struct play *p, const void *data, size_t n, int flags);

enum play_wait play_send(struct play *p, const struct script_step *s);
enum play_wait play_sendall(struct play *p, const struct script_step *s);
enum play_wait play_writev(struct play *p, const struct script_step *s);
enum play_wait play_oob(struct play *p, const struct script_step *s);
enum play_wait play_fill(struct play *p, const struct script_step *s);

#endif
