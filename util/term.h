/* term: what a terminal is and how wide; colour only there and never with
 * NO_COLOR (no-color.org). */
#ifndef SOCKCTL_TERM_H
#define SOCKCTL_TERM_H

#include <stdbool.h>
#include <termios.h>

bool term_is(int fd);
int term_width(int fd); /* columns; 80 where unknown */
bool term_colour(int fd);
/* False in a background job of fd's terminal, where reading would stop the
 * process (tcgetpgrp against getpgrp). True for what is no terminal. */
bool term_foreground(int fd);
/* Each key is given at once and not echoed; signals stay (ISIG). *before is for
 * term_cooked, which puts back what was. -1 with errno. Only in the
 * foreground: elsewhere the terminal stops the process. */
int term_raw(int fd, struct termios *before);
int term_cooked(int fd, const struct termios *before);

#endif
