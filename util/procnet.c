#include "procnet.h"
#include "num.h"
#include <string.h>

/* sl, local, peer, st, queues, timer, retransmits, uid, timeout, inode. */
enum { LOCAL = 1, PEER, STATE, UID = 7, INODE = 9, COLUMNS };

/* At most 8 digits. */
static int
hex(const char *s, unsigned *out)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = strspn(s, digits);

	if (n == 0 || n > 8 || s[n])
		return -1;
	for (*out = 0; *s; s++)
		*out = *out << 4 | (unsigned)(strchr(digits, *s) - digits);
	return 0;
}

/* ADDRESS:PORT */
static int
pair(char *s, char address[33], unsigned *port)
{
	char *colon = strchr(s, ':');

	if (!colon || colon - s > 32)
		return -1;
	*colon = '\0';
	strcpy(address, s);
	return hex(colon + 1, port);
}

static int
parse(char *line, struct procnet *p)
{
	char *column[COLUMNS], *rest = line;

	for (int i = 0; i < COLUMNS; i++) {
		column[i] = strtok_r(rest, " \n", &rest);
		if (!column[i])
			return -1;
	}
	if (pair(column[LOCAL], p->local, &p->local_port) == -1 ||
		pair(column[PEER], p->peer, &p->peer_port) == -1 ||
		hex(column[STATE], &p->state) == -1 ||
		num_int(column[UID], 0, INT64_MAX, &p->uid) == -1)
		return -1;
	return num_int(column[INODE], 0, INT64_MAX, &p->inode);
}

bool
procnet_next(FILE *f, struct procnet *p)
{
	char line[512];

	while (fgets(line, sizeof(line), f))
		if (parse(line, p) == 0)
			return true;
	return false;
}
