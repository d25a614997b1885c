/* What modes with a listening and a connecting side share. */
#include "mode.h"

int
mode_sides(const struct run *run, const struct mode_side *rows, size_t n,
	bool server)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].given && rows[i].server != server)
			return mode_usage(run, "%s: an option of the %s: %s",
				rows[i].name,
				rows[i].server ? "server" : "client",
				rows[i].server ? "-p PORT listens"
					       : "HOST PORT connects");
	if (server && run->argc > 0)
		return mode_usage(run,
			"'%s': with -p it listens, and takes no HOST and PORT",
			run->argv[0]);
	return EXIT_OK;
}
