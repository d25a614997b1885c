#include "term.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool
term_is(int fd)
{
	return isatty(fd) == 1;
}

#ifdef TIOCGWINSZ
int
term_width(int fd)
{
	struct winsize w;

	if (ioctl(fd, TIOCGWINSZ, &w) == -1 || w.ws_col == 0)
		return 80;
	return w.ws_col;
}
#else
int
term_width(int fd)
{
	(void)fd;
	return 80;
}
#endif

bool
term_colour(int fd)
{
	const char *no = getenv("NO_COLOR"), *type = getenv("TERM");

	return term_is(fd) && !(no && *no) && type && strcmp(type, "dumb") != 0;
}

/* A terminal that is not this session's stops nobody: tcgetpgrp fails there. */
bool
term_foreground(int fd)
{
	pid_t group = tcgetpgrp(fd);

	return group == -1 || group == getpgrp();
}

int
term_raw(int fd, struct termios *before)
{
	struct termios raw;

	if (tcgetattr(fd, before) == -1)
		return -1;
	raw = *before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return tcsetattr(fd, TCSANOW, &raw);
}

int
term_cooked(int fd, const struct termios *before)
{
	return tcsetattr(fd, TCSANOW, before);
}
