/* sockctl sendfile: files, folders or standard input to a recvfile. */
#include "../util/filename.h"
#include "../util/rawside.h"
#include "../util/sendside.h"
#include "mode.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sendfile_conf {
	struct transfer_conf shared;
	struct walk_options walk;
};

struct sendfile {
	struct transfer transfer; /* first: open is given it */
	struct sendside_setup files;
};

#define AT(field, type) OPT_AT(struct walk_options, field, type)

static const struct opt sendfile_opts[] = {
	{ .name = "recursive",
		.letter = 'r',
		.type = OPT_FLAG,
		.help = "folders with all that is in them",
		.offset = AT(recursive, bool) },
	{ .name = "follow",
		.type = OPT_FLAG,
		.help = "-r: send what symbolic links point to (else they are "
			"skipped)",
		.offset = AT(follow, bool) },
	{ .name = "as",
		.type = OPT_STRING,
		.word = "NAME",
		.help = "the name to offer instead of the file's own",
		.offset = AT(as, const char *) },
	{ 0 },
};

static const struct opt_group groups[] = {
	{ "Files", sendfile_opts, offsetof(struct sendfile_conf, walk) },
	TRANSFER_GROUPS(struct sendfile_conf),
	{ 0 },
};

static const struct sendfile_conf defaults = {
	.shared = TRANSFER_DEFAULT,
};

static bool
is_folder(const char *path)
{
	struct stat st;

	return strcmp(path, "-") != 0 && stat(path, &st) == 0 &&
		S_ISDIR(st.st_mode);
}

/* What the arguments ask for that cannot be; 0: nothing. */
static int
check(const struct run *run, const struct sendfile_conf *conf,
	const struct sendside_setup *files)
{
	const char *as = conf->walk.as;
	const char *fault = as ? filename_fault(as, strlen(as), true) : NULL;
	int i, inputs = 0;

	if (files->count == 0)
		return mode_usage(run, "FILE is missing (-: standard input)");
	if (fault)
		return mode_usage(run, "--as '%s': %s", as, fault);
	if (as && files->count > 1)
		return mode_usage(run, "--as names one FILE, not several");
	if (conf->shared.raw && files->count > 1)
		return mode_usage(run, "--raw sends one FILE, not several");
	for (i = 0; i < files->count; i++) {
		inputs += strcmp(files->files[i], "-") == 0;
		if (!is_folder(files->files[i]))
			continue;
		if (conf->shared.raw)
			return mode_usage(run,
				"'%s': a folder; --raw sends "
				"a file",
				files->files[i]);
		if (!conf->walk.recursive)
			return mode_usage(run,
				"'%s': a folder is sent with --recursive",
				files->files[i]);
	}
	if (inputs > 1)
		return mode_usage(run, "standard input can be sent once");
	return 0;
}

/* Where nothing that was named can be opened nobody needs to be called. */
static bool
none_opens(const struct sendside_setup *files, struct err *err)
{
	int i, fd;

	for (i = 0; i < files->count; i++) {
		if (strcmp(files->files[i], "-") == 0)
			return false;
		fd = open(files->files[i],
			O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd == -1) {
			err_set(err, "open", errno, files->files[i]);
			continue;
		}
		close(fd);
		return false;
	}
	return true;
}

static void
open_session(struct transfer *t, int fd, unsigned id,
	const struct dial_result *result)
{
	struct sendfile *s = (struct sendfile *)t;

	if (t->conf->raw)
		rawside_send(t, fd, id, result, s->files.files[0]);
	else
		sendside_open(t, fd, id, result, &s->files);
}

static int
sendfile_run(const struct run *run)
{
	const struct sendfile_conf *conf = run->conf;
	struct sendfile s = { 0 };
	struct err err = { 0 };
	int used, code, i;

	used = transfer_place(
		&s.transfer, &conf->shared, false, run->argc, run->argv, &err);
	if (used == -1)
		return mode_refuse(run, &err);
	s.files = (struct sendside_setup){ &conf->walk, run->argc - used,
		run->argv + used };
	code = check(run, conf, &s.files);
	if (code)
		return code;
	/* Standard input can be sent to one only. */
	for (i = 0; i < s.files.count; i++)
		s.transfer.once |= strcmp(s.files.files[i], "-") == 0;
	s.transfer.open = open_session;
	if (transfer_begin(&s.transfer, "sendfile", REPORT_RESULT, &err) == -1)
		return mode_refuse(run, &err);
	if (none_opens(&s.files, &err))
		return life_fail(&s.transfer.life, &err);
	return transfer_run(&s.transfer);
}

static bool
sendfile_reports(const struct run *run)
{
	(void)run;
	return true;
}

const struct mode mode_sendfile = {
	.name = "sendfile",
	.summary = "files to a recvfile, checked on arrival",
	.usage = "[OPTION...] HOST PORT FILE...\n[OPTION...] -p PORT FILE...",
	.examples =
		"  sockctl sendfile db 4000 dump.sql   to a waiting recvfile\n"
		"  sockctl sendfile -r db 4000 photos  a folder with all in "
		"it\n"
		"  sockctl sendfile -p 4000 dump.sql   wait for a recvfile\n"
		"  tar c src | sockctl sendfile db 4000 - --as src.tar\n"
		"  sockctl sendfile --raw db 4000 f    to a plain netcat\n",
	.groups = groups,
	.conf_size = sizeof(struct sendfile_conf),
	.defaults = &defaults,
	.run = sendfile_run,
	.reports = sendfile_reports,
};
