/* sockctl recvfile: takes what a sendfile sends. */
#include "../util/below.h"
#include "../util/confine.h"
#include "../util/mem.h"
#include "../util/rawside.h"
#include "../util/recvside.h"
#include "mode.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct recvfile_conf {
	struct transfer_conf shared;
	const char *output, *dir;
	bool sync;
	struct part_policy policy;
};

struct recvfile {
	struct transfer transfer; /* first: open is given it */
	struct recv_place place;
};

#define AT(field, type) OPT_AT(struct recvfile_conf, field, type)

static const struct opt recvfile_opts[] = {
	{ .name = "dir",
		.letter = 'd',
		.type = OPT_STRING,
		.word = "DIR",
		.help = "where files go, a folder that exists; default: "
			"here",
		.offset = AT(dir, const char *),
		.complete = "dir" },
	{ .name = "output",
		.letter = 'O',
		.type = OPT_STRING,
		.word = "FILE",
		.help = "take one file, to this name; -: standard output",
		.offset = AT(output, const char *),
		.complete = "file" },
	{ .name = "overwrite",
		.type = OPT_FLAG,
		.help = "replace a file that exists (else it is refused)",
		.offset = AT(policy.overwrite, bool) },
	{ .name = "rename",
		.type = OPT_FLAG,
		.help = "take it as NAME.1, NAME.2 ... where it exists",
		.offset = AT(policy.rename, bool) },
	{ .name = "skip",
		.type = OPT_FLAG,
		.help = "do not take what exists with the same size and time",
		.offset = AT(policy.skip, bool) },
	{ .name = "no-resume",
		.type = OPT_FLAG,
		.help = "begin anew where a part was kept",
		.offset = AT(policy.restart, bool) },
	{ .name = "dotfiles",
		.type = OPT_FLAG,
		.help = "take names that begin with a dot",
		.offset = AT(policy.dotfiles, bool) },
	{ .name = "max-size",
		.type = OPT_SIZE,
		.word = "SIZE",
		.help = "refuse larger files",
		.offset = AT(policy.max_size, uint64_t),
		.min = 1,
		.max = INT64_MAX },
	{ .name = "fsync",
		.type = OPT_FLAG,
		.help = "say that a file is in place when the disk has it",
		.offset = AT(sync, bool) },
	{ 0 },
};

static const struct opt_group groups[] = {
	{ "Files", recvfile_opts, 0 },
	TRANSFER_GROUPS(struct recvfile_conf),
	{ 0 },
};

static const struct recvfile_conf defaults = {
	.shared = TRANSFER_DEFAULT,
};

static int
check(const struct run *run, const struct recvfile_conf *conf, int used)
{
	if (used < run->argc)
		return mode_usage(
			run, "'%s': one argument too many", run->argv[used]);
	if (conf->output && conf->dir)
		return mode_usage(run, "--output and --dir exclude each other");
	if (conf->policy.overwrite && conf->policy.rename)
		return mode_usage(
			run, "--overwrite and --rename exclude each other");
	if (conf->shared.raw && !conf->output && conf->dir)
		return mode_usage(run,
			"--raw has no names: --output FILE instead of --dir");
	return 0;
}

static int
open_folder(struct recvfile *r, const char *path, struct err *err)
{
	r->place.root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->place.root != -1)
		return 0;
	err_set(err, "open", errno, path);
	if (errno == ENOENT)
		err_hint(err, "the folder has to be there: mkdir %s", path);
	return -1;
}

/* The folder that a path's last part is in; the caller's to free. */
static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = mem_string(slash ? path : ".");

	if (slash)
		folder[slash == path ? 1 : slash - path] = '\0';
	return folder;
}

/* -O: a name in a folder, or what is there and no file (/dev/null, a fifo). */
static int
open_output(struct recvfile *r, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	struct stat st;
	int result;

	if (strcmp(path, "-") == 0) {
		r->place.out = STDOUT_FILENO;
		return 0;
	}
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(err, "open", EISDIR, path);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		r->place.out = open(path, O_WRONLY | O_CLOEXEC);
		if (r->place.out == -1)
			return err_set(err, "open", errno, path);
		return 0;
	}
	r->place.file = slash ? slash + 1 : path;
	folder = folder_of(path);
	result = open_folder(r, folder, err);
	free(folder);
	return result;
}

static int
find_place(
	struct recvfile *r, const struct recvfile_conf *conf, struct err *err)
{
	mode_t mask = umask(0);

	umask(mask);
	r->place = (struct recv_place){ .policy = conf->policy,
		.sync = conf->sync,
		.root = -1,
		.out = -1 };
	r->place.policy.mask = mask;
	if (conf->output || conf->shared.raw)
		return open_output(r, conf->output ? conf->output : "-", err);
	return open_folder(r, conf->dir ? conf->dir : ".", err);
}

static void
open_session(struct transfer *t, int fd, unsigned id,
	const struct dial_result *result)
{
	struct recvfile *r = (struct recvfile *)t;

	if (t->conf->raw)
		rawside_receive(t, fd, id, result, &r->place);
	else
		recvside_open(t, fd, id, result, &r->place);
}

static enum report_manner
manner(const struct recvfile *r)
{
	if (r->place.out != STDOUT_FILENO)
		return REPORT_RESULT;
	return r->transfer.listens ? REPORT_LISTENER : REPORT_CLIENT;
}

/* Of a Unix-domain socket that it listens on, to remove it at the end. */
static int
socket_folder(const struct transfer *t)
{
	const char *path = t->conf->net.path;
	struct buf inside = { 0 };
	char *folder;
	int fd;

	if (!t->listens || !path || path[0] == '@')
		return -1;
	folder = folder_of(path);
	buf_printf(&inside, "%s/.", folder);
	fd = below_folder(AT_FDCWD, buf_cstr(&inside));
	free(folder);
	buf_free(&inside);
	return fd;
}

/* From here on names and bytes of strangers come in: it needs to write where
 * files go, and nowhere else. */
static void
give_up(struct transfer *t)
{
	const struct recvfile *r = (struct recvfile *)t;
	const struct confine_place places[] = {
		{ socket_folder(t), CONFINE_REMOVE },
		{ r->place.root, CONFINE_FILL },
		{ r->place.out, CONFINE_WRITE },
	};
	unsigned holds = confine(places, sizeof places / sizeof places[0]);

	if (places[0].fd != -1)
		close(places[0].fd);
	report_note(t->life.report, 1, "confined: %s; %s",
		holds & CONFINE_PRIVILEGES ? "no new privileges"
					   : "new privileges are possible",
		holds & CONFINE_WRITES
			? "writes only where files go, executes nothing "
			  "(Landlock)"
			: "writes as its user may (no Landlock here)");
}

static int
recvfile_run(const struct run *run)
{
	const struct recvfile_conf *conf = run->conf;
	struct recvfile r = { 0 };
	struct err err = { 0 };
	int used, code;

	used = transfer_place(
		&r.transfer, &conf->shared, true, run->argc, run->argv, &err);
	if (used == -1)
		return mode_refuse(run, &err);
	code = check(run, conf, used);
	if (code)
		return code;
	if (find_place(&r, conf, &err) == -1)
		return mode_refuse(run, &err);
	r.transfer.open = open_session;
	r.transfer.ready = give_up;
	if (transfer_begin(&r.transfer, "recvfile", manner(&r), &err) == -1)
		return mode_refuse(run, &err);
	/* A file that reaches its limit is an error, not the end of us. */
	signal(SIGXFSZ, SIG_IGN);
	return transfer_run(&r.transfer);
}

static bool
recvfile_reports(const struct run *run)
{
	const struct recvfile_conf *c = run->conf;

	return c->output ? strcmp(c->output, "-") != 0 : !c->shared.raw;
}

const struct mode mode_recvfile = {
	.name = "recvfile",
	.summary = "take files from a sendfile",
	.usage = "[OPTION...] -p PORT\n[OPTION...] HOST PORT",
	.examples =
		"  sockctl recvfile -p 4000 -d inbox   take what comes, from "
		"anybody\n"
		"  sockctl recvfile -p 4000 -1 -O f    take one file, then "
		"end\n"
		"  sockctl recvfile db 4000            from a waiting "
		"sendfile\n"
		"  sockctl recvfile -p 4000 -1 -O - | tar x\n"
		"  sockctl recvfile -p 4000 -1 --raw -O f\n",
	.groups = groups,
	.conf_size = sizeof(struct recvfile_conf),
	.defaults = &defaults,
	.run = recvfile_run,
	.reports = recvfile_reports,
};
